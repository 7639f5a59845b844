"""What a plan leaves as it is: what runs, what waits for a decision, what no spec names; the rest is a count."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import assert_never

from reconciler.domain.observed import JobStatus
from reconciler.domain.plan import Keep, Plan, Why
from reconciler.render.sanitize import clean
from reconciler.render.style import Style
from reconciler.render.terminal.layout import pad, width_of, wrap
from reconciler.render.units import count_text

_ORPHANS_SHOWN = 5


def is_running(keep: Keep) -> bool:
    """Return whether a job is under way, for this version or for an older one."""
    return keep.why in {Why.TRAINING, Why.BUSY}


def needs_decision(keep: Keep) -> bool:
    """Return whether nothing goes on until somebody decides."""
    return keep.why in {Why.FAILED, Why.CANCELLED, Why.MISSING}


def is_suspended(keep: Keep) -> bool:
    """Return whether the spec says that nothing is created for now."""
    return keep.why is Why.SUSPENDED


def kept_sections(plan: Plan, style: Style, width: int) -> Iterator[str]:
    """Yield a section for each group that needs to be seen, and one line for everything that is as it should be."""
    running = [keep for keep in plan.kept if is_running(keep)]
    held = [keep for keep in plan.kept if needs_decision(keep)]
    orphans = [keep for keep in plan.kept if keep.why is Why.ORPHAN]
    ready = [keep for keep in plan.kept if keep.why is Why.READY]
    yield _section(style.yellow("Still running:"), running, style, width)
    yield _section(style.red("Held, until you decide:"), held, style, width)
    yield _section(style.yellow("Suspended by their specs:"), list(filter(is_suspended, plan.kept)), style, width)
    yield _section("Unchanged, and worth a word:", [keep for keep in ready if keep.detail], style, width)
    yield _orphans(orphans, style, width)
    where = f" in {plan_place(plan)}" if plan.is_empty else ""
    yield f"{len(ready)} unchanged{where}." if ready else ""


def plan_place(plan: Plan) -> str:
    """Say which project on which service a plan is about."""
    # Where the service goes by the profile's own name, the rest of it is the id of one store and tells nobody anything.
    known = plan.service.partition("/")[0] == plan.provider
    place = "" if known else f" ({clean(plan.service)})"
    environment = f", environment {clean(plan.environment)}," if plan.environment else ""
    against = f", {clean(plan.against)}" if plan.against else ""
    return f"project {clean(plan.project)}{environment} on {clean(plan.provider)}{place}{against}"


def _section(title: str, kept: Sequence[Keep], style: Style, width: int) -> str:
    return "\n".join([title, *(line for keep in kept for line in _keep(keep, style, width))]) if kept else ""


def _keep(keep: Keep, style: Style, width: int) -> Iterator[str]:
    first, *rest = wrap(f"{clean(str(keep.address))}: {keep_sentence(keep)}", width, first="  ", rest="    ")
    yield style.bold(first)
    yield from map(style.bold, rest)
    for detail in (keep.model if keep.why is Why.MISSING else None, keep.detail):
        yield from wrap(clean(detail), width, first="    ", rest="    ") if detail else ()
    if keep.hint:
        yield from _hint(keep.hint, width)
    if is_running(keep) and "reconciler follow" not in keep.hint:
        yield f"    follow it with: reconciler follow {clean(keep.address.name)}"


def _hint(text: str, width: int) -> list[str]:
    return wrap(f"hint: {clean(text)}", width, first="    ", rest="          ")


def keep_sentence(keep: Keep) -> str:
    """Say in a few words why something stays as it is."""
    job = f"job {clean(keep.job)}" if keep.job else "a job"
    match keep.why:
        case Why.READY:
            return "as the specs ask"
        case Why.TRAINING:
            return f"{job} is {_status(keep.status)}"
        case Why.BUSY:
            return f"waits for {job}, which is {_status(keep.status)}"
        case Why.FAILED:
            return f"{job} failed"
        case Why.CANCELLED:
            return f"{job} was cancelled"
        case Why.MISSING:
            return f"the model that {job} made is missing"
        case Why.SUSPENDED:
            return f"{job} is {_status(keep.status)}" if keep.job else "no job"
        case Why.ORPHAN:
            return "no spec names it"
        case _:
            assert_never(keep.why)


def _status(status: JobStatus | None) -> str:
    if status is None:
        return "active"
    return clean(str(status)) if status.is_known else f'"{clean(str(status))}"'


def _orphans(kept: Sequence[Keep], style: Style, width: int) -> str:
    if not kept:
        return ""
    groups = [(clean(str(address)), list(group)) for address, group in groupby(kept, lambda keep: keep.address)]
    shown, folded = groups[:_ORPHANS_SHOWN], groups[_ORPHANS_SHOWN:]
    column = max(width_of(address) for address, _ in shown)
    lines = [f"  {pad(address, column)}  {_versions(group)}".rstrip() for address, group in shown]
    if folded:
        lines.append(f"  … and {len(folded)} more; --json lists them all")
    hints = dict.fromkeys(keep.hint for keep in kept if keep.hint)
    # A hint that all of them share is worth its line once; different ones would bury the list.
    lines += _hint(next(iter(hints)), width) if len(hints) == 1 else []
    return "\n".join([style.dim("Named by no spec, and kept:"), *lines])


def _versions(group: Sequence[Keep]) -> str:
    if len(group) > 1:
        return count_text(len(group), "version")
    (keep,) = group
    facts = (keep.detail,) if keep.detail else (keep.job or "", str(keep.status or ""), keep.model or "")
    return ", ".join(clean(fact) for fact in facts if fact)
