"""A note in the journal outlives every list that could still leave its job out."""

import pytest
from msgspec.structs import replace

from reconciler.domain.event import Outcome
from reconciler.executor import execute
from tests.factories import a_job, a_model
from tests.simulation import Sandbox, outcomes, real_dataset

LAG = 30.0
MODEL = a_model(training=real_dataset())


def a_sandbox() -> Sandbox:
    sandbox = Sandbox()
    bounds = replace(sandbox.service.capabilities, list_lag_seconds=LAG)
    return Sandbox(capabilities=bounds)


def test_a_note_is_held_until_no_list_can_miss_the_job() -> None:
    sandbox = a_sandbox()
    began = sandbox.clock.now
    context = sandbox.context()
    held: list[float] = []
    sandbox.clock.after(LAG, lambda: held.append(len(context.journal.open_intents())))
    plan = sandbox.plan(MODEL)
    assert outcomes(list(execute(plan, context))) == [Outcome.DONE, Outcome.DONE]
    assert held == [1]
    assert context.journal.open_intents() == ()
    assert sandbox.clock.now - began >= LAG


@pytest.mark.parametrize("age", [1000, 5, -5000])
def test_the_note_of_an_adopted_job_stays_as_long_as_a_list_may_miss_it_by_our_own_clock(age: int) -> None:
    """What the service says of the job's age counts for nothing: its clock may be wrong by any amount."""
    sandbox = a_sandbox()
    plan = sandbox.plan(MODEL)
    sandbox.service.put(a_job(MODEL, "running", age=age))
    began = sandbox.clock.now
    assert outcomes(sandbox.carry_out(plan, MODEL)) == [Outcome.DONE, Outcome.ADOPTED]
    assert LAG <= sandbox.clock.now - began <= LAG + 2
