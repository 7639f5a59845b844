"""Whom a service says that it answers, in the headers of its answers. Heard, never asked for, and never guessed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_HEADERS = {"organization": "openai-organization", "project": "openai-project", "region": "x-ms-region"}

_MOST_CHARACTERS = 200
"""Longer than any name of an account; what is longer is cut."""


@dataclass(slots=True)
class Account:
    """The account that answers, as far as its answers say.

    Shape:  `warnings` tell of answers for one account and then for another, which make no one picture together
    """

    stated: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)

    def read_headers(self, headers: Mapping[str, str]) -> None:
        """Take note of what an answer says."""
        for what, header in _HEADERS.items():
            found = headers.get(header, "").strip()[:_MOST_CHARACTERS]
            if not found:
                continue
            before = self.stated.setdefault(what, found)
            # One region may serve another's requests; an account is one account.
            if before != found and what != "region":
                self.changed[what] = f"the service answered for the {what} {before}, and then for {found}"

    @property
    def organization(self) -> str | None:
        return self.stated.get("organization")

    @property
    def project(self) -> str | None:
        return self.stated.get("project")

    @property
    def region(self) -> str | None:
        return self.stated.get("region")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Say what makes it doubtful that all answers are about one account."""
        return tuple(self.changed.values())
