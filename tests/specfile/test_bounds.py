"""Reading a file costs no more than its size allows; the parser in C gets no input that could harm it."""

import time

import pytest

from reconciler.specfile.yaml import YamlFile, read_yaml
from reconciler.specfile.yaml.composer import MAX_DEPTH, MAX_NODES
from reconciler.specfile.yaml.text import MAX_BYTES

DEEP = 100_000


def page(text: str) -> YamlFile:
    return read_yaml(text.encode(), "f.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "[" * DEEP,
        "a: " + "[" * DEEP,
        "{a: " * DEEP,
        "- " * DEEP,
        "? " * DEEP,
        "? - " * DEEP,
        "[{" * DEEP,
        "".join(f"{' ' * depth}a:\n" for depth in range(1_400)),
        "kind: " + "[" * DEEP + "]" * DEEP,
        "[\n" * DEEP,
    ],
    ids=lambda text: text[:6].strip(),
)
def test_nesting_beyond_the_bound_is_refused_at_once(text: str) -> None:
    before = time.process_time()
    problems = page(text).problems
    (problem,) = (problem for problem in problems if problem.rule == "yaml.too-deep")
    assert problem.where.line <= MAX_DEPTH + 1
    assert problem.where.column <= 4 * (MAX_DEPTH + 1)
    assert time.process_time() - before < 2


def test_nesting_up_to_the_bound_is_read() -> None:
    inner = MAX_DEPTH - 1
    assert not page("a: " + "[" * inner + "]" * inner).problems
    assert [problem.rule for problem in page("a: " + "[" * (inner + 1) + "]" * (inner + 1)).problems] == [
        "yaml.too-deep"
    ]


def test_a_document_that_is_too_deep_hides_no_other_document() -> None:
    found = page("a: " + "[" * DEEP + "\n---\nb: 1\n")
    assert [document.data for document in found.documents] == [{"b": 1}]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: " + "x" * MAX_BYTES, "yaml.too-large"),
        ("---\n" * 200_000, "yaml.too-large"),
        ("a: [" + "1," * (MAX_NODES + 1) + "]", "yaml.too-large"),
        ("\x01" * (MAX_BYTES - 1), "yaml.character"),
        ("%\n" * 500_000, "yaml.directive"),
        ("&a " * 100_000, "yaml.anchor"),
        ("- {[a]: b}\n" * 60_000, "yaml.key"),
        ("a: *x\nb: " + "*x " * 1_000, "yaml.alias"),
    ],
    ids=lambda text: text[:6].strip(),
)
def test_a_file_designed_to_be_slow_is_read_quickly(text: str, rule: str) -> None:
    before = time.process_time()
    assert rule in {problem.rule for problem in page(text).problems}
    assert time.process_time() - before < 8


def test_a_file_of_the_largest_size_is_read() -> None:
    text = "a: " + "x" * (MAX_BYTES - 3)
    assert len(page(text).documents) == 1
