"""No step or conversion changes the number of rows, or leaves out a key, without a finding: rows of every form."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.dataset import RowReport
from reconciler.domain.errors import InputError, Problem
from reconciler.domain.prepare import (
    ChoosePair,
    Convert,
    DropEmptyTurns,
    DropTurnKeys,
    Filter,
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


IMPLIED = {"user", "assistant", "human", "bot", "gpt", "model", ""}
"""Words of roles, which become the API's."""

COMPARED = rows(winner=st.sampled_from("abc"), a=WORDS, b=WORDS)
LABELED = rows(prompt=WORDS, completion=WORDS, label=st.booleans())
STEPS: list[tuple[str, Callable[[], Operation], st.SearchStrategy[Row]]] = [
    ("drop_empty_turns", lambda: DropEmptyTurns(("user",)), rows(messages=CHAT)),
    ("drop_turn_keys", lambda: DropTurnKeys(("loss",)), rows(messages=CHAT)),
    ("turn_weight", lambda: TurnWeight(key="loss"), rows(messages=CHAT)),
    ("mend_calls", MendCalls, rows(messages=CHAT)),
    ("mend_images", MendImages, rows(messages=CHAT)),
    ("place_images", lambda: PlaceImages("images"), rows(messages=CHAT)),
    ("choose_pair", lambda: ChoosePair(column="winner", first="a", second="b"), COMPARED),
    ("pair_labels", lambda: PairLabels(column="label", desired=("true",)), LABELED),
    ("filter", lambda: Filter(column="note", equals="x"), rows(note=WORDS)),
    *((str(form), lambda form=form: Convert(source=form), FORMS[form]) for form in Form),
]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "strategy"), [(step, rows) for _, step, rows in STEPS], ids=[name for name, *_ in STEPS]
)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_no_step_changes_the_number_of_rows_without_a_finding(
    step: Callable[[], Operation], strategy: st.SearchStrategy[Row], data: st.DataObject
) -> None:
    given_rows = data.draw(st.lists(strategy, min_size=1, max_size=6))
    left, found = run(given_rows, step())
    rows_named = [
        each for each in found if each.rule in {"prepare.dropped", "prepare.convert", "prepare.unknown-column"}
    ]
    assert len(left) == len(given_rows) or rows_named
