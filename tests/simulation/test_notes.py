"""A note in the journal outlives every list that could still leave its job out."""

from msgspec.structs import replace

from reconciler.domain.event import Outcome
from reconciler.executor import execute
from tests.factories import a_job, a_model
from tests.simulation import World, outcomes, real_dataset

LAG = 30.0
MODEL = a_model(training=real_dataset())


def a_world() -> World:
    world = World()
    bounds = replace(world.service.capabilities, list_lag_seconds=LAG)
    return World(capabilities=bounds)


def test_a_note_is_held_until_no_list_can_miss_the_job() -> None:
    world = a_world()
    began = world.clock.now
    context = world.context()
    held: list[float] = []
    world.clock.after(LAG, lambda: held.append(len(context.journal.open_intents())))
    plan = world.plan(MODEL)
    assert outcomes(list(execute(plan, context))) == [Outcome.DONE, Outcome.DONE]
    assert held == [1]
    assert context.journal.open_intents() == ()
    assert world.clock.now - began >= LAG


def test_a_job_of_long_ago_is_adopted_without_a_wait() -> None:
    world = a_world()
    plan = world.plan(MODEL)
    world.service.put(a_job(MODEL, "running", age=1000))
    began = world.clock.now
    assert outcomes(world.carry_out(plan, MODEL)) == [Outcome.DONE, Outcome.ADOPTED]
    assert world.clock.now == began


def test_a_job_of_just_now_is_adopted_and_the_note_stays_as_long_as_a_list_may_miss_it() -> None:
    world = a_world()
    plan = world.plan(MODEL)
    world.service.put(a_job(MODEL, "running", age=5))
    began = world.clock.now
    assert outcomes(world.carry_out(plan, MODEL)) == [Outcome.DONE, Outcome.ADOPTED]
    assert LAG - 5 <= world.clock.now - began <= LAG
