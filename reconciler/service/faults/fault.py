"""Faults as values, and their parser: `KIND=VALUE,KEY=VALUE,…` on the command line, an object a line in a file."""

import json
import math
import re
import shlex
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta, inspect

from reconciler.domain.errors import UnusablePlaceError, UsageError

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


TOP = 1_000_000

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Code = Annotated[str, Meta(pattern="_*[A-Za-z0-9][A-Za-z0-9_]*")]
Count = Annotated[int, Meta(ge=1, le=TOP)]

_LIST = re.compile(r".*/(files|models|fine_tuning/jobs|fine-tunes|events|checkpoints)")
_CREATED_JOB = re.compile(r".*/(fine_tuning/jobs|fine-tunes)")


class LatencyFault(msgspec.Struct, frozen=True, tag="latency"):
    """The answer is delayed."""

    seconds: Annotated[float, Meta(ge=0, le=3600)]


class LostFault(msgspec.Struct, frozen=True, tag="lost"):
    """The connection is closed without an answer, before the request is handled or after it."""

    after: bool


class CutFault(msgspec.Struct, frozen=True, tag="cut"):
    """The connection is closed after this many bytes of the answer's body."""

    size_bytes: Annotated[int, Meta(ge=0, le=1 << 40)]


class TooManyFault(msgspec.Struct, frozen=True, tag="too-many", rename="kebab"):
    """Status 429, with a code that says why."""

    code: Annotated[str, Meta(extra={"words": tuple(TOO_MANY)})]
    retry_after: Seconds | None = None


class ErrorFault(msgspec.Struct, frozen=True, tag="error", rename="kebab"):
    """An error in the API's envelope. The request is not handled or, where `after`, handled before."""

    status: Annotated[int, Meta(ge=400, le=599)]
    code: Code | None = None
    after: bool = msgspec.field(default=False, name="when")
    retry_after: Seconds | None = None


class GatewayFault(msgspec.Struct, frozen=True, tag="gateway"):
    """The HTML error page of a gateway."""

    status: Annotated[int, Meta(ge=500, le=599)]
    after: bool = msgspec.field(default=False, name="when")


class ListLagFault(msgspec.Struct, frozen=True, tag="list-lag"):
    """Objects younger than this are missing from lists. They are found by id."""

    seconds: Seconds


class TruncatedFault(msgspec.Struct, frozen=True, tag="truncated"):
    """Lists end after this many items, and say that nothing follows."""

    items: Annotated[int, Meta(ge=0, le=TOP)]


class RepeatedPageFault(msgspec.Struct, frozen=True, tag="repeated-page"):
    """Every page of a list is its first one, and says that more follows."""


class SlowFilesFault(msgspec.Struct, frozen=True, tag="slow-files"):
    """Files younger than this are shown as not yet processed."""

    seconds: Seconds


class JobFailureFault(msgspec.Struct, frozen=True, tag="job-failure"):
    """A job fails with this code as soon as it was created."""

    code: Code = "server_error"


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

_KINDS: Mapping[str, type[msgspec.Struct]] = {str(kind.__struct_config__.tag): kind for kind in get_args(FaultKind)}


class _Selectors(msgspec.Struct, frozen=True, kw_only=True):
    method: Annotated[str, Meta(extra={"words": ("GET", "POST", "DELETE")})] | None = None
    path: Annotated[str, Meta(extra={"begins": ("/", "*")})] | None = None
    nth: Count | None = None
    count: Count | None = None
    chance: Annotated[float, Meta(ge=0, le=1)] = 1.0
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


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
    except OSError as error:
        raise UnusablePlaceError(
            f"the faults in {path} cannot be read ({error.strerror}): name a file with one JSON object a line"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the faults in {path} cannot be read: {error}; see docs/faults.md") from error
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
    quoted = shlex.quote(text)
    kinds = [name for name in _KINDS if name in given]
    if len(kinds) != 1:
        raise _mistake(quoted, f"it must say exactly one of {', '.join(_KINDS)}")
    known = set(_Selectors.__struct_fields__)
    kind = _read_struct(
        _KINDS[kinds[0]], {key: value for key, value in given.items() if key not in known}, quoted, kinds[0]
    )
    chosen = _read_struct(_Selectors, {key: value for key, value in given.items() if key in known}, quoted)
    return Fault(
        kind=kind,
        text=text,
        method=chosen.method,
        path=chosen.path,
        first=chosen.nth or 1,
        # `nth=3` alone hits one request; `nth=3,count=5` hits five from the third on.
        count=chosen.count or (1 if chosen.nth else None),
        chance=chosen.chance,
        seed=chosen.seed,
    )


def _read_struct(struct: type[msgspec.Struct], given: dict[str, str], quoted: str, kind: str = "") -> Any:
    """Read the fields of a struct from texts. The key of the first field of a kind is the name of the kind."""
    fields = msgspec.structs.fields(struct)
    keys = [kind or field.encode_name if place == 0 else field.encode_name for place, field in enumerate(fields)]
    if kind and not fields and given[kind]:
        raise _mistake(quoted, f"{kind} takes no value, not '{given[kind]}'")
    if unknown := sorted(given.keys() - {kind, *keys}):
        raise _mistake(quoted, f"no field is called {', '.join(unknown)}; the fields are {', '.join(keys)}")
    values = {}
    for key, field in zip(keys, fields, strict=True):
        if key in given and (given[key] or field.type not in (Code, Code | None)):
            values[field.name] = _read_value(key, given[key], inspect.type_info(field.type), quoted)
    return struct(**values)


def _read_value(key: str, text: str, kind: inspect.Type, quoted: str) -> object:
    match kind:
        case inspect.UnionType(types=types):
            return _read_value(key, text, next(inner for inner in types if inner != inspect.NoneType()), quoted)
        case inspect.FloatType(ge=low, le=high) | inspect.IntType(ge=low, le=high):
            whole = isinstance(kind, inspect.IntType)
            try:
                value = int(text) if whole else float(text)
            except ValueError:
                value = math.nan
            if low is None or high is None or not low <= value <= high:
                word = "a whole number" if whole else "a number"
                raise _mistake(quoted, f"{key} must be {word} from {low:g} to {high:g}, not '{text}'")
            return value
        case inspect.BoolType():
            return _read_word(key, text, ("before", "after"), quoted) == "after"
        case inspect.Metadata(extra={"words": words}):
            return _read_word(key, text, words, quoted)
        case inspect.Metadata(extra={"begins": begins}):
            if not text.startswith(begins):
                raise _mistake(quoted, f"{key} must begin with {' or '.join(begins)}, not '{text}'")
        case inspect.StrType(pattern=pattern):
            if not re.fullmatch(pattern or "", text):
                raise _mistake(quoted, f"{key} must be a word such as server_error, not '{text}'")
    return text


def _read_word(key: str, text: str, words: Collection[Any], quoted: str) -> str:
    if text not in words:
        raise _mistake(quoted, f"{key} must be one of {', '.join(words)}, not '{text}'")
    return text


def _mistake(quoted: str, what: str) -> UsageError:
    return UsageError(f"fault {quoted}: {what}; see docs/faults.md")
