"""Specs and data as they were at a revision, read from a directory that holds them. Asks no service.

Problems of an old version are not the user's to correct today: rows that cannot be read are not compared, and specs
that cannot be read raise an error that names their version.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from msgspec.structs import replace

from reconciler.dataset.row_diff import DatasetVersion, open_without_checks
from reconciler.domain.desired import DatasetMeasure, Desired, Model
from reconciler.domain.errors import InputError, Place, Problem, UsageError
from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.renames import NameMap
from reconciler.domain.spec import DatasetSpec, Specs
from reconciler.history.revision import Revision
from reconciler.workflow import Setting, read_setting

SPEC_ENDINGS = (".yaml", ".yml")

MOST_KEPT = 8
"""Datasets whose rows are kept from the pass that measures them; rows of others are read again if they changed."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of the repository declares.

    Shape:  `title` names the version; `measures` are those of the datasets that can be read; `sides` are rows that
            are kept, of some of them, without the id of a row in its source; `notes` are about the others
    """

    title: str
    workspace: Path
    specs: Specs
    measures: Mapping[str, DatasetMeasure]
    sides: Mapping[str, DatasetVersion] = msgspec.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[Model, ...]:
        """The models whose data can be measured, sorted by name."""
        known = tuple(model for model in self.specs.models if {model.training, model.validation} <= self._known)
        return Desired.join(replace(self.specs, models=known), self.measures).models

    @property
    def _known(self) -> frozenset[str | None]:
        return frozenset({*self.measures, None})

    def dataset(self, name: str, claims: NameMap) -> DatasetSpec | None:
        """Return the dataset that has a name today, whatever its name was then."""
        today = Address(Kind.DATASET, name)
        found = {claims.moved.get(there, there): spec for spec in self.specs.datasets if (there := _find_address(spec))}
        return found.get(today)

    def stamps(self, spec: DatasetSpec, claims: NameMap) -> tuple[Stamp, ...]:
        """Return the stamps of a dataset's files under today's names; none where it cannot be measured."""
        measured = self.measures.get(spec.name)
        if measured is None:
            return ()
        sides = {"": measured.training, ".validation": measured.validation}
        return tuple(
            claims.rename_stamp(Stamp(Address(Kind.DATASET, spec.name + side), measure.digest))
            for side, measure in sides.items()
            if measure
        )


@contextmanager
def open_snapshot(title: str, setting: Setting, fetch_sources: Callable[[DatasetSpec], None]) -> Iterator[Snapshot]:
    """Read the specs and data in the directory of a setting.

    Shape:  `fetch_sources` writes the sources of a dataset there, or raises a UsageError with the reason
    Raises: InputError when the specs cannot be read, with places that name the version
    Cost:   reads every dataset once, and keeps the rows of the first few in memory or in files without names
    """
    try:
        specs = read_setting(setting)
    except InputError as error:
        raise name_version(error, title) from error
    measures: dict[str, DatasetMeasure] = {}
    sides: dict[str, DatasetVersion] = {}
    notes = []
    with ExitStack() as kept:
        for spec in specs.datasets:
            try:
                fetch_sources(spec)
                with ExitStack() as opened:
                    measures[spec.name], side = opened.enter_context(open_without_checks(spec, setting.workspace))
                    if len(sides) < MOST_KEPT:
                        sides[spec.name] = side
                        kept.push(opened.pop_all())
            except InputError as error:
                notes.append(f"the rows of {spec.name} at {title} cannot be read: {_describe_first(error)}")
            except UsageError as error:
                notes.append(f"the rows of {spec.name} at {title} are not available: {error}")
        yield Snapshot(
            title=title, workspace=setting.workspace, specs=specs, measures=measures, sides=sides, notes=tuple(notes)
        )


def name_version(error: InputError, title: str) -> InputError:
    """Return the same problems, their files with the version that they are of: `main:specs/all.yaml`."""
    problems = tuple(replace(each, where=_name_place(each.where, title)) for each in error.problems)
    return InputError(problems, error.unshown)


def _name_place(place: Place, title: str) -> Place:
    return replace(place, file=f"{title}:{place.file}")


def _find_address(spec: DatasetSpec) -> Address:
    return Address(Kind.DATASET, spec.name)


def _describe_first(error: InputError) -> str:
    first: Problem = error.problems[0]
    more = len(error.problems) + error.unshown - 1
    return f"{first.where}: {first.what}" + (f" (and {more} more)" if more else "")


@contextmanager
def open_snapshot_at(revision: Revision, setting: Setting) -> Iterator[Snapshot | None]:
    """Yield the snapshot of a revision, its files in a directory that goes away; None where it has no such root.

    Raises: InputError when its specs cannot be read
    """
    with extract_specs(revision, setting) as there:
        if there is None:
            yield None
            return
        with open_snapshot(revision.name, there, lambda spec: extract_sources(revision, spec, there)) as snapshot:
            yield snapshot


@contextmanager
def extract_specs(revision: Revision, setting: Setting) -> Iterator[Setting | None]:
    """Yield a setting with the specs of a revision, in a directory that goes away; None where it has none."""
    with tempfile.TemporaryDirectory(prefix="reconciler-") as directory:
        workspace = Path(directory).resolve()
        inside = setting.root.resolve().relative_to(setting.workspace.resolve())
        revision.extract((inside.as_posix(),), workspace, SPEC_ENDINGS)
        root = workspace / inside
        # The directory is new each time, so a cache of it is of no use.
        yield replace(setting, root=root, workspace=workspace, use_cache=False) if root.is_dir() else None


def extract_sources(revision: Revision, spec: DatasetSpec, there: Setting) -> None:
    """Write the sources of a dataset at a revision into the workspace of a setting.

    Raises: UsageError when git holds only a pointer to one
    """
    revision.extract((*spec.sources, *spec.heldout), there.workspace)
