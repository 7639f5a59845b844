"""Time, turns and chance: what the simulation is made of can be trusted."""

import pytest

from tests.simulation.faults import Call, CallOutcome, Dice, Knobs, swarm
from tests.simulation.scheduler import START, KilledError, Scheduler, Time


def test_what_is_due_happens_on_the_way_in_its_order() -> None:
    time, order = Time(), []
    time.after(5, lambda: order.append((time.now - START, "b")))
    time.after(2, lambda: order.append((time.now - START, "a")))
    time.after(9, lambda: order.append((time.now - START, "c")))
    time.pass_until(START + 6)
    assert order == [(2.0, "a"), (5.0, "b")]
    assert time.now == START + 6


def test_actors_take_turns_by_choice_and_time_passes_only_when_all_wait() -> None:
    scheduler, order = Scheduler(lambda count, _: count - 1), []
    first, second = scheduler.enter("first"), scheduler.enter("second")

    def part(actor_name: str, seconds: float) -> None:
        actor = first if actor_name == "first" else second
        for _ in range(2):
            order.append((actor_name, scheduler.time.now - START))
            actor.doze(seconds)

    scheduler.play((first, lambda: part("first", 3)), (second, lambda: part("second", 0)))
    assert order == [("second", 0), ("first", 0), ("second", 0), ("first", 3)]


def test_the_dead_do_nothing_more_and_a_bug_is_no_death() -> None:
    scheduler = Scheduler()
    actor = scheduler.enter("one")
    with pytest.raises(KilledError):
        actor.kill()
    with pytest.raises(KilledError):
        actor.sleep(1)
    with pytest.raises(ZeroDivisionError):
        scheduler.play((scheduler.enter("two"), lambda: 1 // 0))


def test_waits_are_rounded_up_to_whole_seconds() -> None:
    scheduler = Scheduler()
    actor = scheduler.enter("one")
    for seconds in (0.38, 0.5, 0.77):
        actor.sleep(seconds)
    assert scheduler.time.now == START + 3


def test_an_outcome_depends_on_seed_and_key_alone() -> None:
    dice = Dice(7, Knobs(reply_lost=0.5))
    calls = [Call(key=f"run1 train #{n}", is_write=True) for n in range(50)]
    forwards = [dice.outcome(call) for call in calls]
    assert forwards == [dice.outcome(call) for call in reversed(calls)][::-1]
    assert set(forwards) == {CallOutcome.DONE, CallOutcome.REPLY_LOST}
    assert [Dice(8, Knobs(reply_lost=0.5)).outcome(call) for call in calls] != forwards


def test_swarms_differ_and_only_those_beyond_break_bounds() -> None:
    assert len({str(swarm(seed, beyond=False)) for seed in range(50)}) > 40
    assert not any(swarm(seed, beyond=False).breaks_bounds for seed in range(50))
    assert all(swarm(seed, beyond=True).breaks_bounds for seed in range(50))
