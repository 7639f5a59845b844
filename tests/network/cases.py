"""What may happen on the network, one function a kind. Each checks: one job, and nothing to do once it works again."""

import random
import subprocess

from tests.network.environment import Checkout, CommandResult, NetworkSetup, result_of
from tests.network.proxy import NetworkFault, SeenRequest

DONE, UNREACHABLE, SOME_FAILED, UNKNOWN = 0, 1, 8, 9

REQUESTS = 10
"""How many requests an undisturbed apply of one model sends; the cases go through them in turn."""

CREATE, UPLOAD = 7, 4

FAULTS = (NetworkFault.LOST, NetworkFault.UNANSWERED, NetworkFault.TRUNCATED, NetworkFault.DELAYED)
"""Faults that break no assumption; a proxy that repeats requests breaks the first."""


def check_undisturbed(network: NetworkSetup) -> None:
    """Check that the cases go through every request there is, and no other."""
    checkout = network.checkout()
    assert result_of(checkout.apply()).code == DONE
    wanted = [network.proxy.seen[UPLOAD].method, network.proxy.seen[CREATE].is_create, len(network.proxy.seen)]
    assert wanted == ["POST", True, REQUESTS], network.proxy.seen
    check_quiet(network, checkout)


def check_kill(network: NetworkSetup, number: int, *, after: bool) -> None:
    """Kill apply when it sends a request, before the service has it or before its answer comes; then run it again."""
    checkout = network.checkout()
    process = checkout.apply()

    def kill(seen: SeenRequest) -> None:
        if seen.number == number:
            process.kill()

    def decide(seen: SeenRequest) -> NetworkFault:
        if seen.number == number and not after:
            process.kill()
            return NetworkFault.LOST
        return NetworkFault.NONE

    network.proxy.decide = decide
    network.proxy.after = kill if after else network.proxy.after
    result_of(process)
    assert process.returncode < 0, "it was not killed"
    network.proxy.forget()
    result = result_of(checkout.apply())
    assert result.code == DONE, result
    assert create_count(network) <= 1
    check_quiet(network, checkout)


def check_fault(network: NetworkSetup, number: int, fault: NetworkFault) -> None:
    """Let one request fail; apply succeeds or says that it did not, and the next run completes."""
    checkout = network.checkout()
    network.proxy.decide = lambda seen: fault if seen.number == number else NetworkFault.NONE
    result = result_of(checkout.apply())
    assert result.code in {DONE, UNREACHABLE, SOME_FAILED, UNKNOWN}, result
    assert "Traceback" not in result.err, result
    assert create_count(network) <= 1
    network.proxy.forget()
    result = result_of(checkout.apply())
    assert result.code == DONE, result
    check_quiet(network, checkout, most=2 if fault is NetworkFault.REPEATED and number == CREATE else 1)


def check_pair(network: NetworkSetup, seed: int, *more: str) -> tuple[int, int]:
    """Start two applies at once with faults; return their exit codes. There is one job then, or none yet."""
    chance = random.Random(seed)
    checkout = network.checkout()
    share = chance.choice([0.0, 0.05, 0.15])
    network.proxy.decide = lambda _: chance.choice(FAULTS) if chance.random() < share else NetworkFault.NONE
    first, second = both_results(checkout.apply(*more), checkout.apply(*more))
    codes = (first.code, second.code)
    for result in (first, second):
        assert "Traceback" not in result.err, result
        assert result.code in {DONE, UNKNOWN, *((UNREACHABLE, SOME_FAILED) if share else ())}, result
    assert len(network.jobs(checkout)) <= 1
    if not share:
        assert DONE in codes, codes
    network.proxy.forget()
    result = result_of(checkout.apply(*more))
    assert result.code == DONE, result
    check_quiet(network, checkout)
    return codes


def both_results(
    first: "subprocess.Popen[str]", second: "subprocess.Popen[str]"
) -> tuple[CommandResult, CommandResult]:
    """Wait for two commands."""
    return result_of(first), result_of(second)


def create_count(network: NetworkSetup) -> int:
    """Return how many creates the proxy saw since it was reset."""
    return sum(seen.is_create for seen in network.proxy.seen)


def check_quiet(network: NetworkSetup, checkout: Checkout, most: int = 1) -> None:
    """Check that there is one job, that nothing is left to do, and that no intent is left behind."""
    found = network.jobs(checkout)
    assert 1 <= len(found) <= most, found
    planned = result_of(checkout.start("plan", "--detailed-exitcode"))
    assert planned.code == DONE, planned
    left = [path for path in checkout.home.glob("intents/**/*.json") if path.is_file()]
    assert left == [], left
