"""What texts should not hold: reserved tokens, secrets, personal data. Shown masked, with the path in the row."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from reconciler.dataset.dataset_checks.example import Example
from reconciler.dataset.places import Places
from reconciler.dataset.row_checks import reserved
from reconciler.dataset.row_checks.personal import personal_of
from reconciler.dataset.row_checks.secrets import secrets_of
from reconciler.domain.errors import Problem, Severity


class _Found(NamedTuple):
    what: str
    severity: Severity = Severity.WARNING


class Within:
    """Looks into every text of a row."""

    def __init__(self, rule: str, hint: str, find: Callable[[str], Iterator[_Found]]) -> None:
        self._rule, self._hint, self._find = rule, hint, find

    def see(self, example: Example, places: Places) -> Iterator[Problem]:
        for path, text in example.texts:
            for what, severity in dict.fromkeys(self._find(text)):
                where = places[example.number]
                yield Problem(
                    where=where, path=path[:200], what=what, hint=self._hint, rule=self._rule, severity=severity
                )

    def end(self, places: Places) -> Iterator[Problem]:
        return iter(())


def reserved_tokens() -> Within:
    """Look for words that mark turns and ends for a model."""
    return Within("text.reserved-token", reserved.HINT, _reserved)


def secrets() -> Within:
    """Look for keys and tokens of services: an error where a checksum proves one."""
    hint = "whoever may use the model may get it to say this: take it out, and make it invalid where it was made"
    return Within("text.secret", hint, _secrets)


def personal_data() -> Within:
    """Look for cards, accounts, e-mail addresses and telephone numbers."""
    hint = "take it out, or put a made-up one in its place"
    return Within("text.personal-data", hint, _personal)


def _reserved(text: str) -> Iterator[_Found]:
    return (_Found(f"a reserved token: {token}") for token in (reserved.tokens_of(text) if "<|" in text else ()))


def _secrets(text: str) -> Iterator[_Found]:
    for kind, shown, is_sure in secrets_of(text):
        what = f"{kind} ({shown}), proved by its checksum" if is_sure else f"what looks like {kind} ({shown})"
        yield _Found(what, Severity.ERROR if is_sure else Severity.WARNING)


def _personal(text: str) -> Iterator[_Found]:
    return (_Found(f"what looks like {kind} ({shown})") for kind, shown in personal_of(text))
