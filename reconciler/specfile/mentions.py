"""Find which files of a repository name a thing on the service, such as the specs and lock files of other roots.

The text alone is searched: a file counts whatever it is for, also where it is damaged. What a spec builds on in another
environment, what another project has adopted, and what a deployment calls are all found so.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from reconciler.domain.lock import Mentions
from reconciler.domain.observed import CHECKPOINT, plain_id
from reconciler.foundation.path_patterns import MOST_VISITED, TooManyPathsError
from reconciler.specfile.files import is_lock, place_name, yaml_files

_WORD = re.compile(r"[A-Za-z0-9_.:/-]+")
_MOST_BYTES = 16 * 1024 * 1024


def find_mentions(home: Path, things: Collection[str], own: Path, most: int = MOST_VISITED) -> Mentions:
    """Return the first file below a directory that names each thing, in any spelling of its id.

    Shape:  YAML files count, without the lock files in the root `own`; checkpoints are returned whichever they are
    Cost:   one walk without hidden directories, and each YAML file is read once
    """
    wanted, found = {plain_id(thing) for thing in things}, dict[str, str]()
    try:
        paths = yaml_files(home, most)
    except TooManyPathsError:
        return Mentions(doubt=f"{home} holds more than {most:,} files and directories")
    for path in paths:
        if path.parent == own and is_lock(path):
            continue
        for word in _read_words(path):
            if word in wanted or CHECKPOINT in word:
                found.setdefault(word, place_name(path, home))
    return Mentions(files=found)


def _read_words(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return
    for word in set(_WORD.findall(text)):
        yield plain_id(word.strip(".:/-"))
