"""A second process of the fast lane: told where a block of a file lies, it answers with what `plain_block` gives.

Its requests come on standard input, its answers go to standard output, and it ends when its input does.
"""

import os
import signal
import struct
import sys
from array import array
from collections.abc import Sequence

from reconciler.dataset.fast_path.decode import plain_block
from reconciler.domain.spec import Format

REQUEST = struct.Struct("<QQ")
"""Where a block begins, and how long it is, in bytes."""

ANSWER = struct.Struct("<QQ")
"""How many bytes of canonical lines follow, and how many keys of 8 bytes after these; none of both for an odd block."""

SourceState = tuple[int, int, int]


def source_state(found: os.stat_result) -> SourceState:
    """Return what tells one state of a file from another."""
    return found.st_size, found.st_mtime_ns, found.st_ino


def arguments(path: str, format: Format, state: SourceState) -> tuple[str, ...]:  # noqa: A002 (the word of the field)
    """Return the words that `main` reads."""
    return path, str(format), *map(str, state)


def main(words: Sequence[str]) -> int:
    """Answer until there are no more requests; nothing at all of a file that is not in the state named."""
    # Ctrl-C reaches every process of the terminal; the one that reads the answers decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    path, name, *state = words
    kind = Format(name)
    with open(path, "rb", buffering=0) as file:
        if source_state(os.fstat(file.fileno())) != tuple(map(int, state)):
            return 1
        while request := sys.stdin.buffer.read(REQUEST.size):
            at, length = REQUEST.unpack(request)
            block = os.pread(file.fileno(), length, at)
            text, keys = (plain_block(block, kind) if len(block) == length else None) or (b"", ())
            sys.stdout.buffer.write(ANSWER.pack(len(text), len(keys)))
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.write(array("Q", keys).tobytes())
            sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
