"""What `tfidf-logreg` refuses: rows that it cannot learn, and weights that it must not trust."""

import json
from pathlib import Path

import numpy as np
import pytest

from reconciler.service.engines import DataError
from reconciler.service.engines.tfidf_logreg import ENGINE
from tests.service.service_fixtures import Json, chat, jsonl
from tests.service.training_rows import chat_rows, messages, train


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([chat(f"question {number}", f"a reply of its own {number}") for number in range(20)], "20 different answers"),
        (
            [chat(f"question {number}", f"reply {number // 2}") for number in range(19)],
            "10 different answers in 19 rows",
        ),
        ([chat(f"question {number}", "yes") for number in range(20)], "every row has the same answer"),
        ([chat("?!", "yes" if number % 2 else "no") for number in range(20)], "no row has a word"),
    ],
)
def test_an_open_set_of_answers_is_refused(tmp_path: Path, rows: list[Json], says: str) -> None:
    with pytest.raises(DataError) as refused:
        train(tmp_path, jsonl(rows))

    assert (refused.value.code, refused.value.param) == ("invalid_training_file", "training_file")
    assert says in str(refused.value)
    assert "learns a closed set of answers" in str(refused.value)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            {
                "messages": [
                    {"role": "user", "content": "x"},
                    {
                        "role": "assistant",
                        "tool_calls": [
                            {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                        ],
                    },
                ],
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
            },
            "tool calls",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://e.test/a.png"}}]},
                    {"role": "assistant", "content": "a cat"},
                ]
            },
            "images",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "x"}]},
                    {"role": "assistant", "content": "y"},
                ]
            },
            "a string only",
        ),
        (
            {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", "weight": 0}]},
            "weight",
        ),
    ],
)
def test_rows_that_hold_more_than_text_are_refused_with_their_line(tmp_path: Path, row: Json, says: str) -> None:
    with pytest.raises(DataError, match="line 31: ") as refused:
        train(tmp_path, chat_rows(messages(10, seed=1)) + jsonl([row]))

    assert refused.value.code == "invalid_training_file"
    assert says in str(refused.value)


def test_weights_that_hold_code_are_not_run(tmp_path: Path) -> None:
    """A store may come from elsewhere; weights that are not numbers and JSON are refused."""
    train(tmp_path, chat_rows(messages(10, seed=1)), n_epochs=1)
    folder = tmp_path / "out" / "step-30"
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "weights.npz"]
    with np.load(folder / "weights.npz", allow_pickle=False) as numbers:
        kept = dict(numbers)
    kept["weights"] = np.array([{"not": "numbers"}], dtype=object)
    np.savez(folder / "weights.npz", **kept)

    with pytest.raises(ValueError, match="pickle"):
        ENGINE.load(folder)


def test_weights_of_another_form_are_refused(tmp_path: Path) -> None:
    train(tmp_path, chat_rows(messages(10, seed=1)), n_epochs=1)
    path = tmp_path / "out" / "step-30" / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))

    with pytest.raises(ValueError, match="format 99"):
        ENGINE.load(path.parent)
