"""What may happen on the way, one function a kind. Each holds the promise: one job, and quiet once the road is good."""

import random
import subprocess

from tests.network.environment import Checkout, Ended, Field, ended
from tests.network.proxy import Mishap, Seen

DONE, UNREACHABLE, SOME_FAILED, UNKNOWN = 0, 1, 8, 9

REQUESTS = 10
"""How many requests an undisturbed apply of one model sends; the cases go through them in turn."""

CREATE, UPLOAD = 7, 4

FAULTS = (Mishap.LOST, Mishap.UNANSWERED, Mishap.TRUNCATED, Mishap.DELAYED)
"""What a road may do that breaks no assumption; one that repeats requests breaks the first."""


def undisturbed(field: Field) -> None:
    """Hold true that the cases go through every request there is, and no other."""
    checkout = field.checkout()
    assert ended(checkout.apply()).code == DONE
    wanted = [field.road.seen[UPLOAD].method, field.road.seen[CREATE].is_create, len(field.road.seen)]
    assert wanted == ["POST", True, REQUESTS], field.road.seen
    quiet(field, checkout)


def killed(field: Field, number: int, *, after: bool) -> None:
    """Kill apply when it sends a request, before the service has it or before its answer comes; then run it again."""
    checkout = field.checkout()
    process = checkout.apply()

    def kill(seen: Seen) -> None:
        if seen.number == number:
            process.kill()

    def fate(seen: Seen) -> Mishap:
        if seen.number == number and not after:
            process.kill()
            return Mishap.LOST
        return Mishap.NONE

    field.road.fate = fate
    field.road.after = kill if after else field.road.after
    ended(process)
    assert process.returncode < 0, "it was not killed"
    field.road.forget()
    said = ended(checkout.apply())
    assert said.code == DONE, said
    assert creates(field) <= 1
    quiet(field, checkout)


def met(field: Field, number: int, mishap: Mishap) -> None:
    """Let one request meet with a mishap; apply copes, or says that it did not, and the next run mends it."""
    checkout = field.checkout()
    field.road.fate = lambda seen: mishap if seen.number == number else Mishap.NONE
    said = ended(checkout.apply())
    assert said.code in {DONE, UNREACHABLE, SOME_FAILED, UNKNOWN}, said
    assert "Traceback" not in said.err, said
    assert creates(field) <= 1
    field.road.forget()
    said = ended(checkout.apply())
    assert said.code == DONE, said
    quiet(field, checkout, most=2 if mishap is Mishap.REPEATED and number == CREATE else 1)


def together(field: Field, seed: int, *more: str) -> tuple[int, int]:
    """Start two applies at once on a road with faults; gives their exit codes. One job comes of it, or none yet."""
    chance = random.Random(seed)
    checkout = field.checkout()
    share = chance.choice([0.0, 0.05, 0.15])
    field.road.fate = lambda _: chance.choice(FAULTS) if chance.random() < share else Mishap.NONE
    first, second = ended_both(checkout.apply(*more), checkout.apply(*more))
    codes = (first.code, second.code)
    for said in (first, second):
        assert "Traceback" not in said.err, said
        assert said.code in {DONE, UNKNOWN, *((UNREACHABLE, SOME_FAILED) if share else ())}, said
    assert len(field.jobs(checkout)) <= 1
    if not share:
        assert DONE in codes, codes
    field.road.forget()
    said = ended(checkout.apply(*more))
    assert said.code == DONE, said
    quiet(field, checkout)
    return codes


def ended_both(first: "subprocess.Popen[str]", second: "subprocess.Popen[str]") -> tuple[Ended, Ended]:
    """Wait for two commands."""
    return ended(first), ended(second)


def creates(field: Field) -> int:
    """Return how many creates came by since the road was last forgotten."""
    return sum(seen.is_create for seen in field.road.seen)


def quiet(field: Field, checkout: Checkout, most: int = 1) -> None:
    """Hold true that there is one job, that nothing is left to do, and that no note is left behind."""
    found = field.jobs(checkout)
    assert 1 <= len(found) <= most, found
    planned = ended(checkout.start("plan", "--detailed-exitcode"))
    assert planned.code == DONE, planned
    left = [path for path in checkout.root.glob(".reconciler/journal/**/*.json") if path.is_file()]
    assert left == [], left
