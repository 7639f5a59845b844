"""Gateways and services that alter marks, and clocks that lie: exhaustive where it is small."""

from dataclasses import dataclass

import pytest

from reconciler.cli import exit_codes
from tests.simulation.carriers import ALTERATIONS, NAME_ALTERATIONS
from tests.simulation.faults import CallOutcome, Planned
from tests.simulation.history import History, played
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.services import ServiceVariant


@dataclass(frozen=True, slots=True)
class Altering(Planned):
    """A plan of outcomes on a service that alters metadata in one way."""

    alteration: int = 0
    alters_answer: bool = True

    def chance(self, key: str, knob: str) -> bool:
        return knob == "carriers"

    def pick(self, key: str, count: int) -> int:
        return self.alteration if key == "alteration" else int(self.alters_answer) if key == "altered answer" else 0


@dataclass(frozen=True, slots=True)
class Lying(Planned):
    """A plan of outcomes on a service whose dates are wrong by some of the lies, in turn."""

    lie: int = 1

    def chance(self, key: str, knob: str) -> bool:
        return knob == "lies" and len(key) % 3 > 0

    def pick(self, key: str, count: int) -> int:
        return self.lie if key.startswith("lie ") else 0


TROUBLE = (
    CallOutcome.REPLY_LOST,
    CallOutcome.LATE,
    CallOutcome.UNCLEAR_DONE,
    CallOutcome.FOREIGN,
    CallOutcome.KILLED_AFTER,
    CallOutcome.KILLED_LATE,
)


def creates_of(history: History) -> int:
    return sum(verb == "train" for verb, _ in history.invariants.effects)


@pytest.mark.parametrize("alters_answer", [True, False], ids=["answer too", "answer right"])
@pytest.mark.parametrize("alteration", range(len(ALTERATIONS)), ids=list(ALTERATIONS))
def test_altered_marks_cost_one_job_whatever_happens_to_the_create(alteration: int, alters_answer: bool) -> None:
    scenario, variant = SCENARIOS["one"](), ServiceVariant.OPENAI
    plain = played(History(variant, Altering({}, 0.5, alteration, alters_answer)), scenario, runs=2)
    assert plain.invariants.violations == []
    assert creates_of(plain) == 1
    (create,) = [key for key in plain.invariants.boundaries if " train " in key]
    for outcome in TROUBLE:
        decider = Altering({create: outcome}, 0.5, alteration, alters_answer)
        history = played(History(variant, decider), scenario, runs=2)
        assert history.invariants.violations == [], outcome
        assert creates_of(history) <= 1, outcome


@pytest.mark.parametrize("alters_answer", [True, False], ids=["answer too", "answer right"])
@pytest.mark.parametrize("alteration", range(len(NAME_ALTERATIONS)), ids=list(NAME_ALTERATIONS))
def test_altered_names_of_files_cost_no_job_of_the_old_dialect(alteration: int, alters_answer: bool) -> None:
    """There, names are all that says whose a job is."""
    history = played(
        History(ServiceVariant.LEGACY, Altering({}, 0.5, alteration, alters_answer)), SCENARIOS["one"](), runs=2
    )

    assert history.invariants.violations == []
    assert creates_of(history) == 0
    assert {report.code for report in history.reports} <= {exit_codes.SERVICE, exit_codes.PARTLY, exit_codes.REFUSED}


@pytest.mark.parametrize("lie", [1, 2], ids=["an hour fast", "an hour slow"])
@pytest.mark.parametrize("knows_the_dead", [True, False])
@pytest.mark.parametrize("scenario", ["one", "edit after it ended"])
def test_wrong_dates_cost_no_second_job_whatever_happens_to_a_create(
    scenario: str, knows_the_dead: bool, lie: int
) -> None:
    turns = SCENARIOS[scenario]()
    plain = played(History(ServiceVariant.OPENAI, Lying({}, 0.5, lie)), turns)
    assert plain.invariants.violations == []
    for create in [key for key in plain.invariants.boundaries if " train " in key]:
        for outcome in (CallOutcome.LATE, CallOutcome.REPLY_LOST, CallOutcome.KILLED_LATE, CallOutcome.KILLED_AFTER):
            decider = Lying({create: outcome}, 0.9, lie)
            history = played(History(ServiceVariant.OPENAI, decider, knows_the_dead=knows_the_dead), turns, appliers=2)
            assert history.invariants.violations == [], outcome
