"""Decides whose a job is, on a service whose jobs keep no metadata. Pure, and the only place that decides it.

A job of this dialect has neither metadata nor a name of its own, and repeats its suffix only in the name of the model
that it makes: never while it runs, and never at all when it fails. So labels say whose it is (see `labels.py`), and
the suffix confirms it. What is there decides, the surest first:

    what there is                                                    the job is
    ───────────────────────────────────────────────────────────────  ───────────────────────────────────────────────
    a label with its id                                              of the label's stamp and project
    no such label; one intent, not younger than it, that asked for   of the intent's stamp and project: its create got
    just this base, these files and these stated settings            no answer, or the second label never came
    several such intents of different stamps                         unclear, until its model's name tells; what ended
                                                                     without a model counts as not ours
    no label at all, and a model whose name carries our suffix       of that name and digest, perhaps of another
                                                                     project: it is used, and never removed; unclear if
                                                                     the name may have been cut
    no label at all, and alive on a file that has our kind of name   unclear: it may be ours, with its label deleted
    anything else                                                    not ours

A model whose name carries another digest than the label makes the job unclear, and a model without our suffix is not
what an intent with our suffix asked for. An unclear job is never built on, cancelled or created beside: plans
stop at it until it has ended or the operator says that it does not matter.

What this cannot tell: a job that is made by hand, on our file and with just our settings, while an intent of
ours lies unanswered. It counts as ours while it runs, which costs a wait and no second job; its model's name gives it
away.
"""

from collections.abc import Collection

import msgspec

from reconciler.domain.identity import Stamp
from reconciler.domain.observed import SUCCEEDED
from reconciler.providers.openai_legacy.labels import Carried, JobLabel, read_carried
from reconciler.providers.openai_legacy.wire import Tune


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a job is: ours with a stamp, perhaps ours when unclear, not ours with neither.

    Shape:  `may_be` are the stamps that an unclear job is known to be one of, where that is known; `is_by_name` when
            no label says it, and only the name of its model, which carries no project
    """

    stamp: Stamp | None = None
    is_unclear: bool = False
    may_be: frozenset[Stamp] = frozenset()
    is_by_name: bool = False


FOREIGN = Verdict()
UNCLEAR = Verdict(is_unclear=True)


def judge(tune: Tune, labels: Collection[JobLabel], project: str, suffix_length: int) -> Verdict:
    """Say whose a job is.

    Shape:  `labels` are all that the service holds, of every project; `project` is a project's key
    """
    carried = read_carried(tune.model)
    named = {label.owner for label in labels if label.job == tune.id}
    if named:
        found = _of_one(named, tune, project)
        if found.stamp and carried and not carried.digest.agrees(found.stamp.digest):
            return Verdict(is_unclear=True, may_be=frozenset({found.stamp}))
        return found
    asked = {label.owner for label in labels if _asked_for(label, tune, carried, suffix_length)}
    if asked:
        return _of_one(asked, tune, project)
    if carried:
        stamp = carried.stamp(suffix_length)
        return Verdict(stamp=stamp, is_by_name=True) if stamp else UNCLEAR
    on_our_file = any(file.stamp for file in (*tune.training, *tune.validation))
    return UNCLEAR if tune.status.is_active and on_our_file else FOREIGN


def is_of(tune: Tune, verdict: Verdict, stamp: Stamp, suffix_length: int) -> bool:
    """Return whether a job is of one stamp: by what it is, or by a cut name that only who knows the stamp can read."""
    if verdict.stamp:
        return verdict.stamp.agrees(stamp)
    carried = read_carried(tune.model)
    return verdict == UNCLEAR and carried is not None and carried.may_be(stamp, suffix_length)


def _asked_for(label: JobLabel, tune: Tune, carried: Carried | None, suffix_length: int) -> bool:
    if not label.request or label.created_at > tune.created_at or not tune.request.answers(label.request):
        return False
    if not tune.model:
        return True
    if label.has_our_suffix:
        return carried is not None and carried.may_be(label.stamp, suffix_length)
    return carried is None


def _of_one(owners: set[tuple[str, Stamp]], tune: Tune, project: str) -> Verdict:
    ours = frozenset(stamp for owner, stamp in owners if owner == project)
    if not ours:
        return FOREIGN
    if len(owners) == 1:
        return Verdict(stamp=next(iter(ours)))
    matters = tune.status.is_active or tune.status == SUCCEEDED
    return Verdict(is_unclear=True, may_be=ours) if matters else FOREIGN
