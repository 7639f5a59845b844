"""A wish to stop that a signal handler may speak."""

import queue


class Stop:
    """Somebody's wish to stop, and a sleep that ends when it comes.

    Not a `threading.Event`: a handler runs between two instructions of whatever the main thread does, and setting an
    event takes a lock that the main thread may hold at that instant, when it has just gone to sleep on the event. The
    process would then hang for ever. A `SimpleQueue` promises that its `put` may interrupt its `get`.
    """

    def __init__(self) -> None:
        self._asked = False
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """Ask to stop, from any thread or from a signal handler, as often as one likes."""
        self._asked = True
        self._bell.put(None)

    def is_set(self) -> bool:
        """Return whether somebody asked."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or until somebody asks; tells whether somebody did."""
        if not self._asked:
            try:
                self._bell.get(timeout=seconds)
            except queue.Empty:
                return self._asked
            # Whoever else sleeps on the same wish must hear it too.
            self._bell.put(None)
        return self._asked
