"""The plan as one page: the verdict, the parts that have content, and the footer with the command to apply."""

from collections.abc import Iterator, Mapping

from reconciler.domain.errors import Problem, Severity
from reconciler.domain.identity import Address
from reconciler.domain.observed import ModelId
from reconciler.domain.plan import Keep, KeepReason, Plan, Refusal, Step
from reconciler.render.fields import StepField, step_fields
from reconciler.render.html.builder import Html, Inside, collapse, element, html_document, html_table, join, section
from reconciler.render.html.figures import DatasetFigures, cost_html, figures_html
from reconciler.render.html.rows import rows_html
from reconciler.render.plan_words import (
    is_running,
    is_suspended,
    keep_sentence,
    name_step,
    needs_decision,
    refusal_hints,
    step_header,
    step_symbol,
)
from reconciler.render.review.model import CONSEQUENCES, UNDONE, Review, StepResult, verdict_text
from reconciler.render.text import count_text

MOST_FINDINGS = 1000
"""Findings that are written out; the others are counted."""

MOST_STEPS = 500
"""Steps that have a card; the others are counted."""

MOST_KEPT = 1000
"""Lines in one list of kept things."""

_OPEN_FINDINGS = 20
_OPEN_STEPS = 20
_STEP_CLASSES = {"+": "good", "+/-": "warn", "~": "warn", "-": "bad"}
_FINDING_CLASSES = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.INFO: "dim"}

Part = tuple[str, str, Html]
"""The anchor of a part, its title and its content."""


def plan_html(review: Review, figures: Mapping[str, DatasetFigures] | None = None) -> str:
    """Return a review as one HTML page, ended by a newline.

    Shape:  shows every row that the plan has a sample of, up to a bound; `figures` by name of dataset
    """
    parts = _parts(review, figures or {})
    body = join(
        element("a", "Go to the review", href="#review", class_="skip"),
        element("header", *_head(review), _contents(parts)),
        element("main", *(section(anchor, title, inside) for anchor, title, inside in parts), id="review"),
        _foot(review),
    )
    return html_document(f"Plan: {verdict_text(review)}", body)


def _parts(review: Review, figures: Mapping[str, DatasetFigures]) -> list[Part]:
    plan = review.plan
    parts = [
        ("refused", "Refused", join(*map(_refusal, plan.refused))),
        ("results", "What the apply did", join(*map(_result, review.result.steps)) if review.result else Html("")),
        ("findings", "Warnings and findings", _findings(review)),
        ("changes", "Changes", steps_html(plan, review.previous)),
        ("rows", "Changed rows", rows_html(plan, samples=review.samples)),
        ("figures", "Datasets in figures", figures_html(figures, samples=review.samples)),
        ("cost", "Cost", cost_html(plan)),
        ("kept", "Kept", kept_html(plan)),
    ]
    return [part for part in parts if part[2]]


def _head(review: Review) -> list[Html]:
    plan = review.plan
    where = [f"project {plan.project}" if plan.project else "", f"on {plan.provider}" if plan.provider else ""]
    where += [f"environment {review.environment}" if review.environment else "", review.root]
    return [
        element("h1", "What this change does to the models"),
        element("p", verdict_text(review), class_="verdict"),
        element("p", ", ".join(filter(None, where)), class_="dim"),
    ]


def _contents(parts: list[Part]) -> Html:
    links = (element("li", element("a", title, href=f"#{anchor}")) for anchor, title, _ in parts)
    return element("nav", element("ul", *links), aria_label="Parts of this page")


def _refusal(refusal: Refusal) -> Html:
    hints = (element("p", f"hint: {hint}") for hint in refusal_hints(refusal))
    return element("div", element("h3", refusal.policy), element("p", refusal.what), *hints, class_="card bad")


def _result(result: StepResult) -> Html:
    rest = (element("p", text) for text in (result.message, f"hint: {result.hint}" if result.hint else "") if text)
    kind = "bad" if result.outcome in UNDONE - CONSEQUENCES else "warn" if result.outcome in CONSEQUENCES else ""
    name = f"{name_step(result.step)}: {result.outcome or 'not begun'}"
    return element("div", element("p", name), *rest, class_=f"card {kind}".strip())


def _findings(review: Review) -> Html:
    worst_first = sorted(review.problems, key=lambda each: tuple(Severity).index(each.severity))
    found = [_problem(each) for each in worst_first[:MOST_FINDINGS]]
    more = len(worst_first) - len(found) + review.unshown
    rest = [element("p", f"… and {count_text(more, 'more finding')}", class_="dim")] if more else []
    shown = [collapse(count_text(len(worst_first), "finding"), *found, *rest, is_open=len(found) <= _OPEN_FINDINGS)]
    warnings = (element("div", element("p", text), class_="card warn") for text in review.plan.warnings)
    notes = (element("p", text) for text in review.notes)
    return join(*warnings, *notes, *(shown if found or more else []))


def _problem(problem: Problem) -> Html:
    path = f"{problem.path}: " if problem.path else ""
    hint = [element("p", f"hint: {problem.hint}")] if problem.hint else []
    return element(
        "div",
        element("p", element("code", str(problem.where)), " ", element("span", problem.rule, class_="dim")),
        element("p", element("strong", problem.severity), f" {path}{problem.what}"),
        *hint,
        class_=f"card {_FINDING_CLASSES[problem.severity]}",
    )


def _foot(review: Review) -> Html:
    facts = {
        "commit": review.commit,
        "basis": review.basis,
        "planned at": review.time,
        "version": review.plan.basis.version,
    }
    lines = (element("p", f"{name}: ", element("code", value)) for name, value in facts.items() if value)
    apply = [element("p", "To apply exactly this: ", element("code", review.apply))] if review.apply else []
    return element("footer", *apply, *lines)


def steps_html(plan: Plan, previous: Mapping[Address, ModelId]) -> Html:
    """Return the steps in the order of the plan; `previous` names the serving models."""
    is_open = len(plan.steps) <= _OPEN_STEPS
    cards = [_card(step, previous, is_open) for step in plan.steps[:MOST_STEPS]]
    return join(*cards, *_more(len(plan.steps) - MOST_STEPS, "step"))


def kept_html(plan: Plan) -> Html:
    """Return what is kept: first what runs or waits for a decision, last what is unchanged."""
    groups = (
        ("Waiting for your decision", list(filter(needs_decision, plan.kept)), True),
        ("Still running", list(filter(is_running, plan.kept)), True),
        ("Suspended in the specs", list(filter(is_suspended, plan.kept)), True),
        ("Not in the specs (orphaned); kept", [keep for keep in plan.kept if keep.why is KeepReason.ORPHAN], False),
        ("Unchanged", [keep for keep in plan.kept if keep.why is KeepReason.READY], False),
    )
    return join(*(_kept_group(title, kept, is_open) for title, kept, is_open in groups if kept))


def _card(step: Step, previous: Mapping[Address, ModelId], is_open: bool) -> Html:
    symbol = step_symbol(step)
    header, *remarks = step_header(step)
    fields = step_fields(step, previous.get(step.action.address))
    rows: list[tuple[Inside, ...]] = [(element("code", field.name), _values(field)) for field in fields]
    shown = html_table(f"Fields of {header}", ("field", "value"), rows, "quiet") if rows else Html("")
    return element(
        "div",
        element("h3", element("span", symbol, class_="mark"), header),
        *(element("p", remark, class_="dim") for remark in remarks),
        collapse(count_text(len(rows), "field"), shown, is_open=is_open) if rows else Html(""),
        class_=f"card {_STEP_CLASSES[symbol]}",
    )


def _values(field: StepField) -> Html:
    remark = [" ", element("strong", field.remark.removeprefix("# "))] if field.remark else []
    if len(field.values) == 1:
        return join(field.values[0], *remark)
    before, *after = field.values
    return join(element("del", before), " → ", element("ins", " → ".join(after)), *remark)


def _kept_group(title: str, kept: list[Keep], is_open: bool) -> Html:
    rows: list[tuple[Inside, ...]] = [
        (str(keep.address), join(*_keep_facts(keep), between=" ")) for keep in kept[:MOST_KEPT]
    ]
    listed = html_table(title, ("what", "why it is kept"), rows, "quiet")
    return collapse(f"{title} ({len(kept):,})", listed, *_more(len(kept) - MOST_KEPT, "thing"), is_open=is_open)


def _keep_facts(keep: Keep) -> Iterator[Inside]:
    yield f"{keep_sentence(keep)}."
    if keep.model:
        yield element("code", keep.model)
    if keep.detail:
        yield element("span", keep.detail, class_="dim")
    if keep.hint:
        yield element("span", f"hint: {keep.hint}")


def _more(number: int, noun: str) -> list[Html]:
    return [element("p", f"… and {count_text(number, f'more {noun}')}", class_="dim")] if number > 0 else []
