"""Faults as values, and their parser: `KIND=VALUE,KEY=VALUE,…` on the command line, an object a line in a file."""

import json
import math
import re
import shlex
from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from reconciler.domain.errors import UsageError

_LIST = re.compile(r".*/(files|models|fine_tuning/jobs|fine-tunes|events|checkpoints)")
_CREATED_JOB = re.compile(r".*/(fine_tuning/jobs|fine-tunes)")


class LatencyFault(msgspec.Struct, frozen=True):
    """The answer is delayed."""

    seconds: float


class LostFault(msgspec.Struct, frozen=True):
    """The connection is closed without an answer, before the request is handled or after it."""

    after: bool


class CutFault(msgspec.Struct, frozen=True):
    """The connection is closed after this many bytes of the answer's body."""

    size_bytes: int


class TooManyFault(msgspec.Struct, frozen=True):
    """Status 429, with a code that says why."""

    code: str
    retry_after: float | None = None


class ErrorFault(msgspec.Struct, frozen=True):
    """An error in the API's envelope. The request is not handled or, where `after`, handled before."""

    status: int
    code: str | None = None
    after: bool = False
    retry_after: float | None = None


class GatewayFault(msgspec.Struct, frozen=True):
    """The HTML error page of a gateway."""

    status: int
    after: bool = False


class ListLagFault(msgspec.Struct, frozen=True):
    """Objects younger than this are missing from lists. They are found by id."""

    seconds: float


class TruncatedFault(msgspec.Struct, frozen=True):
    """Lists end after this many items, and say that nothing follows."""

    items: int


class RepeatedPageFault(msgspec.Struct, frozen=True):
    """Every page of a list is its first one, and says that more follows."""


class SlowFilesFault(msgspec.Struct, frozen=True):
    """Files younger than this are shown as not yet processed."""

    seconds: float


class JobFailureFault(msgspec.Struct, frozen=True):
    """A job fails with this code as soon as it was created."""

    code: str


FaultKind = (
    LatencyFault
    | LostFault
    | CutFault
    | TooManyFault
    | ErrorFault
    | GatewayFault
    | ListLagFault
    | TruncatedFault
    | RepeatedPageFault
    | SlowFilesFault
    | JobFailureFault
)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault, and the requests that it applies to.

    Shape:  `path` is a pattern with `*`, with or without /v1; of the requests that match, the first `first - 1` are
            spared, and of the others `count` at most are hit, each with this chance; `text` is the fault as written
    """

    kind: FaultKind
    text: str
    method: str | None = None
    path: str | None = None
    first: int = 1
    count: int | None = None
    chance: float = 1.0
    seed: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Return whether a request matches; matching requests are counted."""
        if self.method not in (None, method):
            return False
        if self.path is not None and not any(fnmatchcase(path, pattern) for pattern in (self.path, f"/v1{self.path}")):
            return False
        match self.kind:
            case ListLagFault() | TruncatedFault() | RepeatedPageFault():
                return method == "GET" and _LIST.fullmatch(path) is not None
            case JobFailureFault():
                return method == "POST" and _CREATED_JOB.fullmatch(path) is not None
            case _:
                return True


TOO_MANY: Mapping[str, str] = {
    "rate_limit_exceeded": "requests",
    "slow_down": "rate_limit_error",
    "daily_rate_limit_exceeded": "invalid_request_error",
    "insufficient_quota": "insufficient_quota",
    "credit_balance_exhausted": "insufficient_quota",
    "organization_spend_limit_exceeded": "insufficient_quota",
    "project_spend_limit_exceeded": "insufficient_quota",
    "organization_usage_limit_exceeded": "insufficient_quota",
}
"""The codes that come with status 429, and the type of error of each (OpenAI error codes guide)."""

METHODS = ("GET", "POST", "DELETE")
_SELECTORS = ("method", "path", "nth", "count", "chance", "seed")
_TOP = 1_000_000


class _Fields:
    """The keys of one fault. Each is read once; a key that was not read is a mistake."""

    def __init__(self, fields: Mapping[str, str], text: str) -> None:
        self._left = dict(fields)
        self._text = text

    def take(self, key: str) -> str | None:
        return self._left.pop(key, None)

    def wrong(self, what: str) -> UsageError:
        return UsageError(f"fault {self._text}: {what}; see docs/faults.md")

    def number(self, key: str, low: float, high: float, *, whole: bool = False) -> float | None:
        text = self.take(key)
        if text is None:
            return None
        try:
            value = int(text) if whole else float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            raise self.wrong(f"{key} must be {kind} from {low:g} to {high:g}, not '{text}'")
        return value

    def needed(self, key: str, low: float, high: float, *, whole: bool = False) -> float:
        value = self.number(key, low, high, whole=whole)
        assert value is not None, "the key that names the kind is there"
        return value

    def word(self, key: str, known: Collection[str]) -> str:
        text = self.take(key) or ""
        if text not in known:
            raise self.wrong(f"{key} must be one of {', '.join(known)}, not '{text}'")
        return text

    def code(self, key: str) -> str | None:
        text = self.take(key)
        if text and not (text.isascii() and text.replace("_", "").isalnum()):
            raise self.wrong(f"{key} must be a word such as server_error, not '{text}'")
        return text or None

    def is_after(self, key: str) -> bool:
        return key in self._left and self.word(key, ("before", "after")) == "after"

    def end(self) -> None:
        if self._left:
            raise self.wrong(f"it has no {', '.join(sorted(self._left))}")


def _repeated(fields: _Fields) -> FaultKind:
    if value := fields.take("repeated-page"):
        raise fields.wrong(f"repeated-page takes no value, not '{value}'")
    return RepeatedPageFault()


def _job_failure(fields: _Fields) -> FaultKind:
    return JobFailureFault(fields.code("job-failure") or "server_error")


_KINDS: Mapping[str, Callable[[_Fields], FaultKind]] = {
    "latency": lambda fields: LatencyFault(fields.needed("latency", 0, 3600)),
    "lost": lambda fields: LostFault(fields.word("lost", ("before", "after")) == "after"),
    "cut": lambda fields: CutFault(int(fields.needed("cut", 0, 1 << 40, whole=True))),
    "too-many": lambda fields: TooManyFault(
        fields.word("too-many", TOO_MANY), retry_after=fields.number("retry-after", 0, 86_400)
    ),
    "error": lambda fields: ErrorFault(
        int(fields.needed("error", 400, 599, whole=True)),
        code=fields.code("code"),
        after=fields.is_after("when"),
        retry_after=fields.number("retry-after", 0, 86_400),
    ),
    "gateway": lambda fields: GatewayFault(
        int(fields.needed("gateway", 500, 599, whole=True)), after=fields.is_after("when")
    ),
    "list-lag": lambda fields: ListLagFault(fields.needed("list-lag", 0, 86_400)),
    "truncated": lambda fields: TruncatedFault(int(fields.needed("truncated", 0, _TOP, whole=True))),
    "repeated-page": _repeated,
    "slow-files": lambda fields: SlowFilesFault(fields.needed("slow-files", 0, 86_400)),
    "job-failure": _job_failure,
}


def read_faults(texts: Collection[str], file: Path | None = None) -> tuple[Fault, ...]:
    """Return the faults of the texts, then those of the file.

    Shape:  a text is `lost=after,method=POST,path=/fine_tuning/jobs,nth=1`; a line of the file is the same as an
            object, `{"lost": "after", "method": "POST"}`; empty lines and lines that begin with # are passed over
    Raises: UsageError for the first that cannot be used
    """
    return (*map(_of_text, texts), *(_of_file(file) if file else ()))


def _of_text(text: str) -> Fault:
    fields: dict[str, str] = {}
    for part in text.split(","):
        key, _, value = part.partition("=")
        if key.strip() in fields:
            raise UsageError(f"fault {shlex.quote(text)}: it says {key.strip()} twice; see docs/faults.md")
        fields[key.strip()] = value.strip()
    return _fault(fields, text)


def _of_file(path: Path) -> tuple[Fault, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the faults in {path} cannot be read: {error}") from error
    return tuple(
        _of_line(line, f"{path}:{number}")
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    )


def _of_line(line: str, where: str) -> Fault:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{where}: not a JSON object ({error}); see docs/faults.md") from error
    if not isinstance(found, dict):
        raise UsageError(f"{where}: not a JSON object; see docs/faults.md")
    fields: dict[str, str] = {}
    for key, value in found.items():
        if not isinstance(value, str | int | float):
            raise UsageError(f"{where}: {key} must be a word or a number; see docs/faults.md")
        fields[key] = "" if value is True else str(value)
    try:
        return _fault(fields, ",".join(f"{key}={value}" if value else key for key, value in fields.items()))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _fault(given: Mapping[str, str], text: str) -> Fault:
    fields = _Fields(given, shlex.quote(text))
    named = [name for name in _KINDS if name in given]
    if len(named) != 1:
        raise fields.wrong(f"it must say exactly one of {', '.join(_KINDS)}")
    selected = _Fields({key: value for key, value in given.items() if key in _SELECTORS}, shlex.quote(text))
    for key in _SELECTORS:
        fields.take(key)
    kind = _KINDS[named[0]](fields)
    fields.end()
    nth = selected.number("nth", 1, _TOP, whole=True)
    count = selected.number("count", 1, _TOP, whole=True)
    chance = selected.number("chance", 0, 1)
    return Fault(
        kind=kind,
        text=text,
        method=selected.word("method", METHODS) if "method" in given else None,
        path=_path(given.get("path"), fields),
        first=int(nth or 1),
        # `nth=3` alone hits one request; `nth=3,count=5` hits five from the third on.
        count=int(count) if count else (1 if nth else None),
        chance=1.0 if chance is None else chance,
        seed=int(selected.number("seed", 0, 2**31 - 1, whole=True) or 0),
    )


def _path(path: str | None, fields: _Fields) -> str | None:
    if path is not None and not path.startswith(("/", "*")):
        raise fields.wrong(f"path must begin with / or *, not '{path}'")
    return path
