"""What was found in a file, and what would mend it, as data."""

import msgspec

from reconciler.domain.errors import Problem
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    Deduplicate,
    DropEmpty,
    DropLong,
    EnsureLeadingSpace,
    FillTemplate,
    KeepColumns,
    LowerCase,
    RemovePrefix,
    Rename,
)

SHOWN_LINES = 10

RemedyStep = (
    Rename
    | KeepColumns
    | FillTemplate
    | LowerCase
    | AddPrefix
    | AddSuffix
    | RemovePrefix
    | EnsureLeadingSpace
    | DropEmpty
    | Deduplicate
    | DropLong
)
"""The steps that remedies are made of."""


class FileFinding(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth knowing about the rows.

    Shape:  `lines` are those of the rows it is about, in the file, from 1; empty when it is about all
    """

    name: str
    what: str
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        if not self.lines:
            return self.what
        first = ", ".join(map(str, self.lines[:SHOWN_LINES]))
        more = len(self.lines) - SHOWN_LINES
        return f"{self.what}: line{'s' if len(self.lines) > 1 else ''} {first}{f' and {more} more' if more > 0 else ''}"


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """Steps that mend something; without the `necessary` ones the rows are no prompts and completions."""

    name: str
    what: str
    necessary: bool
    steps: tuple[RemedyStep, ...]


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule has to say; a problem ends the examination."""

    findings: tuple[FileFinding, ...] = ()
    remedy: Remedy | None = None
    problem: Problem | None = None


NO_RESULT = RuleResult()
