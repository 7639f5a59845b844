"""What a plan does and why, a card a step, and what it leaves as it is."""

from collections.abc import Iterator, Mapping

from reconciler.domain.identity import Address
from reconciler.domain.observed import ModelId
from reconciler.domain.plan import Keep, Plan, Step, Why
from reconciler.render.html.builder import Html, Inside, collapse, element, html_table, join
from reconciler.render.steps import step_symbol
from reconciler.render.terminal.fields import StepField
from reconciler.render.terminal.kept import is_running, is_suspended, keep_sentence, needs_decision
from reconciler.render.terminal.plan import step_fields, step_header
from reconciler.render.units import count_text

MOST_STEPS = 500
"""Steps that have a card; the others are counted."""

MOST_KEPT = 1000
"""Lines in one list of what stays."""

_OPEN_STEPS = 20
_LOOKS = {"+": "good", "+/-": "warn", "~": "warn", "-": "bad"}


def steps_html(plan: Plan, previous: Mapping[Address, ModelId]) -> Html:
    """Return the steps in the order of the plan; `previous` names the models that answer now."""
    is_open = len(plan.steps) <= _OPEN_STEPS
    cards = [_card(step, previous, is_open) for step in plan.steps[:MOST_STEPS]]
    return join(*cards, *_more(len(plan.steps) - MOST_STEPS, "step"))


def kept_html(plan: Plan) -> Html:
    """Return what stays: first what runs or waits for a decision, last what is as it should be."""
    ready = [keep for keep in plan.kept if keep.why is Why.READY]
    groups = (
        ("Held, until you decide", [keep for keep in plan.kept if needs_decision(keep)], True),
        ("Still running", [keep for keep in plan.kept if is_running(keep)], True),
        ("Suspended by their specs", [keep for keep in plan.kept if is_suspended(keep)], True),
        ("Named by no spec, and kept", [keep for keep in plan.kept if keep.why is Why.ORPHAN], False),
        ("Unchanged", ready, False),
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
        class_=f"card {_LOOKS[symbol]}",
    )


def _values(field: StepField) -> Html:
    remark = [" ", element("strong", field.remark.removeprefix("# "))] if field.remark else []
    if len(field.values) == 1:
        return join(field.values[0], *remark)
    before, *after = field.values
    return join(element("del", before), " → ", element("ins", " → ".join(after)), *remark)


def _kept_group(title: str, kept: list[Keep], is_open: bool) -> Html:
    rows: list[tuple[Inside, ...]] = [
        (str(keep.address), join(*_sayings(keep), between=" ")) for keep in kept[:MOST_KEPT]
    ]
    listed = html_table(title, ("what", "why it stays"), rows, "quiet")
    return collapse(f"{title} ({len(kept):,})", listed, *_more(len(kept) - MOST_KEPT, "thing"), is_open=is_open)


def _sayings(keep: Keep) -> Iterator[Inside]:
    yield f"{keep_sentence(keep)}."
    if keep.model:
        yield element("code", keep.model)
    if keep.detail:
        yield element("span", keep.detail, class_="dim")
    if keep.hint:
        yield element("span", f"hint: {keep.hint}")


def _more(number: int, noun: str) -> list[Html]:
    return [element("p", f"… and {count_text(number, f'more {noun}')}", class_="dim")] if number > 0 else []
