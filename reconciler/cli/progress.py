"""Tells of long readings on a terminal, on one line that is taken away again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.cli.console import Console

_TOLD_BYTES = 8_000_000


@contextmanager
def show_progress(console: Console) -> Iterator[Callable[[str, int], None]]:
    """Yield what is to be told the name of a dataset and the bytes of it that were read so far."""
    told: dict[str, int] = {}

    def tell(name: str, size_bytes: int) -> None:
        if console.is_terminal and size_bytes - told.get(name, 0) >= _TOLD_BYTES:
            told[name] = size_bytes
            console.err.write(f"\rReading {name}: {size_bytes // 1_000_000} MB ")
            console.err.flush()

    try:
        yield tell
    finally:
        if told:
            console.err.write("\r\x1b[K")
