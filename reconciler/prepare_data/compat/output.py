"""Prepared lines and prepared files: written beside the input, whole or not at all, and never over another file."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

_ESCAPES = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = re.compile(r'[\x00-\x1f"\\/]')


def format_row(prompt: str, completion: str) -> str:
    """Write a row as the old tool did: compact, `/` escaped, what is not ASCII as it is."""
    return f'{{"prompt":"{_escape(prompt)}","completion":"{_escape(completion)}"}}\n'


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}", text)


def write_new_files(files: Mapping[Path, str]) -> None:
    """Write files that do not exist yet: each appears under its name only when all of them are written.

    Raises: OSError, FileExistsError among them, with nothing left behind
    """
    drafts: list[tuple[Path, Path]] = []
    made: list[Path] = []
    try:
        for path, text in files.items():
            draft = path.with_name(f".{path.name}.{os.getpid()}.part")
            drafts.append((draft, path))
            with open(draft, "x", encoding="utf-8", newline="") as file:
                file.write(text)
        for draft, path in drafts:
            _publish(draft, path)
            made.append(path)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    finally:
        for draft, _ in drafts:
            draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    # A link refuses a name that is taken, where a rename would put itself in its place.
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no links: there the name is taken first, and the content follows.
        path.touch(exist_ok=False)
        draft.replace(path)
