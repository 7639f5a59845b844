"""Upload files: look before sending, check while sending, wait until the service can use the file."""

import hashlib
from collections.abc import Callable, Iterator

from reconciler.domain.desired import Dataset, Measure
from reconciler.domain.errors import ProviderError
from reconciler.domain.observed import FileId, RemoteFile
from reconciler.domain.ports import Done, Refused, Unknown, Write
from reconciler.executor.context import (
    OutcomeUnknownError,
    RunContext,
    StepFailedError,
    StepRefusedError,
    StoppedError,
)

TRIES = 3
"""How often a file is sent when there is no clear answer. A second copy costs nothing and is never read."""


def ignore_repeat(attempt: int, reason: str) -> None:
    """Take no notice that a file is sent again."""


def send_file(
    dataset: Dataset,
    context: RunContext,
    tell: Callable[[int], None],
    tell_repeat: Callable[[int, str], None] = ignore_repeat,
) -> tuple[RemoteFile, bool]:
    """Return the dataset's file on the service, and whether it was there already.

    Shape:  `tell` is called with the bytes sent so far; `tell_repeat` before a file is sent again, with how often that
            makes, and why
    Raises: StepFailedError, StepRefusedError, ProviderError; StoppedError when a stop was requested before the end
    """
    why = ""
    for attempt in range(1, TRIES + 1):
        found = context.provider.find_file(dataset)
        if found:
            return wait_until_usable(found, context), True
        if why:
            tell_repeat(attempt, why)
        blocks = verify_blocks(context.open_dataset(dataset), dataset.measure, context.stopping, tell)
        match context.provider.upload(dataset, blocks):
            case Done(file, doubts) if doubts:
                raise StepRefusedError(
                    f"the service stored the rows as file {file.id}, with {', '.join(doubts)}; no run can recognise it",
                    f"look at it: {context.scope.call('files', file.id)}. If a gateway stands before the service, let"
                    " it pass on what it is sent, then run again",
                )
            case Done(file):
                return wait_until_usable(file, context), False
            case Refused(error):
                raise error
            case Unknown(reason):
                why = reason
                context.sleep(context.provider.capabilities.poll_seconds)
    raise StepFailedError(
        f"it was sent {TRIES} times, and it is not known whether the file arrived: {why}",
        "run again: a file that arrived is found by its name",
    )


def verify_blocks(
    blocks: Iterator[bytes], measure: Measure, stopping: Callable[[], bool], tell: Callable[[int], None]
) -> Iterator[bytes]:
    """Yield blocks, and hold the last one back until the whole has the digest that was planned.

    So data that changed since the plan never arrives complete: the request ends before its announced length.
    """
    sha, sent, held = hashlib.sha256(), 0, b""
    for block in blocks:
        if stopping():
            raise StoppedError("stopped before the file was sent")
        sha.update(block)
        if held:
            yield held
            sent += len(held)
            tell(sent)
        held = block
    if sha.hexdigest() != measure.digest.hex or sent + len(held) != measure.size_bytes:
        raise StepFailedError("the data changed after it was planned; nothing was stored", "plan again")
    yield held
    tell(sent + len(held))


def wait_until_usable(file: RemoteFile, context: RunContext) -> RemoteFile:
    """Wait until the service has processed a file, and return it.

    Raises: StepFailedError when the service found the file broken, or took longer than its limit
    """
    bound = context.provider.capabilities.ready_seconds
    deadline = context.clock() + bound
    while not file.is_ready:
        if file.is_broken:
            raise StepFailedError(
                f"the service says that file {file.id} is {file.status}", "delete it there, and run again"
            )
        if context.stopping():
            raise StoppedError("stopped while the service was still processing the file")
        if context.clock() >= deadline:
            raise StepFailedError(
                f"file {file.id} is still “{file.status}” after {bound:.0f} seconds",
                "run again later; the file is kept",
            )
        context.sleep(context.provider.capabilities.poll_seconds)
        file = context.provider.file(file.id)
    return file


def check_usable(file: FileId, context: RunContext) -> None:
    """Check that a job can use a file of an earlier run now."""
    wait_until_usable(context.provider.file(file), context)


def outcome_of(written: Write[None]) -> ProviderError | None:
    """Return the reason why a delete was refused; None when it was done."""
    match written:
        case Done():
            return None
        case Refused(error):
            return error
        case Unknown(why):
            raise OutcomeUnknownError(f"it is not known whether it was deleted: {why}", "run again to see")
