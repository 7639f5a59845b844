"""What is masked where rows are shown: each value alone, whatever the name of its column is."""

import json

import pytest

from reconciler.dataset.sensitive import mask_problem, mask_row
from reconciler.domain.errors import Place, Problem
from reconciler.domain.stats import RowShown

CARD = "4242424242424242"


def shown(text: str) -> object:
    return json.loads(mask_row(RowShown(number=1, file="rows.jsonl", line=1, text=text)).text)


@pytest.mark.parametrize("name", ["id", "ID", "order", "order_number", "ticket", "ref", "q", "isbn"])
@pytest.mark.parametrize("card", [CARD, int(CARD), "4242 4242 4242 4242", [CARD], {"id": CARD}])
def test_a_card_is_masked_in_a_column_of_any_name(name: str, card: object) -> None:
    text = json.dumps(shown(json.dumps({"a": 1, name: card, "b": 2.50})))
    assert "4242" not in text
    assert "a payment card …42" in json.loads(f'"{text.replace(chr(34), chr(39))}"')


def test_a_key_of_a_row_is_masked_too() -> None:
    assert shown(json.dumps({CARD: "a"})) == {"[a payment card …42]": "a"}


@pytest.mark.parametrize("name", ["password", "api_key"])
def test_the_name_of_a_column_may_say_that_its_value_is_a_secret(name: str) -> None:
    assert "hjWv" not in str(shown(json.dumps({name: "kQ9-hjWv.bnTzy2"}, ensure_ascii=False)))


@pytest.mark.parametrize(
    "row", [{"phone": "+49 30 901820"}, {"phone": 49309018201}, {"a": [1e400, -0.0, "x"], "": None}]
)
def test_a_row_stays_json(row: object) -> None:
    shown(json.dumps(row).replace("Infinity", "1e400"))


def test_what_is_not_masked_is_as_it_was() -> None:
    text = '{"id": 12345678901234567890, "a\\u00e9": "b\\"c\\\\", "n": [1.50, -2E+3, true, null], "é": {"x:y": "z: 1"}}'
    assert mask_row(RowShown(number=1, file="a", line=1, text=text)).text == text


def test_a_quoted_value_of_a_message_is_masked_by_itself() -> None:
    problem = Problem(where=Place(file="a"), what=f"the id `{CARD}` is twice", rule="rows.id", hint=f"order `{CARD}`")
    masked = mask_problem(problem)
    assert (masked.what, masked.hint) == ("the id `[a payment card …42]` is twice", "order `[a payment card …42]`")
