"""A sandbox for tests: a service in memory, a clock that moves only when a caller waits, and no threads."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Desired, Measure, Model
from reconciler.domain.event import Event, Finished, Outcome
from reconciler.domain.identity import Digest
from reconciler.domain.lock import Lock
from reconciler.domain.plan import Options, Plan
from reconciler.executor import RunContext, execute
from reconciler.planner import make_plan
from reconciler.testing import MemoryProvider
from tests.factories import LONG_AGO, a_dataset, desired


@dataclass
class Clock:
    """Time that passes only in a sleep; what is due meanwhile happens on the way."""

    now: float = float(LONG_AGO)
    due: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        ready = [each for each in self.due if each[0] <= self.now]
        self.due = [each for each in self.due if each[0] > self.now]
        for _, happen in ready:
            happen()

    def after(self, seconds: float, happen: Callable[[], object]) -> None:
        self.due.append((self.now + seconds, happen))


class Sandbox:
    """A service, a clock, and the data on disk."""

    def __init__(self, **settings: object) -> None:
        self.clock = Clock()
        self.service = MemoryProvider(clock=self.clock, **settings)  # type: ignore[arg-type]  # handed on by name
        self.stopped = False
        self.lock = Lock()

    def context(self) -> RunContext:
        return RunContext(
            provider=self.service,
            open_dataset=lines_of,
            clock=self.clock,
            sleep=self.clock.sleep,
            stopping=lambda: self.stopped,
        )

    def plan(self, *models: Model, options: Options | None = None) -> Plan:
        return make_plan(
            self.wanted(*models),
            self.service.observe(),
            lock=self.lock,
            options=options or Options(),
            provider=self.service.name,
            capabilities=self.service.capabilities,
        )

    def wanted(self, *models: Model) -> Desired:
        return desired(*models)

    def carry_out(self, plan: Plan, *models: Model) -> list[Event]:
        context = self.context()
        context.remember(self.service.observe(), self.wanted(*models).datasets)
        return list(execute(plan, context))

    def apply(self, *models: Model, options: Options | None = None) -> list[Event]:
        """Plan and do it; return what happened."""
        return self.carry_out(self.plan(*models, options=options), *models)

    def converge(self, *models: Model) -> None:
        """Apply and let every job succeed."""
        self.apply(*models)
        for job in list(self.service.jobs.values()):
            if job.status.is_active:
                self.service.finish(job.id)


def outcomes(events: list[Event]) -> list[Outcome]:
    """How the steps ended, in the order in which they did."""
    return [event.outcome for event in events if isinstance(event, Finished)]


def lines_of(dataset: Dataset) -> Iterator[bytes]:
    """The bytes of a dataset made by `real_dataset`: its word on every line, in two blocks."""
    content = content_of(dataset.spec.description)
    half = len(content) // 2
    yield content[:half]
    yield content[half:]


def content_of(word: str) -> bytes:
    return f'{{"prompt":"{word}","completion":"{word}"}}\n'.encode() * 10


def real_dataset(name: str = "tickets", word: str = "rows") -> Dataset:
    """A dataset whose bytes exist: its digest is the digest of what `lines_of` gives."""
    made, content = a_dataset(name), content_of(word)
    digest = Digest("v1", hashlib.sha256(content).hexdigest())
    measure = Measure(digest=digest, rows=10, size_bytes=len(content))
    return replace(made, spec=replace(made.spec, description=word), measure=measure)
