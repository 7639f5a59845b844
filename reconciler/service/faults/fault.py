"""What can go wrong on purpose, and for which requests. Values only."""

import re
from fnmatch import fnmatchcase

import msgspec

_LIST = re.compile(r".*/(files|models|fine_tuning/jobs|fine-tunes|events|checkpoints)")
_CREATED_JOB = re.compile(r".*/(fine_tuning/jobs|fine-tunes)")


class Latency(msgspec.Struct, frozen=True):
    """The answer comes later."""

    seconds: float


class Lost(msgspec.Struct, frozen=True):
    """The connection is closed without an answer, before the request was looked at or after it was carried out."""

    after: bool


class Cut(msgspec.Struct, frozen=True):
    """The connection is closed when so many bytes of the answer's body were sent."""

    size_bytes: int


class TooMany(msgspec.Struct, frozen=True):
    """Status 429, of the kind that its code says."""

    code: str
    retry_after: float | None = None


class Refusal(msgspec.Struct, frozen=True):
    """An error in the API's envelope, instead of the work or, where `after`, instead of the answer alone."""

    status: int
    code: str | None = None
    after: bool = False
    retry_after: float | None = None


class Gateway(msgspec.Struct, frozen=True):
    """The HTML page of a gateway, which knows nothing of the API."""

    status: int
    after: bool = False


class ListLag(msgspec.Struct, frozen=True):
    """What is younger than this is in no list; asked for by its id, it is there."""

    seconds: float


class Truncated(msgspec.Struct, frozen=True):
    """Lists end after so many items, and say that nothing follows."""

    items: int


class RepeatedPage(msgspec.Struct, frozen=True):
    """Every page of a list is its first one, and says that more follows."""


class SlowFiles(msgspec.Struct, frozen=True):
    """Files younger than this are shown as not yet processed."""

    seconds: float


class JobFailure(msgspec.Struct, frozen=True):
    """A job fails with this code as soon as it was created."""

    code: str


Kind = Latency | Lost | Cut | TooMany | Refusal | Gateway | ListLag | Truncated | RepeatedPage | SlowFiles | JobFailure


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that goes wrong, and for which requests.

    Shape:  `path` is a pattern with `*`, with or without /v1; of the requests that match, the first `first - 1` are
            spared, and of the others `count` at most are hit, each with this chance; `text` is how it was asked for
    """

    kind: Kind
    text: str
    method: str | None = None
    path: str | None = None
    first: int = 1
    count: int | None = None
    chance: float = 1.0
    seed: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Return whether a request is one that this is about; such requests are counted."""
        if self.method not in (None, method):
            return False
        if self.path is not None and not any(fnmatchcase(path, pattern) for pattern in (self.path, f"/v1{self.path}")):
            return False
        match self.kind:
            case ListLag() | Truncated() | RepeatedPage():
                return method == "GET" and _LIST.fullmatch(path) is not None
            case JobFailure():
                return method == "POST" and _CREATED_JOB.fullmatch(path) is not None
            case _:
                return True
