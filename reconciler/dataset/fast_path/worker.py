"""A second process of the fast path: it reads blocks of a file by position, and answers with `plain_block` of each.

Requests come on standard input, answers go to standard output, and the process ends with its input.
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
"""How many bytes of canonical lines follow, and how many keys of 8 bytes after these; both zero for an odd block."""

SourceState = tuple[int, int, int]


def source_state(found: os.stat_result) -> SourceState:
    """Return what identifies one state of a file."""
    return found.st_size, found.st_mtime_ns, found.st_ino


def arguments(path: str, row_format: Format, state: SourceState) -> tuple[str, ...]:
    """Return the arguments for `main`."""
    return path, str(row_format), *map(str, state)


def main(argv: Sequence[str]) -> int:
    """Answer until there are no more requests. Answer nothing when the file is not in the state of the arguments."""
    # Ctrl-C reaches every process of the terminal; the process that reads the answers decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    path, name, *state = argv
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
