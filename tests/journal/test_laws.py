"""Whatever runs do, in whatever order, every store behaves as a dictionary from stamps to notes."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reconciler.domain.identity import Stamp
from reconciler.domain.ports import Intent, Journal
from tests.journal.stores import STORES, elsewhere, note

RUNS = ("one", "two")
SAID = [matter(note(owner, at=at)) for owner in RUNS for at in (1.0, 2.0) for matter in (lambda each: each, elsewhere)]


class Laws(RuleBasedStateMachine):
    """Two runs put, take over and clear notes on two stamps, each through a door of its own."""

    store: str

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        open_store = STORES[self.store](self.place)
        self.doors: dict[str, Journal] = {run: open_store() for run in RUNS}
        self.lying: dict[Stamp, Intent] = {}

    def teardown(self) -> None:
        for door in self.doors.values():
            getattr(door, "close", lambda: None)()
        shutil.rmtree(self.place)

    @rule(said=st.sampled_from(SAID))
    def put(self, said: Intent) -> None:
        lies = self.lying.setdefault(said.stamp, said)
        assert self.doors[said.owner].put(said) == lies

    @rule(said=st.sampled_from(SAID), instead_of=st.sampled_from(SAID))
    def take_over(self, said: Intent, instead_of: Intent) -> None:
        if self.lying.get(said.stamp) in {None, instead_of}:
            self.lying[said.stamp] = said
        assert self.doors[said.owner].put(said, instead_of) == self.lying[said.stamp]

    @precondition(lambda self: self.lying)
    @rule(data=st.data(), run=st.sampled_from(RUNS))
    def take_over_what_lies_there(self, data: st.DataObject, run: str) -> None:
        instead_of = data.draw(st.sampled_from(sorted(self.lying.values(), key=str)))
        said = data.draw(
            st.sampled_from([each for each in SAID if each.stamp == instead_of.stamp and each.owner == run])
        )
        self.lying[said.stamp] = said
        assert self.doors[run].put(said, instead_of) == said

    @rule(said=st.sampled_from(SAID), run=st.sampled_from(RUNS))
    def clear(self, said: Intent, run: str) -> None:
        if self.lying.get(said.stamp) == said:
            del self.lying[said.stamp]
        self.doors[run].clear(said)

    @invariant()
    def both_see_what_lies_there(self) -> None:
        for door in self.doors.values():
            assert set(door.open_intents()) == set(self.lying.values())


def within(examples: int, steps: int) -> settings:
    """How much of it is tried; a store on a disk is slow by nature."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


class OfVolatile(Laws):
    store = "volatile"


class OfDirectory(Laws):
    store = "directory"


class OfService(Laws):
    store = "service at once"


class OfGitRef(Laws):
    store = "git ref here"


TestVolatile = OfVolatile.TestCase
TestDirectory = OfDirectory.TestCase
TestService = OfService.TestCase
TestGitRef = OfGitRef.TestCase
TestVolatile.settings = within(30, 15)
TestDirectory.settings = within(12, 12)
TestService.settings = within(30, 15)
TestGitRef.settings = within(2, 6)
