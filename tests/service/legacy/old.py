"""Helpers: a client of the old API in this process, and rows of that time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.service.service_fixtures import Json, Service, jsonl, wait_until

OLD_BASES = {"ada": "test-echo", "curie": "test-echo"}
ENDED = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class LegacyService:
    """A client of the old API whose methods fail when the service refuses."""

    service: Service

    def train(self, rows: bytes | None = None, **asked: Any) -> Json:
        """Send rows and create a fine-tune."""
        file = self.service.upload(old_rows() if rows is None else rows)["id"]
        return self.service.post("/fine-tunes", {"model": "ada", "training_file": file, **asked})

    def job(self, job: Json) -> Json:
        """Read a fine-tune again."""
        return self.service.get(f"/fine-tunes/{job['id']}")

    def done(self, job: Json) -> Json:
        """Wait until a fine-tune has ended."""
        wait_until(lambda: self.job(job)["status"] in ENDED)
        return self.job(job)

    def wait_for_message(self, job: Json, message: str) -> Json:
        """Wait until a fine-tune has an event with this message."""
        wait_until(lambda: message in messages(self.job(job)))
        return self.job(job)

    def stream(self, job: Json) -> list[str]:
        """Read the event stream of a fine-tune to its end, as its lines that are not empty."""
        response = self.service.client.get(f"/fine-tunes/{job['id']}/events", params={"stream": "true"})
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        return [line for line in response.text.splitlines() if line]


def messages(job: Json) -> list[str]:
    """Return the messages of a fine-tune, in order."""
    return [event["message"] for event in job["events"]]


def pair(prompt: str, completion: str) -> Json:
    """Return a row of that time."""
    return {"prompt": prompt, "completion": completion}


def old_rows(first: str = "hello ->", count: int = 10) -> bytes:
    """Return rows that the echo engine learns; the first one is its command."""
    prompts = [first, *(f"question {number} ->" for number in range(1, count))]
    return jsonl(pair(prompt, f" answer {number % 3}") for number, prompt in enumerate(prompts))


def waiting_rows(gate: Path) -> bytes:
    """Return rows whose job trains until a file exists."""
    return old_rows(f"wait for {gate}")
