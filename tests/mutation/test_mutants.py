"""Every mutant applies to the code as it stands; `python -m tests.mutation` runs the tests against each."""

import ast

import pytest

from tests.mutation.mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_applies_and_is_valid_python(mutant: Mutant) -> None:
    path, text = mutant.mutate()
    assert text != path.read_text(encoding="utf-8")
    ast.parse(text)


def test_every_mutant_has_a_name_of_its_own() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)


def test_a_rule_that_has_moved_is_named() -> None:
    moved = Mutant("moved", "tests/mutation/mutants.py::no_such_function", "x", "y", ())
    twice = Mutant("twice", "tests/mutation/mutants.py::_names_of", r"return", "yield", ())
    for mutant, words in ((moved, "there is no"), (twice, "matches 4 times")):
        with pytest.raises(LookupError, match=words):
            mutant.mutate()
