"""A terminal shows every fact and one live line below them; other streams get lines alone."""

import io
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from reconciler.domain.event import Event, Finished, JobMoved, JobVanished, Outcome, Progress, Started
from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.observed import JobId
from reconciler.render import LiveView, Sink
from tests.factories import a_digest, a_job
from tests.render import examples
from tests.render.screen import Screen
from tests.render.test_sanitize import ATTACKS, is_harmless


class Clock:
    """A clock that moves when the test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def on_terminal(screen: Screen, clock: Clock | None = None, colour: bool = False) -> LiveView:
    """A view on a terminal that knows its width."""
    return LiveView(Sink(screen), True, colour, clock or Clock(), lambda: screen.columns)


def in_log(events: Iterable[Event], seconds: float = 1) -> list[str]:
    """The lines that a log gets, with some seconds between events."""
    stream, clock = io.StringIO(), Clock()
    view = LiveView(Sink(stream), False, False, clock)
    for event in events:
        clock.now += seconds
        view.show(event)
    view.close("the end\n")
    assert "\r" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
    return stream.getvalue().splitlines()


def test_a_terminal_shows_facts_and_one_live_line() -> None:
    screen, clock = Screen(), Clock()
    view = on_terminal(screen, clock)
    view.show(examples.moved("running"))
    clock.now = 75
    view.show(examples.at_step(42, 90, 0.412))

    assert screen.seen == [
        "model/support-triage: job ftjob-A1 is running",
        "model/support-triage: running  step 42/90, loss 0.412  1m 15s",
    ]


@pytest.mark.parametrize("columns", [200, 80, 40, 20, 5, 1])
def test_at_the_end_only_facts_and_the_summary_are_left(columns: int) -> None:
    """Whatever the width, nothing of the live line stays, and no fact is lost."""
    screen, plain = Screen(columns), Screen(columns)
    view = on_terminal(screen)
    for event in examples.GOOD_RUN:
        view.show(event)
    view.close("the end\n")
    facts = [line for line in in_log(examples.GOOD_RUN, seconds=0) if ": step " not in line]
    plain.write("".join(f"{line}\n" for line in facts))

    assert screen.seen == plain.seen


def test_a_terminal_that_becomes_narrower_keeps_no_remains() -> None:
    screen = Screen(90)
    view = on_terminal(screen)
    view.show(examples.moved("running"))
    view.show(examples.at_step(1, 90, 0.5))
    screen.reflow(25)
    view.show(examples.at_step(2, 90, 0.25))

    assert screen.seen == ["model/support-triage: job", " ftjob-A1 is running", "model/support-triage: r…"]


def test_a_redraw_is_one_write_and_the_same_line_is_none() -> None:
    """Otherwise the terminal would flicker."""
    screen, clock = Screen(), Clock()
    view = on_terminal(screen, clock)
    view.show(examples.moved("running"))
    before = len(screen.writes)
    clock.now = 1
    view.tick()
    view.tick()
    view.show(examples.moved("running"))

    assert len(screen.writes) == before + 1


def test_time_goes_on_while_nothing_happens() -> None:
    screen, clock = Screen(), Clock()
    view = on_terminal(screen, clock)
    view.show(examples.moved("queued"))
    clock.now = 3601
    view.tick()

    assert screen.seen[-1] == "model/support-triage: queued  1h 00m"


def test_several_things_share_the_live_line() -> None:
    screen = Screen(100)
    view = on_terminal(screen)
    router = a_job(Stamp(Address(Kind.MODEL, "router"), a_digest()), "queued", id="ftjob-R1")
    view.show(Started(step=examples.SENT))
    view.show(Progress(step=examples.SENT, done=1024, total=20000, unit="bytes"))
    view.show(JobMoved(job=router))
    view.show(examples.at_step(3, 9, 0.5))

    states = "support-tickets 1.0 KiB of 19.5 KiB · router queued · support-triage step 3/9, loss 0.5"
    assert screen.seen[-1] == f"3 in progress, 0s: {states}"[:98] + "…"


def test_a_step_that_has_ended_is_not_shown_as_running() -> None:
    screen = Screen()
    view = on_terminal(screen)
    view.show(Started(step=examples.SENT))
    view.show(Finished(step=examples.SENT, outcome=Outcome.FAILED, message="no"))
    view.show(examples.moved("running"))
    view.show(JobVanished(address=examples.TRIAGE.address, job=JobId("ftjob-A1")))

    assert screen.seen[-1] == ""


def test_a_job_that_was_just_created_is_not_shown_twice() -> None:
    created = Finished(step=examples.TRAINED, outcome=Outcome.DONE, message="queued", job=examples.QUEUED)

    assert in_log([created, examples.moved("queued")]) == [
        "model/support-triage: created job ftjob-A1 (queued)",
        "the end",
    ]


def test_a_log_shows_progress_at_intervals_and_the_last_step() -> None:
    lines = in_log([examples.at_step(step, 30, 0.5) for step in range(1, 31)], seconds=1)

    assert [line.split()[2] for line in lines[:-1]] == ["1/30,", "11/30,", "21/30,", "30/30,"]


def test_a_slow_upload_shows_its_progress_and_a_quick_one_does_not() -> None:
    sending = [Progress(step=examples.SENT, done=done, total=20000, unit="bytes") for done in (5000, 10000, 20000)]
    events: list[Event] = [Started(step=examples.SENT), *sending]

    assert in_log(events, seconds=1) == ["dataset/support-tickets: uploading 200 rows, 19.5 KiB", "the end"]
    assert "dataset/support-tickets: 4.9 KiB of 19.5 KiB" in in_log(events, seconds=11)


def test_progress_without_a_total_or_a_number() -> None:
    known = Progress(step=examples.SENT, done=3, unit="files", message="reading")
    unknown = Progress(step=examples.SENT, message="waiting for the service")

    assert in_log([known, unknown], seconds=11)[:2] == [
        "dataset/support-tickets: reading, 3",
        "dataset/support-tickets: waiting for the service",
    ]


def test_unknown_metrics_leave_the_text_of_the_service() -> None:
    assert (
        in_log([examples.logged("a curious number", ("entropy", 0.5))])[0] == "model/support-triage: a curious number"
    )


def test_a_number_that_is_none_is_shown_as_it_is() -> None:
    event = examples.logged("x", ("step", 1.0), ("train_loss", float("nan")))

    assert in_log([event])[0] == "model/support-triage: step 1, loss nan"


def test_colour_changes_no_word() -> None:
    plain, coloured = Screen(200), Screen(200)
    for screen, colour in ((plain, False), (coloured, True)):
        view = on_terminal(screen, colour=colour)
        for event in (*examples.GOOD_RUN, *examples.BAD_RUN):
            view.show(event)

    assert plain.seen == coloured.seen
    assert "\x1b[3" in coloured.getvalue()


@pytest.mark.parametrize("name", ATTACKS)
def test_no_service_can_write_on_the_terminal(name: str) -> None:
    """Every word of a service is cleaned, in facts and in the live line."""
    attack = ATTACKS[name]
    job = replace(examples.moved(attack).job, id=JobId(attack))
    events: list[Event] = [
        examples.logged(attack),
        examples.logged(attack, ("entropy", 1.0)),
        examples.logged(attack, level="error"),
        JobMoved(job=job),
        Finished(step=examples.SENT, outcome=Outcome.FAILED, message=attack, hint=attack),
        Progress(step=examples.SENT, message=attack, unit=attack, total=3, done=1),
        JobVanished(address=examples.TRIAGE.address, job=JobId(attack)),
    ]

    assert all(is_harmless(line) for line in in_log(events, seconds=11))
    screen = Screen()
    view = on_terminal(screen)
    for event in events:
        view.show(event)
    drawn = screen.getvalue().replace("\r", "\n").replace("\x1b[J", "")
    assert all(is_harmless(line) for line in drawn.splitlines())


def test_a_secret_is_taken_out_of_every_line() -> None:
    stream = io.StringIO()
    view = LiveView(Sink(stream, ("canary-7f39",)), False, False, Clock())
    view.show(examples.logged("the key canary-7f39 is wrong"))
    view.close("canary-7f39\n")

    assert "canary" not in stream.getvalue()
