"""No step or conversion changes the number of rows, or leaves out a key, without a finding: rows of every form."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.dataset import RowReport
from reconciler.dataset.recognise import RowForm, recognise_row, recognise_rows, write_step
from reconciler.domain import prepare as domain
from reconciler.domain.errors import InputError, Problem
from reconciler.domain.prepare import (
    ChoosePair,
    Convert,
    DropEmptyTurns,
    DropTurnKeys,
    Form,
    MendCalls,
    MendImages,
    Operation,
    PairLabels,
    PlaceImages,
    TurnWeight,
)

from .factories import stream_steps

Row = dict[str, Any]
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
KEYS = st.sampled_from(
    [
        *("id", "source", "note", "images", "loss", "loss_weight", "mask", "label", "kto_tag", "rejected", "chosen"),
        *("tools", "context", "system", "history", "train", "audio", "score", "category", "input"),
    ]
)
VALUES = st.one_of(st.booleans(), st.integers(0, 9), WORDS, st.lists(WORDS, min_size=1, max_size=2), st.none())
MORE = st.dictionaries(KEYS, VALUES, max_size=3)
TURN_MORE = st.dictionaries(st.sampled_from(["loss", "train", "name", "note", "mask", "weight"]), VALUES, max_size=2)


def turns(names: tuple[str, str], roles: tuple[str, str]) -> st.SearchStrategy[list[Row]]:
    def make(asked: str, answer: str, more: Row, other: Row) -> list[Row]:
        return [{**other, names[0]: roles[0], names[1]: asked}, {**more, names[0]: roles[1], names[1]: answer}]

    return st.builds(make, WORDS, WORDS, TURN_MORE, TURN_MORE)


def rows(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Row]:
    return st.builds(lambda more, row: {**more, **row}, MORE, st.fixed_dictionaries(keys))


PARTS = st.builds(
    lambda text, more: [{**more, "text": text}], WORDS, st.dictionaries(st.just("thought"), st.booleans())
)
CHAT = turns(("role", "content"), ("user", "assistant"))


def exchange(key: str, answerer: str) -> st.SearchStrategy[list[Row]]:
    return st.builds(lambda a, b: [{"role": "user", key: a}, {"role": answerer, key: b}], PARTS, PARTS)


FORMS: dict[Form, st.SearchStrategy[Row]] = {
    Form.CHAT: rows(messages=turns(("role", "value"), ("human", "bot"))),
    Form.SHAREGPT: rows(conversations=turns(("from", "value"), ("human", "gpt"))),
    Form.ALPACA: rows(instruction=WORDS, output=WORDS),
    Form.COHERE: rows(
        chat_history=turns(("role", "message"), ("USER", "CHATBOT")), message=WORDS, response=WORDS, preamble=WORDS
    ),
    Form.DOLLY: rows(instruction=WORDS, response=WORDS),
    Form.PROMPT_COMPLETION: rows(prompt=WORDS, completion=WORDS),
    Form.PREFERENCE: rows(prompt=WORDS, chosen=WORDS, rejected=WORDS),
    Form.ANTHROPIC: rows(messages=CHAT),
    Form.BEDROCK: rows(
        messages=st.builds(
            lambda a, b: [{"role": "user", "content": a}, {"role": "assistant", "content": b}], PARTS, PARTS
        )
    ),
    Form.VERTEX: rows(
        contents=st.builds(lambda a, b: [{"role": "user", "parts": a}, {"role": "model", "parts": b}], PARTS, PARTS)
    ),
}


def run(given_rows: list[Row], *steps: Operation) -> tuple[list[object], tuple[Problem, ...]]:
    report = RowReport(shown=1000)
    left = list(stream_steps(given_rows, *steps, report=report))
    try:
        report.raise_errors()
    except InputError as error:
        return left, error.problems
    return left, report.warnings


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text, number and truth in a value, as text, with its path without positions."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    elif value is not None:
        yield path, str(value)


@pytest.mark.parametrize("form", list(Form), ids=str)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_conversion_names_every_key_that_it_leaves_out(form: Form, data: st.DataObject) -> None:
    """What a row holds is in the converted row, or its key is named in a finding."""
    row = data.draw(FORMS[form])
    left, found = run([row], Convert(source=form))
    said = " ".join(f"{each.path} {each.what}" for each in found)
    if not left:
        assert found
        return
    kept = " ".join(text for _, text in leaves(left[0]))
    for path, text in leaves(row):
        around, named = path, False
        while around and not named:
            named = f"`{around}`" in said
            around = around.removesuffix("[]") if around.endswith("[]") else around.rpartition(".")[0]
        assert named or text in IMPLIED or text in kept, (path, row, left, said)


COUNTED = {
    *(
        "prepare.dropped",
        "prepare.none-left",
        "prepare.convert",
        "prepare.unknown-column",
        "prepare.stopped",
        "prepare.taken-column",
    ),
}
"""Rules of the findings that say how many rows a step takes out."""

IMPLIED = {"user", "assistant", "USER", "CHATBOT", "human", "bot", "gpt", "model", "text", ""}
"""Words of roles and of types, which become the API's."""

COMPARED = rows(winner=st.sampled_from("abc"), a=WORDS, b=WORDS)
LABELED = rows(prompt=WORDS, completion=WORDS, label=st.booleans())
NOTES = rows(note=st.one_of(WORDS, st.sampled_from(["", " x ", "Xy"])), id=WORDS)
TURNS = rows(messages=CHAT)
STEPS: list[tuple[Operation, st.SearchStrategy[Row]]] = [
    (domain.Rename((("note", "kept"),)), NOTES),
    (domain.Rename((("note", "id"),)), NOTES),
    (domain.DropColumns(("note",)), NOTES),
    (domain.KeepColumns(("note",)), NOTES),
    (domain.SetColumns((("system", "short"),)), NOTES),
    (domain.FillTemplate((("note", "{id}: {note}"),)), NOTES),
    (domain.LowerCase(("note",)), NOTES),
    (domain.Strip(("note",)), NOTES),
    (domain.AddPrefix("note", "x"), NOTES),
    (domain.AddSuffix("note", "x"), NOTES),
    (domain.RemovePrefix("note", "X"), NOTES),
    (domain.RemoveSuffix("note", "y"), NOTES),
    (domain.EnsureLeadingSpace(("note",)), NOTES),
    (domain.DropEmpty(("note",)), NOTES),
    (domain.DropEmpty(), NOTES),
    (domain.Deduplicate(), NOTES),
    (domain.Deduplicate(("note",)), NOTES),
    (domain.DropLong(characters=9), NOTES),
    (domain.Filter(column="note", equals="x"), NOTES),
    (domain.Sample(rows=2), NOTES),
    (domain.Sample(share=0.5), NOTES),
    (domain.Limit(2), NOTES),
    (domain.JoinMessages(), TURNS),
    (DropEmptyTurns(("user",)), TURNS),
    (DropTurnKeys(("loss",)), TURNS),
    (TurnWeight(key="loss"), TURNS),
    (MendCalls(), TURNS),
    (MendImages(), TURNS),
    (PlaceImages("images"), TURNS),
    (ChoosePair(column="winner", first="a", second="b"), COMPARED),
    (PairLabels(column="label", desired=("true",)), LABELED),
    *((Convert(source=form), FORMS[form]) for form in Form),
    *((Convert(source=form, target=domain.Target.COMPLETION), FORMS[form]) for form in (Form.CHAT, Form.ALPACA)),
]
IDS = [f"{at}-{write_step(step)}" for at, (step, _) in enumerate(STEPS)]


def test_every_step_and_every_form_is_among_those_that_are_tried() -> None:
    assert {type(step) for step, _ in STEPS} == set(get_args(domain.Operation))
    assert {step.source for step, _ in STEPS if isinstance(step, Convert)} == set(Form)


EDITS_TEXT = (
    *(domain.LowerCase, domain.Strip, domain.RemovePrefix, domain.RemoveSuffix, domain.FillTemplate),
    *(TurnWeight, MendCalls, PairLabels, ChoosePair),
)
"""Steps that are there to change a text or a truth, and are held by tests of their own."""


@pytest.mark.parametrize(
    ("step", "strategy"), [each for each in STEPS if not isinstance(each[0], EDITS_TEXT)],
    ids=[name for name, each in zip(IDS, STEPS, strict=True) if not isinstance(each[0], EDITS_TEXT)],
)  # fmt: skip
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_step_names_every_key_that_it_leaves_out(
    step: Operation, strategy: st.SearchStrategy[Row], data: st.DataObject
) -> None:
    """What a row holds is in the row afterwards, or its key is named: in a finding, or by the author in the step."""
    row = data.draw(strategy)
    left, found = run([row], step)
    if not left:
        assert found
        return
    assert_named(row, left[0], (step,), found)


def assert_named(row: Row, left: object, steps: Sequence[Operation], found: Sequence[Problem]) -> None:
    named = " ".join([*map(write_step, steps), *(f"{each.path} {each.what}" for each in found)])
    kept = " ".join(text for _, text in leaves(left))
    for path, text in leaves(row):
        keys = set(re.findall(r"[a-z_]+", path)) - {"messages", "conversations", "contents"}
        is_named = f"`{path.partition('[')[0]}`" in named or any(re.search(rf"\b{key}\b", named) for key in keys)
        assert text in kept or text in IMPLIED or is_named, (path, left)


ASKED: Row = {"messages": [{"role": "user", "content": "q"}]}
TOLD: Row = {"messages": [*ASKED["messages"], {"role": "assistant", "content": "a"}]}
CALL = {"name": "f", "arguments": {"x": 1}}
ROW_FORMS: dict[RowForm, Row] = {
    RowForm.CHAT: TOLD,
    RowForm.COMPLETION: {"prompt": "q", "completion": "a"},
    RowForm.PREFERENCE: {"input": ASKED, "preferred_output": [], "non_preferred_output": []},
    RowForm.REINFORCEMENT: {**ASKED, "answer": "a"},
    RowForm.QUESTIONS: ASKED,
    RowForm.PAIRS: {"prompt": "q", "chosen": "good", "rejected": "bad"},
    RowForm.COMPARED: {"prompt": "q", "response_a": "x", "response_b": "y", "winner": "a"},
    RowForm.LABELED: {"prompt": "q", "completion": "a", "label": True},
    RowForm.IMAGES: {"messages": [{"role": "user", "content": "<image>q"}, TOLD["messages"][1]], "images": ["a.png"]},
    RowForm.WEIGHTED: {"messages": [TOLD["messages"][0], {**TOLD["messages"][1], "loss": False}]},
    RowForm.CALLS: {"messages": [TOLD["messages"][0], {"role": "assistant", "content": "", "tool_calls": [CALL]}]},
    RowForm.CHAT_WORDS: {"messages": [{"role": "human", "content": "q"}, {"role": "bot", "content": "a"}]},
    RowForm.ANTHROPIC: {**TOLD, "system": [{"type": "text", "text": "s"}]},
    RowForm.BEDROCK: {"messages": [{**turn, "content": [{"text": turn["content"]}]} for turn in TOLD["messages"]]},
    RowForm.SHAREGPT: {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
    RowForm.VERTEX: {"contents": [{"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": []}]},
    RowForm.COHERE: {"chat_history": [{"role": "USER", "message": "q"}], "message": "m"},
    RowForm.OASST: {"message_id": "1", "parent_id": None, "text": "t", "role": "prompter"},
    RowForm.OASST_TREE: {"prompt": {"text": "t", "role": "prompter", "replies": []}},
    RowForm.ALPACA: {"instruction": "q", "output": "a"},
    RowForm.DOLLY: {"instruction": "q", "context": "c", "response": "a"},
    RowForm.CONTEXT: {"question": "q", "context": "c", "answer": "a"},
    RowForm.TURN_PAIRS: {"prompt": TOLD["messages"][:1], "completion": TOLD["messages"][1:]},
    RowForm.JUDGED: {"question": "q", "answer": "a", "rating": "5"},
    RowForm.TABLE: {"question": "q", "answer": "a"},
    RowForm.TEXT: {"text": "t"},
}


def test_keep_columns_names_what_no_template_before_it_has_read() -> None:
    row: Row = {"question": "Why?", "answer": "So.", "note": "n"}
    filled = domain.FillTemplate((("prompt", "{question}"), ("completion", "{answer}")))

    _, found = run([row], filled, domain.KeepColumns(("prompt", "completion")))

    assert [each.what for each in found] == ["`note` left out, in up to 1 of 1 rows"]


def test_every_form_of_the_recogniser_is_among_those_that_are_tried() -> None:
    assert {form: recognise_row(row) for form, row in ROW_FORMS.items()} == {form: form for form in RowForm}


@pytest.mark.parametrize("form", list(RowForm), ids=[form.name for form in RowForm])
@given(more=MORE)
@settings(max_examples=40, deadline=None)
def test_the_steps_for_rows_of_a_form_name_every_key_that_they_leave_out(form: RowForm, more: Row) -> None:
    """The hint of the recogniser leaves nothing out by the way: it is named in a finding, a step or a template."""
    row = {**more, **ROW_FORMS[form]}
    advice = recognise_rows([row])
    assert advice
    assert advice.format or advice.hint
    left, found = run([row], *advice.steps)
    if not left:
        assert found
    elif not advice.mapping:
        assert_named(row, left[0], advice.steps, found)
    else:
        # The mapping that comes after the steps names what it leaves out: tests/dataset/test_mapping.py.
        assert_named(row, row if not advice.steps else left[0], advice.steps, found)


@pytest.mark.parametrize(("step", "strategy"), STEPS, ids=IDS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_no_step_changes_the_number_of_rows_without_a_finding(
    step: Operation, strategy: st.SearchStrategy[Row], data: st.DataObject
) -> None:
    given_rows = data.draw(st.lists(strategy, min_size=1, max_size=6))
    left, found = run(given_rows, step)
    rows_named = [each for each in found if each.rule in COUNTED]
    assert len(left) == len(given_rows) or rows_named
