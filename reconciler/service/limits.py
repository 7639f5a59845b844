"""What one request, and all of them together, may cost: bytes of a body, bytes in memory, length of texts and answers.

A request beyond its own limit is refused with 400 or 413, and one that only has to wait with 429.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import msgspec
from msgspec.structs import replace

from reconciler.service.errors import ApiError, in_flight_error
from reconciler.service.settings import DEFAULT_FREE_BYTES, ServiceSettings

KILOBYTE, MEGABYTE = 1024, 1024 * 1024

SHORT_BODY, BODY, TEXT_BODY = 64 * KILOBYTE, MEGABYTE, 4 * MEGABYTE
"""The largest JSON bodies: of a route whose fields are short, of most routes, and of those that receive texts."""

LONGEST_PROMPT = 256 * 1024
"""The longest text, in characters, that a model is asked in one question."""

PROMPTS_TOGETHER = 1024 * 1024
"""The characters of all prompts of one request."""

ANSWER_BYTES = 8 * MEGABYTE
"""The largest answer with its echoed prompts and its probabilities, as an upper bound of its JSON."""

MOST_ANSWERS = 2048
"""The number of answers to one request, over all its prompts."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes and rates that the service accepts.

    Shape:  `bodies_bytes` are all JSON bodies that are being read or answered; `free_bytes` of the disk stay free
    Units:  bytes; `requests_per_minute` None is no limit
    """

    file_bytes: int = 512 * MEGABYTE
    part_bytes: int = 64 * MEGABYTE
    upload_bytes: int = 8 * 1024 * MEGABYTE
    bodies_bytes: int = 32 * MEGABYTE
    free_bytes: int = DEFAULT_FREE_BYTES
    requests_per_minute: int | None = None

    @classmethod
    def of(cls, settings: ServiceSettings) -> "Limits":
        """Return the limits that the operator chose."""
        limits = cls(requests_per_minute=settings.requests_per_minute, free_bytes=settings.free_bytes)
        return limits if settings.file_bytes is None else replace(limits, file_bytes=settings.file_bytes)


def free_bytes(folder: Path) -> int:
    """Return the bytes that are free where a folder is."""
    return shutil.disk_usage(folder).free


class DiskSpace:
    """The room that files may take: some of the disk stays free, so that the store can still be written."""

    LOOK_BYTES = 8 * MEGABYTE
    """The disk is looked at whenever so many bytes were written."""

    def __init__(self, folder: Path, least_bytes: int, measure: Callable[[Path], int] = free_bytes) -> None:
        self._folder = folder
        self._least_bytes = least_bytes
        self._measure = measure

    def guard(self, write: Callable[[bytes], None], param: str) -> Callable[[bytes], None]:
        """Return a function that writes as long as there is room.

        Raises: ApiError, now or when it is called
        """
        self._look(param)
        unseen = 0

        def write_guarded(block: bytes) -> None:
            nonlocal unseen
            unseen += len(block)
            if unseen >= self.LOOK_BYTES:
                self._look(param)
                unseen = 0
            write(block)

        return write_guarded

    def _look(self, param: str) -> None:
        if self._measure(self._folder) < self._least_bytes:
            message = (
                "The disk of this service has no room for files: less than the "
                f"{self._least_bytes / MEGABYTE:,.0f} MiB that it keeps free are left. Free some space there."
            )
            raise ApiError(400, message, param=param, code="storage_limit_exceeded")


class BodyMemory:
    """The bytes of all JSON bodies that are in memory now. A body beyond the limit has to wait."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0
        self._turn = Lock()

    @contextmanager
    def share(self) -> Iterator["BodyShare"]:
        """Yield the share of one request, which is given back when the block ends."""
        share = BodyShare(self)
        try:
            yield share
        finally:
            self.take(-share.size_bytes)

    def take(self, size_bytes: int) -> bool:
        """Count some bytes, unless that makes more than there may be. Return whether they were counted."""
        with self._turn:
            fits = self.held_bytes + size_bytes <= self.most_bytes
            if fits:
                self.held_bytes += size_bytes
            return fits


class BodyShare:
    """The bytes of one request's body."""

    def __init__(self, memory: BodyMemory) -> None:
        self.size_bytes = 0
        self._memory = memory

    def add(self, size_bytes: int) -> None:
        """Count some more bytes.

        Raises: ApiError when other requests hold too many
        """
        if not self._memory.take(size_bytes):
            raise in_flight_error()
        self.size_bytes += size_bytes


def check_prompts(prompts: Iterable[str], param: str) -> None:
    """Return when a model can be asked these texts in one request.

    Raises: ApiError
    """
    together = 0
    for prompt in prompts:
        together += len(prompt)
        if len(prompt) > LONGEST_PROMPT:
            message = (
                f"This model's maximum context length is {LONGEST_PROMPT} characters. However, your input has "
                f"{len(prompt)}. Please reduce the length of '{param}'."
            )
            raise ApiError(400, message, param=param, code="context_length_exceeded")
    if together > PROMPTS_TOGETHER:
        message = (
            f"One request asks at most {PROMPTS_TOGETHER} characters in all its prompts. However, yours have "
            f"{together}. Please send several requests."
        )
        raise ApiError(400, message, param=param, code="context_length_exceeded")


def check_answer(count: int, each_bytes: int, param: str) -> None:
    """Return when so many answers, of so many bytes together, can be sent.

    Raises: ApiError
    """
    if count > MOST_ANSWERS:
        message = f"The request asks for {count} answers; at most {MOST_ANSWERS} are given at once."
        raise ApiError(400, message, param=param, code="out_of_range")
    if each_bytes > ANSWER_BYTES:
        message = (
            f"The answer would have more than {ANSWER_BYTES} bytes. Ask for fewer answers, or without 'echo' and "
            "probabilities."
        )
        raise ApiError(400, message, param=param, code="response_too_large")
