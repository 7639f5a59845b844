"""Jobs in answers that are no job themselves: wrapped by a gateway, or beside an error. Pure.

A job costs money whatever the answer around it looks like. So an answer to a create is searched for one before it
counts as unknown.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

_MOST_OBJECTS = 10_000
"""How many parts of an answer are looked at."""

_KINDS = frozenset({"fine_tuning.job", "fine-tune", "fine_tune"})
_MEMBERS = frozenset({"training_file", "training_files", "fine_tuned_model"})
_PREFIXES = ("ftjob-", "ft-")
_REFERENCES = ("job_id", "fine_tuning_job_id", "fine_tune_id")
_MARK = "\ufeff".encode()


def find_jobs(body: bytes) -> Iterator[bytes]:
    """Yield every job object of an answer as JSON, the outermost first; where only an id is named, `{"id": …}`."""
    waiting = [_decode(body)]
    for seen, found in enumerate(waiting):
        if seen >= _MOST_OBJECTS:
            return
        if isinstance(found, str):
            # An answer within an answer: gateways pass JSON on as a text.
            waiting += [_decode(found.encode(errors="replace"))] if found.lstrip().startswith(("{", "[")) else []
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            yield from _job_of(found)
            waiting += found.values()


def _job_of(found: dict[str, Any]) -> Iterator[bytes]:
    own = found.get("id")
    is_job = found.get("object") in _KINDS or not _MEMBERS.isdisjoint(found)
    if isinstance(own, str) and own and (is_job or own.startswith(_PREFIXES)):
        yield msgspec.json.encode(found)
        return
    for name in _REFERENCES:
        named = found.get(name)
        if isinstance(named, str) and named:
            yield msgspec.json.encode({"id": named})
            return


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body.removeprefix(_MARK))
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
