"""A share of the cases; `python -m tests.network` goes through all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network import cases
from tests.network.environment import Field, open_field
from tests.network.proxy import Mishap

pytestmark = pytest.mark.loopback


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    root: Path = tmp_path_factory.mktemp("roads")
    with open_field(root) as opened:
        yield opened


def test_the_cases_go_through_every_request(field: Field) -> None:
    cases.undisturbed(field)


@pytest.mark.parametrize(("number", "after"), [(cases.CREATE, False), (cases.CREATE, True)])
def test_killed_at_a_request_and_run_again_there_is_one_job(field: Field, number: int, after: bool) -> None:
    cases.killed(field, number, after=after)


@pytest.mark.parametrize("mishap", [Mishap.UNANSWERED, Mishap.REPEATED])
def test_whatever_becomes_of_the_create_it_is_sent_once(field: Field, mishap: Mishap) -> None:
    cases.met(field, cases.CREATE, mishap)


@pytest.mark.parametrize("seed", range(2))
def test_two_applies_at_once_give_one_job(field: Field, seed: int) -> None:
    cases.together(field, seed)
