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
INTENTS = [
    matter(note(owner, at=at)) for owner in RUNS for at in (1.0, 2.0) for matter in (lambda each: each, elsewhere)
]


class Laws(RuleBasedStateMachine):
    """Two runs put, take over and clear notes on two stamps, each with its own journal object."""

    store: str

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        open_store = STORES[self.store](self.place)
        self.journals: dict[str, Journal] = {run: open_store() for run in RUNS}
        self.recorded: dict[Stamp, Intent] = {}

    def teardown(self) -> None:
        for journal in self.journals.values():
            getattr(journal, "close", lambda: None)()
        shutil.rmtree(self.place)

    @rule(intent=st.sampled_from(INTENTS))
    def put(self, intent: Intent) -> None:
        current = self.recorded.setdefault(intent.stamp, intent)
        assert self.journals[intent.owner].put(intent) == current

    @rule(intent=st.sampled_from(INTENTS), instead_of=st.sampled_from(INTENTS))
    def take_over(self, intent: Intent, instead_of: Intent) -> None:
        if self.recorded.get(intent.stamp) in {None, instead_of}:
            self.recorded[intent.stamp] = intent
        assert self.journals[intent.owner].put(intent, instead_of) == self.recorded[intent.stamp]

    @precondition(lambda self: self.recorded)
    @rule(data=st.data(), run=st.sampled_from(RUNS))
    def take_over_what_lies_there(self, data: st.DataObject, run: str) -> None:
        instead_of = data.draw(st.sampled_from(sorted(self.recorded.values(), key=str)))
        intent = data.draw(
            st.sampled_from([each for each in INTENTS if each.stamp == instead_of.stamp and each.owner == run])
        )
        self.recorded[intent.stamp] = intent
        assert self.journals[run].put(intent, instead_of) == intent

    @rule(intent=st.sampled_from(INTENTS), run=st.sampled_from(RUNS))
    def clear(self, intent: Intent, run: str) -> None:
        if self.recorded.get(intent.stamp) == intent:
            del self.recorded[intent.stamp]
        self.journals[run].clear(intent)

    @invariant()
    def both_see_what_lies_there(self) -> None:
        for journal in self.journals.values():
            assert set(journal.open_intents()) == set(self.recorded.values())


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
