"""Errors, classed by what the user does next, and the problems of the input. Prints nothing, decides no exit code."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How much a problem matters: an error stops the run; warnings and information are shown."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Place(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A place in a file.

    Shape:  `file` is relative to the repository with forward slashes; line and column count from 1, 0 is unknown;
            `revision` is that of git where the file is not the one that is checked out
    """

    file: str
    line: int = 0
    column: int = 0
    revision: str = ""

    def __str__(self) -> str:
        numbers = (str(number) for number in (self.line, self.column) if number)
        return ":".join([*filter(None, [self.revision]), self.file, *numbers])


class Problem(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One thing that is wrong with the input, with its place, its rule and a hint.

    Shape:  `path` is the field within the document or row (`hyperparameters.n_epochs`, `messages[2].role`);
            `rule` is a stable name such as `spec.unknown-key` or `chat.last-turn`
    """

    where: Place
    what: str
    path: str = ""
    hint: str = ""
    rule: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.where}  {self.path}: {self.what}" if self.path else f"{self.where}  {self.what}"


_MOST_NAMED = 3
"""The text of an error names the first problem where there are at most so many."""


class ReconcilerError(Exception):
    """The base class of every error that this program raises on purpose."""


class InputError(ReconcilerError):
    """Specs or data are wrong: correct the files and lines named.

    Shape:  `problems` sorted by place; `unshown` counts the problems beyond the limit for each file; the text counts
            the errors, and names the first one where they are few
    """

    def __init__(self, problems: tuple[Problem, ...], unshown: int = 0) -> None:
        self.problems = problems
        self.unshown = unshown
        super().__init__(_summarize(problems, unshown))


def _summarize(problems: tuple[Problem, ...], unshown: int) -> str:
    errors = [each for each in problems if each.severity is Severity.ERROR] or problems
    count = len(errors) + unshown
    text = "1 problem" if count == 1 else f"{count} problems"
    if not errors or count > _MOST_NAMED:
        return text
    # A problem can quote a file, and a traceback shows it on a terminal, which must not obey its control characters.
    first = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in str(errors[0]))
    return f"{text}: {first}" if count == 1 else f"{text}, the first: {first}"


class UsageError(ReconcilerError):
    """The command was called with something that it cannot use: correct the call."""


class StalePlanError(ReconcilerError):
    """A plan that was saved, or returned by `plan`, is no longer true: plan again.

    Shape:  `moved` names the inputs that differ (`specs`, `service`, …)
    """

    def __init__(self, message: str, moved: tuple[str, ...] = ()) -> None:
        self.moved = moved
        super().__init__(message)


class PolicyError(ReconcilerError):
    """A policy or guard refused: decide, and then use the flag that the message names."""


class UnusablePlaceError(ReconcilerError):
    """The system does not let a directory or an address of this machine be used; nothing was sent."""

    @classmethod
    def of_directory(cls, directory: str, error: OSError, advice: str) -> "UnusablePlaceError":
        """Return the error for a directory that cannot be made or written, with what to do about it."""
        why = "it is not a directory" if isinstance(error, FileExistsError) else error.strerror or str(error)
        if error.filename and str(error.filename) != directory:
            why = f"{error.filename}: {why}"
        return cls(f"{directory} cannot be used ({why}), and nothing was sent: {advice}")


class TimeIsUpError(ReconcilerError):
    """The time that the operator gave the command is up, and nothing was sent: run again, or allow more time."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


class JournalError(ReconcilerError):
    """The journal could not be read or written; nothing was sent."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


class ProviderError(ReconcilerError):
    """The service refused, or could not be reached.

    Shape:  `status` is the HTTP status, None without an answer; `code` and `param` are the service's own;
            `request_id` is what its support asks for
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        hint: str = "",
    ) -> None:
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id
        self.hint = hint
        super().__init__(message)


STORE_UNUSABLE = "store_unusable"
"""The code with which the built-in service says that its directory has to be mended first."""


class TemporaryError(ProviderError):
    """The service is busy or unavailable: wait, then run again."""


class DeniedError(ProviderError):
    """The service does not know the caller, or denies access: correct the key or its permissions."""


class RejectedError(ProviderError):
    """The service refused the request as wrong: correct the spec."""


class NotFoundError(ProviderError):
    """The service has no such thing."""


class MalformedError(ProviderError):
    """The answer of the service does not follow its API: no conclusion was drawn from it."""
