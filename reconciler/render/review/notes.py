"""What a reviewer should know beside the changes: refusals, warnings, what is held or runs, what no spec names."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from reconciler.domain.errors import Problem, Severity
from reconciler.domain.plan import Cancel, Keep, Plan, Refusal, Train, Why
from reconciler.render.review.model import Review
from reconciler.render.review.parts import Block, text_block
from reconciler.render.review.words import bullets, code, collapse, grouped_count, list_names, sentence
from reconciler.render.terminal.cost import cost_text
from reconciler.render.terminal.kept import is_running, keep_sentence, needs_decision

_CENT = Decimal("0.01")


def refused_blocks(review: Review) -> Iterator[Block]:
    """Yield what was refused, why, and the way on."""
    if review.plan.refused:
        lines = tuple(map(_refusal, review.plan.refused))
        yield Block(lines=lines, around=_under_title("#### Refused: nothing of this will be applied"), rest="refusals")


def problem_blocks(review: Review) -> Iterator[Block]:
    """Yield the errors of specs and rows; what one rule says of many places is one line."""
    errors = [each for each in review.problems if each.severity is Severity.ERROR]
    if errors:
        more = [f"and {grouped_count(review.unshown, 'error')} more"] if review.unshown else []
        yield Block(lines=(*_group_problems(errors), *more), around=_under_title("#### Errors"), rest="errors")


def warning_blocks(review: Review) -> Iterator[Block]:
    """Yield what stops nothing and should be known."""
    notes = [each for each in review.problems if each.severity is not Severity.ERROR]
    lines = (
        *map(sentence, review.plan.warnings),
        *_cancelled_jobs(review.plan),
        *_group_problems(each for each in notes if each.severity is Severity.WARNING),
        *map(sentence, review.notes),
    )
    if lines:
        yield Block(lines=lines, around=_under_title("#### Warnings"), rest="warnings")
    good_to_know = tuple(_group_problems(each for each in notes if each.severity is Severity.INFO))
    if good_to_know:
        summary = grouped_count(len(good_to_know), "note")
        yield Block(lines=good_to_know, around=collapse(summary, bullets), rest="notes")


def cost_blocks(review: Review) -> Iterator[Block]:
    """Yield what all jobs cost together, and where the prices are from."""
    if review.plan.trains:
        cost = review.plan.cost
        dated = f"{cost.source}, {cost.dated}" if cost.source and cost.dated and not cost.is_free else cost.source
        why = "; ".join(filter(None, [cost.unknown, dated]))
        yield text_block(f"**Cost:** {sentence(cost_text(cost))}" + (f" ({sentence(why)})" if why else ""))


def kept_blocks(review: Review) -> Iterator[Block]:
    """Yield what waits, what is suspended, and, as counts that open, what is as it should be and what is left over."""
    kept = review.plan.kept
    open_ends = tuple(map(_keep, filter(needs_decision, kept)))
    open_ends += tuple(map(_keep, filter(is_running, kept)))
    open_ends += tuple(_keep(each) for each in kept if each.why is Why.SUSPENDED)
    if open_ends:
        yield Block(lines=open_ends, around=_under_title("#### Waiting"), rest="that wait")
    yield from _collapsed_list([each for each in kept if each.why is Why.READY], "unchanged", "that are unchanged")
    orphans = [each for each in kept if each.why is Why.ORPHAN]
    yield from _collapsed_list(orphans, "named by no spec, and kept", "that no spec names")


def _collapsed_list(kept: Sequence[Keep], words: str, rest: str) -> Iterator[Block]:
    if kept:
        lines = tuple(f"{code(str(each.address))} {_facts(each)}".rstrip() for each in kept)
        yield Block(lines=lines, around=collapse(f"{len(kept):,} {words}", bullets), rest=rest)


def _under_title(title: str) -> Callable[[Sequence[str]], str]:
    return lambda lines: f"{title}\n\n{bullets(lines)}"


def _refusal(refusal: Refusal) -> str:
    hints = [refusal.hint] if refusal.hint else []
    if refusal.guard and refusal.guard not in refusal.hint:
        hints.append(f"to go on all the same, add --allow {refusal.guard}")
    return f"**{sentence(refusal.policy)}**: {sentence(refusal.what)}" + "".join(
        f"<br>{sentence(hint)}" for hint in hints
    )


def _group_problems(problems: Iterable[Problem]) -> Iterator[str]:
    groups: dict[tuple[str, str, str], list[Problem]] = {}
    for each in problems:
        groups.setdefault((each.rule, each.what, each.path), []).append(each)
    for (rule, what, path), alike in groups.items():
        places = list_names(list(dict.fromkeys(str(each.where) for each in alike)))
        field = f"{code(path)}: " if path else ""
        hint = f"<br>{sentence(alike[0].hint)}" if alike[0].hint else ""
        count = f" ({len(alike):,} times)" if len(alike) > 1 else ""
        yield f"{places} {field}{sentence(what)}{count}{f' ({code(rule)})' if rule else ''}{hint}"


def _cancelled_jobs(plan: Plan) -> Iterator[str]:
    """Yield what it means to cancel a job that is under way: what it has cost so far is paid."""
    for step in plan.steps:
        if isinstance(step.action, Cancel) and step.action.job.status.is_active:
            job = step.action.job
            trained = job.trained_tokens
            paid = "the service does not say what it has cost so far"
            if trained:
                price = _price_of_tokens(plan, step.action, trained)
                paid = f"it has trained {trained:,} tokens so far{price}, which stay paid"
            yield f"{code(str(step.action.address))}: job {code(job.id)} is under way and will be cancelled; {paid}"


def _price_of_tokens(plan: Plan, cancel: Cancel, trained: int) -> str:
    """Return the price of tokens, as the job that follows on the same base pays it; empty where nobody knows."""
    for step in plan.steps:
        if not isinstance(step.action, Train) or step.action.address != cancel.address or not step.estimate:
            continue
        estimate = step.estimate
        paid = estimate.tokens.expected * (estimate.epochs or 0)
        if paid and estimate.cost.expected and step.action.model.recipe.base == cancel.job.base:
            worth = (estimate.cost.expected * trained / paid).quantize(_CENT, rounding=ROUND_HALF_UP)
            return f", about {worth:,} USD"
    return ""


def _keep(keep: Keep) -> str:
    more = "".join(f"<br>{sentence(each)}" for each in (keep.detail, keep.hint) if each)
    return f"{code(str(keep.address))}: {sentence(keep_sentence(keep))}{more}"


def _facts(keep: Keep) -> str:
    facts = [each for each in (keep.model, keep.job) if each][:1]
    return " ".join([*map(code, facts), *([sentence(keep.detail)] if keep.detail else [])])
