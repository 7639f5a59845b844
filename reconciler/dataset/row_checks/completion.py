"""Prompt and completion rows (OpenAI legacy fine-tuning guide): the prompt may be empty, the completion may not."""

from collections.abc import Iterator

from reconciler.dataset.row_checks.finding import Finding, Object, kind, unknown_keys

_KEYS = ("prompt", "completion")


def check(row: Object) -> Iterator[Finding]:
    """Yield everything that is wrong with a prompt and completion row."""
    for key in _KEYS:
        if key not in row:
            yield Finding(f"completion.{key}", key, f"there is no `{key}`", "give each row a prompt and a completion")
        elif not isinstance(row[key], str):
            yield Finding(f"completion.{key}", key, f"is {kind(row[key])}, not text", "write it as text, in quotes")
    if row.get("completion") == "":
        yield Finding("completion.completion", "completion", "is empty", "add the text to learn, or drop the row")
    if len(row) > 2 or not row.keys() <= set(_KEYS):
        yield from unknown_keys(row, _KEYS, "completion.unknown-key", "")
