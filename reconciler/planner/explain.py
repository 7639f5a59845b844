"""Why two versions of a model differ, field by field. Explains; never decides."""

from collections.abc import Collection, Mapping

from reconciler.domain.desired import Model
from reconciler.domain.observed import SUCCEEDED, RemoteJob
from reconciler.domain.plan import Change


def explain(model: Model, jobs: Collection[RemoteJob]) -> tuple[Change, ...]:
    """Return the fields in which a wanted model differs from the one that came before it, sorted by name.

    The one before is the newest that succeeded, else the newest at all. Without one, every field is new.
    """
    before = _previous(model, jobs)
    if before is None:
        return tuple(Change(field=name, before=None, after=after) for name, after in model.told)
    if not before.facts:
        return (Change(field="digest", before=before.stamp.digest.short, after=model.stamp.digest.short),)
    return _differences(dict(before.facts), dict(model.told))


def _previous(model: Model, jobs: Collection[RemoteJob]) -> RemoteJob | None:
    others = [job for job in jobs if not job.stamp.agrees(model.stamp)]
    return max(others, key=lambda job: (job.status == SUCCEEDED, job.created_at, job.id), default=None)


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    # deepdiff costs a fifth of a second to import, so only a plan that has something to explain pays for it.
    from deepdiff import DeepDiff

    found = DeepDiff(before, after, view="tree", verbose_level=2)
    fields = {level.path(output_format="list")[0] for levels in found.values() for level in levels}
    return tuple(Change(field=name, before=before.get(name), after=after.get(name)) for name in sorted(fields))
