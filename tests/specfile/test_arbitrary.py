"""Spec files with arbitrary bytes give specs, or problems with their places."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.domain.errors import InputError, Place, Problem
from tests.specfile.test_mistakes import DATASETS, MODELS, PROJECT
from tests.specfile.trees import specs_of

PIECES = st.sampled_from(
    [
        *("\n", "\r\n", "\r", "\t", "  ", "- ", ": ", "? ", "[", "]", "{", "}", ", ", "'", '"', "#", "|", ">", "\\"),
        *(
            "---\n",
            "...\n",
            "&a ",
            "*a",
            "!!str ",
            "<<: ",
            "%",
            "@",
            "`",
            "\ufeff",
            "\u2028",
            "\x00",
            "é",
            "𝄞",
            "\\x00",
        ),
        *("kind: ", "Model", "Dataset", "Project", "name: ", "a", "base: ", "source: ", "training: ", "prompt: "),
        *("{a}", "}}", "messages: ", "role: ", "extra: ", "labels: ", "seed: ", "token: "),
        *(".inf", "1e400", "3.10", "0x1", "~", "null", "true"),
    ]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)


def problems_with(tmp_path: Path, raw: bytes) -> tuple[Problem, ...]:
    try:
        specs_of(tmp_path, {"s.yaml": raw})
    except InputError as error:
        return error.problems or (Problem(where=Place(file="s.yaml"), what=""),)
    return ()


def holds(tmp_path: Path, raw: bytes) -> None:
    """Read a file; every mistake has to be a problem with a text that can be shown and a place that exists."""
    lines = raw.count(b"\n") + raw.count(b"\r") + 2
    for problem in problems_with(tmp_path, raw):
        assert str(problem).encode()
        assert problem.what
        assert problem.hint
        assert problem.rule
        assert 0 <= problem.where.line <= lines
        assert problem.where.column <= len(raw) + 1


@quick
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf")
def test_any_bytes(tmp_path: Path, raw: bytes) -> None:
    holds(tmp_path, raw)


@quick
@given(TEXTS)
def test_any_pieces_of_yaml(tmp_path: Path, text: str) -> None:
    holds(tmp_path, text.encode("utf-8", "surrogatepass"))


@quick
@given(st.sampled_from([DATASETS, MODELS, PROJECT]), st.integers(0, 900), st.integers(0, 30), TEXTS)
def test_any_edit_of_a_spec(tmp_path: Path, text: str, at: int, removed: int, added: str) -> None:
    holds(tmp_path, (text[:at] + added + text[at + removed :]).encode())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("name", "description", "labels", "apiVersion", "provider", "defaults", "policy"),
        *("source", "format", "sheet", "prompt", "completion", "system", "messages", "split"),
        *(
            "base",
            "training",
            "validation",
            "method",
            "hyperparameters",
            "suffix",
            "seed",
            "extra",
            "on_change",
            "retries",
        ),
    ]
)


@quick
@given(st.sampled_from(["Model", "Dataset", "Project"]), st.dictionaries(FIELDS, VALUES, max_size=8))
def test_any_value_in_any_field(tmp_path: Path, kind: str, fields: dict[str, object]) -> None:
    holds(tmp_path, json.dumps({"kind": kind, **fields}).replace("\x7f", "").encode())


@pytest.mark.parametrize("value", ["null", "{}", "[]", "[[]]", "{a: {b: []}}", "''", "0", "true", "[null]", "[{}]"])
def test_any_small_value_in_every_field(tmp_path: Path, value: str) -> None:
    fields = ("name", "source", "messages", "split", "labels", "extra", "hyperparameters", "defaults", "policy", "kind")
    for kind in ("Model", "Dataset", "Project"):
        for field in fields:
            holds(
                tmp_path, f"kind: {kind}\n{field}: {value}\n".encode() if field != "kind" else f"kind: {value}".encode()
            )
