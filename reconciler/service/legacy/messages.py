"""What a job said, in the words of the old API. Pure, and the same however often it is read: history is replayed whole.

A job says the same things whichever API made it; this is where the old wording is chosen. What the old API had no words
for is passed on as it was said, except the three things that it never told: that files are looked at, that they were
found good, and that a checkpoint was saved. It told what a job cost; nothing costs anything here, so that line is
missing.
"""

from collections.abc import Iterable, Iterator

import msgspec

from reconciler.service.store.events import EventRecord
from reconciler.service.store.jobs import JobRecord

Json = dict[str, object]

CANCELLING = "Fine tuning process stopping due to job cancellation"
STARTED = "Fine-tuning job started"
SUCCEEDED = "The job has successfully completed"
MODEL = "New fine-tuned model created: "
_UNTOLD = ("Validating training file: ", "Files validated, ", "Checkpoint created at ")

_RENAMED = {STARTED: "Fine-tune started", SUCCEEDED: "Fine-tune succeeded", CANCELLING: "Fine-tune cancelled"}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the old API, which has no id."""

    created_at: int
    level: str
    message: str

    @property
    def json(self) -> Json:
        return {
            "object": "fine-tune-event",
            "created_at": self.created_at,
            "level": self.level,
            "message": self.message,
        }


def created(job: str, asked: str, engine: str) -> str:
    """Word the first event of a job, which names what will really be trained."""
    name = "" if asked == engine else f", served here under the name {asked}"
    return f"Created fine-tune: {job} (engine: {engine}{name})"


def tell(job: JobRecord, events: Iterable[EventRecord]) -> Iterator[Told]:
    """Put what a job said into the old words, in order."""
    for event in events:
        for message in _messages(job, event):
            yield Told(created_at=event.created_at, level=event.level, message=message)


def _messages(job: JobRecord, event: EventRecord) -> Iterator[str]:
    if event.data is not None:
        yield _epoch(job, event)
    elif event.message.startswith(MODEL):
        yield f"Uploaded model: {event.message.removeprefix(MODEL)}"
        yield f"Uploaded result file: {job.result_file}"
    elif not event.message.startswith(_UNTOLD):
        yield _RENAMED.get(event.message, event.message)


def _epoch(job: JobRecord, event: EventRecord) -> str:
    assert event.data is not None
    epochs = job.hyperparameters.get("n_epochs")
    done, total = event.data["step"], event.data["total_steps"]
    if not isinstance(epochs, int | float) or (done * epochs) % total:
        return event.message
    return f"Completed epoch {round(done * epochs / total)}/{int(epochs)}"
