"""Time and turns. All actors share one clock, and exactly one moves at a time, so that one seed is one history.

An actor hands its turn over at every call and at every sleep; who goes on is for a chooser to say. Alone, an actor runs
in the thread it was called from; several have a thread each and pass a baton.
"""

import heapq
import itertools
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

START = 1_790_000_000.0

PLAIN_LOOK = 2.0
TROUBLED_LOOK = 1000.0
"""How long a look takes all in all: longer than any of its threads can have waited, with trouble and without."""

Chooser = Callable[[int, bool], int]
"""Takes how many may go on, and whether the first of them is the one that had the turn; return the index of one."""


class KilledError(BaseException):
    """The end of a process. Nothing catches it, and nothing that it knew survives."""


class Time:
    """Time that passes only when an actor waits; what is due happens on the way, in its order."""

    def __init__(self) -> None:
        self.now = START
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def after(self, seconds: float, happen: Callable[[], object]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._numbers), happen))

    def pass_until(self, when: float) -> None:
        while self._due and self._due[0][0] <= when:
            at, _, happen = heapq.heappop(self._due)
            self.now = max(self.now, at)
            happen()
        self.now = max(self.now, when)


@dataclass
class Actor:
    """One process as the simulation sees it.

    Shape:  `ahead` is the difference of its own clock, from which only spans may be read; `spans` are the waits of
            threads that read side by side, and `troubled` says that one of them had a fault
    """

    name: str
    scheduler: "Scheduler"
    ahead: float = 0.0
    alive: bool = True
    ended: bool = False
    wake: float = START
    looking: bool = False
    troubled: bool = False
    spans: dict[int, float] = field(default_factory=dict)
    baton: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def now(self) -> float:
        """The simulated time, as far as this thread of the actor has waited."""
        return self.scheduler.time.now + (self.spans.get(threading.get_ident(), 0.0) if self.looking else 0.0)

    def clock(self) -> float:
        return self.now + self.ahead

    def sleep(self, seconds: float) -> None:
        """Wait. Waits that a caller made a little random are rounded, so that chance plays no part in a history."""
        self.touch()
        whole = seconds if seconds < 0.25 else 2.0 ** math.ceil(math.log2(max(seconds, 1.0)))
        self.rest(whole)

    def doze(self, seconds: float) -> None:
        """Wait exactly so long."""
        self.touch()
        self.rest(seconds)

    def rest(self, seconds: float) -> None:
        if self.looking:
            me = threading.get_ident()
            self.spans[me] = self.spans.get(me, 0.0) + seconds
        else:
            self.scheduler.rest(self, seconds)
        self.touch()

    def touch(self) -> None:
        """Raise KilledError when this actor is dead."""
        if not self.alive:
            raise KilledError(self.name)

    def kill(self) -> None:
        self.alive = False
        raise KilledError(self.name)

    def looked(self) -> None:
        """End a read by several threads side by side. How long it took must not depend on their order."""
        self.looking = False
        self.spans.clear()
        if self.alive:
            self.rest(TROUBLED_LOOK if self.troubled else PLAIN_LOOK)
        self.troubled = False


class Scheduler:
    """Lets actors move, one at a time."""

    def __init__(self, choose: Chooser = lambda _count, _same: 0) -> None:
        self.time = Time()
        self.choose = choose
        self._actors: list[Actor] = []
        self._bugs: list[BaseException] = []

    def enter(self, name: str, ahead: float = 0.0) -> Actor:
        actor = Actor(name=name, scheduler=self, ahead=ahead, wake=self.time.now)
        self._actors.append(actor)
        return actor

    def rest(self, actor: Actor, seconds: float) -> None:
        actor.wake = self.time.now + seconds
        following = self._following(actor)
        if following is not actor and following is not None:
            following.baton.release()
            actor.baton.acquire()

    def play(self, *parts: tuple[Actor, Callable[[], object]]) -> None:
        """Let actors do their parts, to the end of all of them.

        Raises: whatever a part raised that is not its own death
        """
        if len(parts) == 1:
            self._act(*parts[0])
        else:
            over = threading.Semaphore(0)
            threads = [threading.Thread(target=self._in_turn, args=(*part, over), daemon=True) for part in parts]
            for thread in threads:
                thread.start()
            begins = self._following(None)
            assert begins
            begins.baton.release()
            over.acquire()
            for thread in threads:
                thread.join()
        self._actors = [actor for actor in self._actors if not actor.ended]
        if self._bugs:
            raise self._bugs.pop()

    def _act(self, actor: Actor, part: Callable[[], object]) -> None:
        try:
            part()
        except KilledError:
            pass
        except BaseException as bug:
            self._bugs.append(bug)
        actor.ended = True

    def _in_turn(self, actor: Actor, part: Callable[[], object], over: threading.Semaphore) -> None:
        actor.baton.acquire()
        self._act(actor, part)
        following = self._following(None)
        (following.baton if following else over).release()

    def _following(self, current: Actor | None) -> Actor | None:
        there = [actor for actor in self._actors if not actor.ended]
        if not there:
            return None
        self.time.pass_until(max(self.time.now, min(actor.wake for actor in there)))
        ready = [actor for actor in there if actor.wake <= self.time.now]
        same = current in ready
        if current is not None and same:
            ready.remove(current)
            ready.insert(0, current)
        return ready[self.choose(len(ready), same) if len(ready) > 1 else 0]
