"""Generated histories of names: `python -m tests.simulation.histories --histories 20000`.

Models are renamed, removed, pruned, superseded, imported and forgotten, in three environments of one tree, by runs that
are killed and refused. After each write that took effect, and after each step, an oracle that knows neither planner nor
executor checks:

    nothing that a lock file, a wanted model, a base or another project names is gone
    no job is cancelled without the job that takes its place
    no version has two live jobs, and nothing of others is touched
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from msgspec.structs import replace as revalue

from reconciler.domain.desired import DatasetMeasure, Desired, Measure, Model
from reconciler.domain.errors import Place, ProviderError, RejectedError
from reconciler.domain.event import Finished
from reconciler.domain.lock import Lock, OtherLock
from reconciler.domain.observed import CANCELLED, SUCCEEDED, FileId, JobId, JobStatus, ModelId, RemoteJob
from reconciler.domain.plan import Options
from reconciler.domain.ports import Write
from reconciler.domain.renames import NameMap
from reconciler.domain.spec import Adoption, DatasetSpec, Format, ModelSpec, OnChange, ProjectSpec, Recipe, Specs
from reconciler.executor import MemoryJournal, RunContext, execute
from reconciler.planner import make_plan
from reconciler.providers import with_renames
from reconciler.testing import MemoryProvider
from reconciler.workflow import CheckedSpecs
from reconciler.workflow.apply import RunTally, select_serving_jobs
from reconciler.workflow.lock import make_entry, next_lock
from reconciler.workflow.plan import PreparedPlan
from reconciler.workflow.refresh import confirm_models, find_unlisted_jobs
from tests.simulation.sandbox import Clock, lines_of, real_dataset

NAMES = ("a", "b", "c", "d", "e")
ENVIRONMENTS = ("", "stage", "prod")
STEPS = 16
_PLACE = Place(file="specs/all.yaml", line=1, column=1)


class KilledRunError(BaseException):
    """The process of a run ends here."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the specs say of one model."""

    epochs: int = 1
    base: str = "curie"
    moved: tuple[str, ...] = ()
    on_change: OnChange = OnChange.WAIT
    suspend: bool = False
    adopt: JobId | None = None


class WatchedService(MemoryProvider):
    """The service in memory. It kills its caller at a chosen write, and shows each effect to the oracle."""

    def __init__(self, watch: Callable[[str, str], None], **settings: Any) -> None:
        super().__init__(**settings)
        self.watch = watch
        self.writes_left = -1
        self.dies_after = False
        self.environment = ""

    def _write(self, verb: str, make: Callable[[], Any]) -> Write[Any]:
        self.writes_left -= 1
        if self.writes_left == 0 and not self.dies_after:
            raise KilledRunError
        before = self._what_is_there()
        written = super()._write(verb, make)
        for what, thing in self._what_is_there() - before:
            if what == "made":
                self.jobs[JobId(thing)] = revalue(self.jobs[JobId(thing)], environment=self.environment)
            self.watch(what, thing)
        if self.writes_left == 0:
            raise KilledRunError
        return written

    def _what_is_there(self) -> set[tuple[str, str]]:
        known = {each.model for each in self.jobs.values() if each.model}
        gone = {("gone", model) for model in known if model not in self.models}
        return {
            *gone,
            *(("cancelled", job.id) for job in self.jobs.values() if job.status == CANCELLED),
            *(("made", job.id) for job in self.jobs.values()),
        }


@dataclass
class NamesHistory:
    """One history: the specs, a lock file for each environment, a service, and what was violated."""

    seed: int
    wishes: dict[str, Wish] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    runs: int = 0
    environment: str = ""

    def __post_init__(self) -> None:
        self.dice = random.Random(f"names {self.seed}")
        self.clock = Clock()
        self.service = WatchedService(self._see, clock=self.clock)
        self.journal = MemoryJournal()
        self.locks = {environment: Lock() for environment in ENVIRONMENTS}
        self.lost: set[str] = set()
        self.dropped: set[str] = set()
        self.foreign_bases: set[str] = set()

    # ---- what the specs say ----

    @property
    def specs(self) -> Specs:
        rows = real_dataset()
        data = DatasetSpec(name=rows.name, place=_PLACE, sources=("rows.csv",), description="rows")
        project = ProjectSpec(
            name="acme", environment=self.environment or None, environments=tuple(filter(None, ENVIRONMENTS))
        )
        models = tuple(self._spec(name, wish) for name, wish in sorted(self.wishes.items()))
        return Specs(root="specs", project=project, datasets=(data,), models=models)

    def _spec(self, name: str, wish: Wish) -> ModelSpec:
        recipe = Recipe(base=wish.base, hyperparameters=(("n_epochs", wish.epochs),))
        spec = ModelSpec(
            name=name,
            place=_PLACE,
            recipe=recipe,
            training="tickets",
            moved=wish.moved,
            on_change=wish.on_change,
            suspend=wish.suspend,
        )
        if wish.adopt is None:
            return spec
        digest = self._join(Specs(root="specs", project=ProjectSpec(), models=(spec,))).models[0].stamp.digest
        return revalue(spec, adopt=Adoption(job=wish.adopt, digest=digest))

    def _join(self, specs: Specs) -> Desired:
        rows = real_dataset()
        data = DatasetSpec(name=rows.name, place=_PLACE, sources=("rows.csv",), description="rows")
        measure = Measure(digest=rows.measure.digest, rows=10, size_bytes=rows.measure.size_bytes)
        measures = {"tickets": DatasetMeasure(format=Format.COMPLETION, training=measure)}
        return Desired.join(revalue(specs, datasets=(data,)), measures, ())

    # ---- what happens ----

    def play(self) -> None:
        """Let so many steps happen, and check after each of them."""
        for _ in range(STEPS):
            happen = self.dice.choice(_HAPPENINGS)
            self.story.append(happen.__name__)
            happen(self)
            self.check()

    def pick(self, *things: Any) -> Any:
        return self.dice.choice(things)

    def add(self) -> None:
        free = [name for name in NAMES if name not in self.wishes and not self._is_old(name)]
        if free:
            epochs, on_change = self.pick(1, 1, 2), self.pick(*OnChange)
            bases = sorted(model for model in self.service.models if self.dice.random() < 0.1)
            base = bases[0] if bases else "curie"
            self.wishes[self.pick(*free)] = Wish(epochs=epochs, on_change=on_change, base=base)

    def edit(self) -> None:
        if name := self._any_name():
            self.wishes[name] = replace(self.wishes[name], epochs=self.pick(1, 2, 3))

    def suspend(self) -> None:
        if name := self._any_name():
            self.wishes[name] = replace(self.wishes[name], suspend=not self.wishes[name].suspend)

    def remove(self) -> None:
        if name := self._any_name():
            del self.wishes[name]

    def rename(self) -> None:
        free = [name for name in NAMES if name not in self.wishes and not self._is_old(name)]
        if free and (name := self._any_name()):
            wish = self.wishes.pop(name)
            moved = (*wish.moved, name) if self.dice.random() < 0.7 else ()
            self.wishes[self.pick(*free)] = replace(wish, moved=moved)

    def drop_moved(self) -> None:
        for name, wish in self.wishes.items():
            self.wishes[name] = replace(wish, moved=())

    def adopt(self) -> None:
        job = JobId(f"ftjob-theirs-{len(self.service.foreign)}")
        free = [name for name in NAMES if name not in self.wishes and not self._is_old(name)]
        if free:
            model = ModelId(f"ft:theirs:{job}")
            theirs = RemoteJob(id=job, status=SUCCEEDED, base="curie", model=model, training_file=FileId("file-theirs"))
            self.service.foreign.append(theirs)
            self.service.models.add(model)
            self.wishes[self.pick(*free)] = Wish(adopt=job)

    def build_on_ours(self) -> None:
        """Let another project begin a job on a model of ours, or on a checkpoint of it."""
        ours = sorted(job.model for job in self.service.jobs.values() if job.model in self.service.models and job.model)
        if ours:
            model = self.pick(*ours)
            base = model + self.pick("", ":ckpt-step-7")
            job = JobId(f"ftjob-theirs-{len(self.service.foreign)}")
            self.service.foreign.append(RemoteJob(id=job, status=JobStatus("running"), base=base))
            self.foreign_bases.add(model)

    def forget(self) -> None:
        environment = self.pick(*ENVIRONMENTS)
        entries = self.locks[environment].entries
        if entries:
            gone = self.pick(*entries)
            kept = tuple(entry for entry in entries if entry.address != gone.address)
            self.locks[environment] = revalue(self.locks[environment], entries=kept)

    def finish_jobs(self) -> None:
        for job in list(self.service.jobs.values()):
            if job.status.is_active and self.dice.random() < 0.8:
                self.service.finish(job.id)

    def fail_jobs(self) -> None:
        for job in list(self.service.jobs.values()):
            if job.status.is_active and self.dice.random() < 0.5:
                self.service.fail(job.id, self.pick("server_error", "invalid_rows"), "it did not work out")

    def lose_model(self) -> None:
        ours = sorted(job.model for job in self.service.jobs.values() if job.model in self.service.models and job.model)
        if ours:
            model = self.pick(*ours)
            self.service.models.discard(model)
            self.lost.add(model)

    def apply(self) -> None:
        """Let one run apply the specs in an environment; perhaps it prunes, is refused, or is killed."""
        self.environment = self.service.environment = self.pick(*ENVIRONMENTS)
        names = sorted(self.wishes)
        options = Options(
            prune=self.dice.random() < 0.6,
            retry=frozenset(names if self.dice.random() < 0.2 else ()),
            replace=frozenset(names if self.dice.random() < 0.2 else ()),
            target=frozenset({self.pick(*names)} if names and self.dice.random() < 0.1 else ()),
            allow=frozenset({"empty-specs", "amnesia"}),
        )
        if self.dice.random() < 0.25:
            refusal: ProviderError = RejectedError("not on this account", status=403)
            self.service.refuse_next(refusal, of=self.pick("train", "upload", "cancel", "delete"))
        if self.dice.random() < 0.15:
            self.service.lose_next_reply(effect=bool(self.pick(0, 1)), of=self.pick("train", "cancel", "delete"))
        self.service.writes_left = self.pick(1, 2, 3) if self.dice.random() < 0.25 else -1
        self.service.dies_after = bool(self.pick(0, 1))
        try:
            self._run(options)
        except KilledRunError:
            self.story.append("killed")
        except ProviderError as error:
            self.story.append(f"refused: {error}")
        finally:
            self.service.writes_left = -1

    def _run(self, options: Options) -> None:
        self.runs += 1
        specs, own = self.specs, self.locks[self.environment]
        names = NameMap.of(specs)
        lock = names.rename_lock(own)
        others = tuple(
            OtherLock(file=f"models.{each}.lock.yaml", environment=each, lock=names.rename_lock(beside))
            for each, beside in self.locks.items()
            if each != self.environment
        )
        provider = with_renames(self.service, NameMap.of(specs, (lock, *(other.lock for other in others))))
        desired = self._join(specs)
        observed = find_unlisted_jobs(provider.observe(), desired, lock, options, provider)
        observed = confirm_models(observed, desired, lock, provider)
        plan = make_plan(
            desired,
            observed,
            lock=lock,
            other_locks=others,
            options=options,
            provider=provider.name,
            capabilities=provider.capabilities,
        )
        self.story.append(f"{self.environment or 'no environment'}: {[str(step.id) for step in plan.steps]}")
        if plan.refused:
            self.story.append(f"refused by {[refusal.policy for refusal in plan.refused]}")
            return
        context = RunContext(
            provider=provider,
            open_dataset=lines_of,
            clock=self.clock,
            sleep=self.clock.sleep,
            journal=self.journal,
            run=f"run{self.runs}",
        )
        context.remember(observed, desired.datasets)
        if self.dice.random() < 0.2:
            self._meddle(desired)
        prepared = PreparedPlan(
            setting=cast(Any, None),
            checked=CheckedSpecs(specs=specs, measures={}),
            desired=desired,
            observed=observed,
            lock=lock,
            options=options,
            plan=plan,
        )
        tally = RunTally()
        for event in execute(plan, context):
            tally.count(event)
            if isinstance(event, Finished):
                self.story.append(f"{event.step.id} {event.outcome}: {event.message}")
        serving = [
            make_entry(job, provider.name, observed.service, ())
            for job in select_serving_jobs(prepared, tally).values()
            if job.model
        ]
        self.locks[self.environment] = next_lock(lock, desired, observed, serving, tally.cancelled)

    def _meddle(self, desired: Desired) -> None:
        """Let something change on the service after the plan was made: a person takes an hour to approve it."""
        happen = self.pick(
            NamesHistory.lose_model, NamesHistory.finish_jobs, NamesHistory.fail_jobs, NamesHistory.build_on_ours
        )
        self.story.append(f"after the plan: {happen.__name__}")
        happen(self)
        for model in desired.models if self.dice.random() < 0.3 else ():
            if not any(model.bears(job.stamp) for job in self.service.jobs.values()):
                # Another run creates the job first, and it comes to nothing.
                job = JobId(f"ftjob-twin-{self.runs}")
                made = RemoteJob(id=job, stamp=model.stamp, status=JobStatus("failed"), base=model.recipe.base)
                self.service.put(revalue(made, environment=self.environment))
                return

    # ---- what is promised ----

    def check(self) -> None:
        """Check what must hold between steps."""
        for environment, lock in self.locks.items():
            for entry in lock.entries:
                if entry.model not in self.service.models | self.lost | self.dropped:
                    self.violate(f"{entry.model}, which {environment or 'no environment'} names, is gone")
        live: dict[str, int] = {}
        for job in self.service.jobs.values():
            if job.status.is_active:
                live[str(job.stamp)] = live.get(str(job.stamp), 0) + 1
        for stamp, count in live.items():
            if count > 1:
                self.violate(f"{stamp} has {count} running jobs")

    def _see(self, what: str, thing: str) -> None:
        match what:
            case "gone":
                self._check_delete(ModelId(thing))
            case "cancelled":
                self._check_cancel(self.service.jobs[JobId(thing)])

    def _check_delete(self, model: ModelId) -> None:
        (job,) = [each for each in self.service.jobs.values() if each.model == model]
        if job.environment != self.environment:
            self.violate(f"{model} was deleted, and {job.environment or 'no environment'} made it")
        for environment, lock in self.locks.items():
            for entry in lock.entries:
                is_named = entry.model == model or (
                    environment != self.environment and entry.address.name == self._today(job)
                )
                if is_named and (environment != self.environment or self._today_of(entry.address.name) in self.wishes):
                    self.violate(f"{model} was deleted, and the lock of {environment or 'no environment'} names it")
                elif entry.model == model:
                    self.dropped.add(model)
        if self._owner(job):
            self.violate(f"{model} was deleted, which is {self._owner(job)} of the specs")
        if model in self.foreign_bases or model in {wish.base for wish in self.wishes.values()}:
            self.violate(f"{model} was deleted, and something builds on it")
        for name in self._heirs():
            self.violate(f"{model} was deleted, and {name}, which may be its new name, has no model")

    def _check_cancel(self, job: RemoteJob) -> None:
        owner = self._owner(job)
        if owner:
            same = [each for each in self._jobs_of(owner) if each.id != job.id and self._is_wanted(each, owner)]
            same += [each for each in self._theirs() if each.id == self.wishes[owner].adopt]
            if not any(each.status.is_active or each.model in self.service.models for each in same):
                self.violate(f"{job.id} of {owner} was cancelled, and no job takes its place")
            if job.environment != self.environment and not self._is_wanted(job, owner):
                self.violate(f"{job.id} of {owner} was superseded, and {job.environment or 'no environment'} made it")
            return
        if job.environment != self.environment:
            self.violate(f"{job.id} was cancelled, and {job.environment or 'no environment'} made it")
        for environment, lock in self.locks.items():
            if environment != self.environment and self._today(job) in {entry.address.name for entry in lock.entries}:
                self.violate(f"{job.id} was cancelled, and the lock of {environment} names its model")
        for name in self._heirs():
            self.violate(f"{job.id} was cancelled, and {name}, which may be its new name, has no model")

    def _heirs(self) -> Iterator[str]:
        for name, wish in self.wishes.items():
            answers = any(job.model in self.service.models for job in self._jobs_of(name) if job.model)
            if not answers and not wish.suspend and wish.adopt is None:
                yield name

    def _jobs_of(self, name: str) -> list[RemoteJob]:
        return [job for job in self.service.jobs.values() if self._owner(job) == name]

    def _theirs(self) -> list[RemoteJob]:
        return [each for each in self.service.foreign if isinstance(each, RemoteJob)]

    def _owner(self, job: RemoteJob) -> str | None:
        """Return the model of the specs that a job belongs to, by its own name, by `moved` or by a lock file."""
        name = self._today(job)
        if name in self.wishes:
            return name
        for environment in (self.environment, *ENVIRONMENTS):
            for entry in self.locks[environment].entries:
                today = self._today_of(entry.address.name)
                if entry.job == job.id and today in self.wishes:
                    return today
        return None

    def _today(self, job: RemoteJob) -> str:
        return self._today_of(job.address.name)

    def _today_of(self, name: str) -> str:
        return next((new for new, wish in self.wishes.items() if name in wish.moved), name)

    def _is_wanted(self, job: RemoteJob, name: str) -> bool:
        model: Model = next(model for model in self._join(self.specs).models if model.name == name)
        return any(stamp.digest.agrees(job.own_stamp.digest) for stamp in model.stamps)

    def _is_old(self, name: str) -> bool:
        return any(name in wish.moved for wish in self.wishes.values())

    def _any_name(self) -> str | None:
        return self.pick(*sorted(self.wishes)) if self.wishes else None

    def violate(self, what: str) -> None:
        self.violations.append(what)


_HAPPENINGS: tuple[Callable[[NamesHistory], None], ...] = (
    *[NamesHistory.apply] * 12,
    *[NamesHistory.finish_jobs] * 8,
    *[NamesHistory.add] * 3,
    *[NamesHistory.rename] * 4,
    *[NamesHistory.drop_moved] * 2,
    NamesHistory.edit,
    NamesHistory.edit,
    *[NamesHistory.remove] * 3,
    NamesHistory.suspend,
    NamesHistory.adopt,
    NamesHistory.build_on_ours,
    NamesHistory.forget,
    NamesHistory.fail_jobs,
    NamesHistory.lose_model,
)


def play_history(seed: int) -> NamesHistory:
    """Play what a seed stands for: the same seed is the same history."""
    history = NamesHistory(seed)
    history.add()
    history.add()
    history.play()
    return history


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one seed alone, with its story")
    asked = parser.parse_args()
    if asked.seed is not None:
        history = play_history(asked.seed)
        print("\n".join([*history.story, *(f"VIOLATION {each}" for each in history.violations)]))
        return min(1, len(history.violations))
    began, broken, runs = time.monotonic(), 0, 0
    for seed in range(asked.first, asked.first + asked.histories):
        history = play_history(seed)
        runs += history.runs
        if history.violations:
            broken += 1
            print(
                f"seed {seed}: {history.violations[0]}\n    again: python -m tests.simulation.histories --seed {seed}"
            )
    print(f"{asked.histories} histories, {runs} runs, {time.monotonic() - began:.0f} seconds, {broken} broke a promise")
    return min(1, broken)


if __name__ == "__main__":
    sys.exit(main())
