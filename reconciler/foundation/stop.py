"""A stop request that a signal handler may make."""

import queue


class Stop:
    """A stop request, and a sleep that ends when it is made.

    Not a `threading.Event`: a handler runs between two instructions of the main thread, and setting an event takes a
    lock that the main thread may hold at that moment, when it has just begun to wait for the event. The process would
    then hang. A `SimpleQueue` guarantees that its `put` may interrupt its `get`.
    """

    def __init__(self) -> None:
        self._asked = False
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """Request a stop, from any thread or from a signal handler, any number of times."""
        self._asked = True
        self._bell.put(None)

    def is_set(self) -> bool:
        """Return whether a stop was requested."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Sleep for some seconds, or until a stop is requested. Return whether one was requested."""
        if not self._asked:
            try:
                self._bell.get(timeout=seconds)
            except queue.Empty:
                return self._asked
            # Other threads that sleep on the same request must wake up too.
            self._bell.put(None)
        return self._asked
