"""The list of mutants speaks of the house as it stands; `python -m tests.mutation` tries them."""

import pytest

from tests.mutation.mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_rule_still_stands_where_it_is_said_to(mutant: Mutant) -> None:
    assert mutant.is_there()


def test_every_mutant_has_a_name_of_its_own() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
