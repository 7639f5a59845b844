"""Events of fine-tunes: the messages of the old API in order, with correct queue numbers, as a list and as a stream."""

import asyncio
import json
from pathlib import Path
from typing import Any

from reconciler.service import ServiceSettings, open_service
from tests.service.legacy.old import OLD_BASES, LegacyService, messages, old_rows, waiting_rows
from tests.service.service_fixtures import ECHO, NOW, error_of


def golden(job: dict[str, Any], *, epochs: int, queue: tuple[str, ...] = ()) -> list[str]:
    """Return the messages of a fine-tune that succeeds."""
    return [
        f"Created fine-tune: {job['id']} (engine: test-echo, served here under the name ada)",
        *(queue or ("Fine-tune enqueued. Queue number: 0",)),
        "Fine-tune started",
        *(f"Completed epoch {epoch}/{epochs}" for epoch in range(1, epochs + 1)),
        f"Uploaded model: {job['fine_tuned_model']}",
        f"Uploaded result file: {job['result_files'][0]['id']}",
        "Fine-tune succeeded",
    ]


def test_the_events_of_a_fine_tune_have_the_messages_of_the_old_api(old: LegacyService) -> None:
    job = old.done(old.train())

    assert messages(job) == golden(job, epochs=4)
    assert {event["object"] for event in job["events"]} == {"fine-tune-event"}
    assert all(set(event) == {"object", "created_at", "level", "message"} for event in job["events"])
    assert job["updated_at"] == job["events"][-1]["created_at"]


def test_queue_numbers_count_down_as_the_jobs_before_end(old: LegacyService, tmp_path: Path) -> None:
    """A job of the current API takes a place in the same queue."""
    gates = [tmp_path / "first", tmp_path / "second"]
    first = old.train(waiting_rows(gates[0]))
    second = old.service.train(waiting_rows(gates[1]))
    third = old.train()

    gates[0].touch()
    old.wait_for_message(third, "Fine-tune is in the queue. Queue number: 1")
    gates[1].touch()

    assert messages(old.done(third)) == golden(
        old.job(third),
        epochs=4,
        queue=(
            "Fine-tune enqueued. Queue number: 2",
            "Fine-tune is in the queue. Queue number: 1",
            "Fine-tune is in the queue. Queue number: 0",
        ),
    )
    assert messages(old.done(first))[1] == "Fine-tune enqueued. Queue number: 0"
    assert not any("queue" in message for message in old.service.messages(second) if message.startswith("Fine-tune"))


def test_the_list_of_events_is_equal_to_that_of_the_object(old: LegacyService) -> None:
    job = old.done(old.train())

    assert old.service.get(f"/fine-tunes/{job['id']}/events") == {"object": "list", "data": job["events"]}


def test_every_stream_replays_the_whole_history_and_ends(old: LegacyService) -> None:
    job = old.train()

    streams = [old.stream(job), old.stream(job)]

    lines = [f"data: {json.dumps(event, separators=(',', ':'))}" for event in old.job(job)["events"]]
    assert streams == [[*lines, "data: [DONE]"]] * 2


def test_the_stream_of_a_cancelled_fine_tune_ends(old: LegacyService, tmp_path: Path) -> None:
    job = old.train(waiting_rows(tmp_path / "gate"))
    old.service.post(f"/fine-tunes/{job['id']}/cancel")

    *_, last, done = old.stream(job)

    assert json.loads(last.removeprefix("data: "))["message"] == "Fine-tune cancelled"
    assert done == "data: [DONE]"


def test_the_stream_of_a_failed_fine_tune_ends_with_the_error(old: LegacyService) -> None:
    *_, last, done = old.stream(old.train(old_rows(count=2)))

    event = json.loads(last.removeprefix("data: "))
    assert (event["level"], done) == ("error", "data: [DONE]")
    assert "must have at least" in event["message"]


def test_a_stream_of_an_unknown_fine_tune_is_refused(old: LegacyService) -> None:
    assert error_of(old.service.client.get("/fine-tunes/ft-none/events?stream=true"))[0] == 404
    job = old.train()
    assert error_of(old.service.client.get(f"/fine-tunes/{job['id']}/events?stream=maybe"))[0] == 400


def test_a_stream_is_live_and_closing_it_stops_neither_the_stream_nor_the_job(
    old: LegacyService, tmp_path: Path
) -> None:
    """Events arrive while the job runs; a caller who disconnects ends the answer, and the job continues."""
    gate = tmp_path / "gate"
    job = old.train(waiting_rows(gate))

    received = asyncio.run(_read_until(old, job["id"], b"Completed epoch 1/4"))

    assert b"Fine-tune started" in received
    assert b"[DONE]" not in received
    gate.touch()
    assert old.done(job)["status"] == "succeeded"


def test_so_many_streams_may_be_open(old: LegacyService, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    job = old.train(waiting_rows(gate))

    statuses = asyncio.run(_open_streams(old, job["id"], 65))

    assert statuses == [200] * 64 + [429]
    gate.touch()
    assert old.done(job)["status"] == "succeeded"


async def _open_streams(old: LegacyService, job: str, count: int) -> list[int]:
    """Open streams one after the other; return their statuses, and close all of them at the end."""
    app = open_service(
        old.service.root, ServiceSettings(engines=ECHO, clock=lambda: float(NOW), legacy_bases=OLD_BASES)
    )
    gone = asyncio.Event()
    statuses: asyncio.Queue[int] = asyncio.Queue()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def open_one() -> None:
        started: list[int] = []

        async def send(message: dict[str, Any]) -> None:
            # A stream is open when its first event has arrived.
            if message["type"] == "http.response.start":
                started.append(message["status"])
            elif started:
                statuses.put_nowait(started.pop())

        await app(_scope(job), receive, send)  # type: ignore[arg-type]  # ASGI's own, looser types

    tasks, found = [], []
    for _ in range(count):
        tasks.append(asyncio.create_task(open_one()))
        found.append(await asyncio.wait_for(statuses.get(), timeout=30))
    gone.set()
    await asyncio.gather(*tasks)
    return found


async def _read_until(old: LegacyService, job: str, sign: bytes) -> bytes:
    """Read a stream as a server would send it, and disconnect when a text has arrived."""
    app = open_service(
        old.service.root, ServiceSettings(engines=ECHO, clock=lambda: float(NOW), legacy_bases=OLD_BASES)
    )
    received, gone, asked = bytearray(), asyncio.Event(), False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        received.extend(message.get("body", b""))
        if sign in received:
            gone.set()

    await asyncio.wait_for(app(_scope(job), receive, send), timeout=30)  # type: ignore[arg-type]  # as above
    return bytes(received)


def _scope(job: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": f"/v1/fine-tunes/{job}/events",
        "raw_path": f"/v1/fine-tunes/{job}/events".encode(),
        "query_string": b"stream=true",
        "headers": [],
        "client": ("local", 1),
        "server": ("local", 80),
    }
