"""A share of the cases; `python -m tests.network` goes through all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network import cases
from tests.network.environment import NetworkSetup, open_network
from tests.network.proxy import NetworkFault

pytestmark = pytest.mark.loopback


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkSetup]:
    root: Path = tmp_path_factory.mktemp("network")
    with open_network(root) as opened:
        yield opened


def test_the_cases_go_through_every_request(network: NetworkSetup) -> None:
    cases.check_undisturbed(network)


@pytest.mark.parametrize(("number", "after"), [(cases.CREATE, False), (cases.CREATE, True)])
def test_killed_at_a_request_and_run_again_there_is_one_job(network: NetworkSetup, number: int, after: bool) -> None:
    cases.check_kill(network, number, after=after)


@pytest.mark.parametrize("fault", [NetworkFault.UNANSWERED, NetworkFault.REPEATED])
def test_whatever_becomes_of_the_create_it_is_sent_once(network: NetworkSetup, fault: NetworkFault) -> None:
    cases.check_fault(network, cases.CREATE, fault)


@pytest.mark.parametrize("seed", range(2))
def test_two_applies_at_once_give_one_job(network: NetworkSetup, seed: int) -> None:
    cases.check_pair(network, seed)
