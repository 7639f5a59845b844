"""The mutants: a rule, the file that has it, the words that are it, what stands there without it, and who knows."""

from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Mutant:
    """One rule taken out. `old` occurs once in the file; `watchers` are the tests that must notice."""

    name: str
    path: str
    old: str
    new: str
    watchers: tuple[str, ...]

    def is_there(self, house: Path = HOUSE) -> bool:
        """Return whether the rule still stands where it is said to."""
        return (house / self.path).read_text(encoding="utf-8").count(self.old) == 1

    def apply(self, house: Path) -> None:
        """Take the rule out of a copy of the house."""
        path = house / self.path
        path.write_text(path.read_text(encoding="utf-8").replace(self.old, self.new), encoding="utf-8")


PROTOCOL = "reconciler/executor/create.py"
STOP = "reconciler/executor/cancel.py"
SEND = "reconciler/executor/upload.py"
TIDY = "reconciler/executor/journal_cleanup.py"
OUTCOME = "reconciler/providers/http/write_result.py"
ROAD = "reconciler/providers/http/transport.py"
OPENING = "reconciler/providers/factory.py"
OPENAI = "reconciler/providers/openai/provider.py"
STAMPS = "reconciler/providers/openai/stamps.py"
PAGING = "reconciler/providers/http/paging.py"
DECIDE = "reconciler/planner/decide.py"
POLICY = "reconciler/planner/policy.py"
STATES = "reconciler/domain/observed.py"

EXECUTOR = ("tests/executor",)
PROVIDER = ("tests/providers", "tests/executor")
PLANNER = ("tests/planner",)

MUTANTS = (
    Mutant(
        "the settle after an unknown outcome",
        PROTOCOL,
        "deadline = bench.clock() + capabilities.settle_seconds",
        "deadline = bench.clock()",
        EXECUTOR,
    ),
    Mutant(
        "the quiet period before a note is taken over",
        PROTOCOL,
        "return capabilities.settle_seconds if is_over else capabilities.intent_seconds",
        "return 0.0",
        EXECUTOR,
    ),
    Mutant(
        "the age of a note whose writer may live",
        PROTOCOL,
        "return capabilities.settle_seconds if is_over else capabilities.intent_seconds",
        "return capabilities.settle_seconds",
        EXECUTOR,
    ),
    Mutant(
        "the quiet begins anew when the note changes its state",
        PROTOCOL,
        "if (lies, over) != (theirs, is_over):",
        "if lies != theirs:",
        EXECUTOR,
    ),
    Mutant("yielding to another run", PROTOCOL, "if lies == mine.intent:", "if True:", EXECUTOR),
    Mutant(
        "the stop while yielding",
        PROTOCOL,
        '        if bench.stopping():\n            raise StoppedError("stopped before anything was created',
        '        if False:\n            raise StoppedError("stopped before anything was created',
        EXECUTOR,
    ),
    Mutant(
        "the look before the send", PROTOCOL, "        found = look(train, bench)\n", "        found = None\n", EXECUTOR
    ),
    Mutant(
        "the freshness of the look",
        PROTOCOL,
        "return max(bench.clock() - note.written, by_service) <= allowed",
        "return True",
        EXECUTOR,
    ),
    Mutant(
        "the job that a note names",
        PROTOCOL,
        "if intent.job and intent.job not in train.despite:",
        "if False:",
        EXECUTOR,
    ),
    Mutant(
        "the stamp of the job that a note names",
        PROTOCOL,
        "if named and named.stamp.agrees(train.model.stamp):",
        "if named:",
        EXECUTOR,
    ),
    Mutant(
        "jobs that the plan counts out",
        PROTOCOL,
        "bench.provider.jobs_of(train.model.stamp) if job.id not in train.despite)",
        "bench.provider.jobs_of(train.model.stamp))",
        EXECUTOR,
    ),
    Mutant(
        "the order of twins",
        PROTOCOL,
        "return (spent, job.status != SUCCEEDED, job.created_at, job.id)",
        "return (spent, job.status != SUCCEEDED, -job.created_at, job.id)",
        EXECUTOR,
    ),
    Mutant(
        "a spent twin goes last",
        PROTOCOL,
        "return (spent, job.status != SUCCEEDED, job.created_at, job.id)",
        "return (False, job.status != SUCCEEDED, job.created_at, job.id)",
        EXECUTOR,
    ),
    Mutant(
        "unknown is not refused",
        PROTOCOL,
        "            return settle(train, why, intent, bench)",
        "            raise ProviderError(why)",
        EXECUTOR,
    ),
    Mutant("the echo check", PROTOCOL, "if not job.stamp.agrees(train.model.stamp):", "if False:", EXECUTOR),
    Mutant(
        "the answer is added to the note",
        PROTOCOL,
        "lies = bench.journal.put(replace(intent, job=job), instead_of=intent)",
        "lies = intent",
        EXECUTOR,
    ),
    Mutant(
        "the note is held until a list shows the job",
        PROTOCOL,
        "    if listed:\n        let_go_once_sure(noted, kept, bench)",
        "    let_go(noted, bench)",
        EXECUTOR,
    ),
    Mutant(
        "a list that showed a job may leave it out again",
        PROTOCOL,
        "return lag == 0 or (now is not None and now - job.created_at >= lag + WHOLE_SECOND)",
        "return True",
        (*EXECUTOR, "tests/simulation"),
    ),
    Mutant(
        "a create does not wait at the gate",
        ROAD,
        "if not self._gate.enter(self._most_seconds):",
        "if self._gate.enter(None) is False:",
        PROVIDER,
    ),
    Mutant(
        "a create does not wait for its label",
        "reconciler/providers/openai_legacy/provider.py",
        "if spent() > self.capabilities.road_seconds:",
        "if False:",
        ("tests/providers/openai_legacy", "tests/simulation/test_seeds.py"),
    ),
    Mutant(
        "a note taken over is not taken back",
        PROTOCOL,
        "return lies if lies.owner == intent.owner else intent",
        "return lies",
        EXECUTOR,
    ),
    Mutant(
        "the look for the job after it was created",
        PROTOCOL,
        "        if bench.clock() >= deadline or bench.stopping():\n            return ()",
        "        return ()",
        EXECUTOR,
    ),
    Mutant(
        "the note stays after an unknown outcome",
        PROTOCOL,
        "        if bench.clock() >= deadline or bench.stopping():\n            raise OutcomeUnknownError(",
        "        if bench.clock() >= deadline or bench.stopping():\n            let_go(intent, bench)\n"
        "            raise OutcomeUnknownError(",
        EXECUTOR,
    ),
    Mutant("way for an older twin", PROTOCOL, "    bench.provider.cancel(job.id)\n", "", EXECUTOR),
    Mutant(
        "only our own job makes way",
        PROTOCOL,
        "bench.provider.cancel(job.id)",
        "bench.provider.cancel(kept.id)",
        EXECUTOR,
    ),
    Mutant(
        "a refusal takes the note back",
        PROTOCOL,
        "    except ProviderError:\n        let_go(note.intent, bench)\n        raise",
        "    except ProviderError:\n        raise",
        EXECUTOR,
    ),
    Mutant(
        "what a token says of jobs counted out",
        PROTOCOL,
        '" ".join((str(train.model.stamp), *train.despite))',
        "str(train.model.stamp)",
        EXECUTOR,
    ),
    Mutant(
        "a living run's note is not cleared",
        TIDY,
        "if intent.owner == bench.run or not bench.journal.is_abandoned(intent):",
        "if intent.owner == bench.run:",
        EXECUTOR,
    ),
    Mutant(
        "the note of a dead run stays until its job shows",
        TIDY,
        "return any(job.id not in intent.despite and is_everywhere(job, bench) for job in jobs)",
        "return True",
        EXECUTOR,
    ),
    Mutant(
        "the fresh read before a cancel", STOP, "job = bench.provider.job(action.job.id)", "job = action.job", EXECUTOR
    ),
    Mutant(
        "the ownership check before a cancel", STOP, "if not job.stamp.agrees(action.job.stamp):", "if False:", EXECUTOR
    ),
    Mutant("a cancel sees the job end", STOP, "if ended.status.is_active:", "if False:", EXECUTOR),
    Mutant(
        "the ownership check before a delete",
        STOP,
        "if bench.provider.job(action.job).model != ModelId(action.thing):",
        "if False:",
        EXECUTOR,
    ),
    Mutant(
        "files in use are not deleted",
        STOP,
        "elif action.thing in bench.provider.observe().files_in_use:",
        "elif False:",
        EXECUTOR,
    ),
    Mutant("files are found before they are sent", SEND, "        if found:\n", "        if False:\n", EXECUTOR),
    Mutant(
        "the digest of what is sent",
        SEND,
        "if sha.hexdigest() != measure.digest.hex or sent + len(held) != measure.size_bytes:",
        "if False:",
        EXECUTOR,
    ),
    Mutant("a broken file is not trained on", SEND, "if file.is_broken:", "if False:", EXECUTOR),
    Mutant(
        "a create is not repeated on the road",
        ROAD,
        '_REPEATED_METHODS = frozenset({"GET", "DELETE"})',
        '_REPEATED_METHODS = frozenset({"GET", "DELETE", "POST"})',
        PROVIDER,
    ),
    Mutant(
        "a create has a connection of its own",
        OPENING,
        "return guarded(Whole(bounded(Fresh(make), read, total), bounds.answer_bytes), most_seconds)",
        "return guarded(Whole(bounded(Shared(kept), read, total), bounds.answer_bytes), most_seconds)",
        PROVIDER,
    ),
    Mutant("unclear statuses are unknown", OUTCOME, "frozenset({408, 409, 425, 499})", "frozenset[int]()", PROVIDER),
    Mutant(
        "errors of the service are unknown",
        OUTCOME,
        "return 400 <= status < 500 and",
        "return 400 <= status and",
        PROVIDER,
    ),
    Mutant(
        "an answer that cannot be read is unknown",
        OUTCOME,
        "    except MalformedError as error:\n        return Unknown(_why(error))",
        "    except MalformedError as error:\n        return Refused(error)",
        PROVIDER,
    ),
    Mutant(
        "a list that may be cut decides nothing",
        OPENAI,
        "        if why := (*doubts.words, *self._client.whose.doubts):\n",
        "        if why := ():\n",
        PROVIDER,
    ),
    Mutant(
        "a job whose file is not the one it names is nobody's",
        OPENAI,
        "if seen.job and seen.job.stamp == stamp and not self._is_forged(seen)]",
        "if seen.job and seen.job.stamp == stamp]",
        ("tests/providers",),
    ),
    Mutant("the seal of our marks", STAMPS, "if SEAL in metadata and", "if False and", ("tests/providers",)),
    Mutant(
        "a walk that goes back is doubted",
        PAGING,
        "        if goes_back:\n",
        "        if False:\n",
        ("tests/providers",),
    ),
    Mutant(
        "a duplicate is only cancelled while the kept one lives",
        STOP,
        "if action.kept and not _is_live(action.kept, job, bench):",
        "if False:",
        EXECUTOR,
    ),
    Mutant("the service that is expected", POLICY, "    no_other_service,\n", "", PLANNER),
    Mutant("what was paid for and is gone", POLICY, "    no_amnesia,\n", "", PLANNER),
    Mutant(
        "other words are alive",
        STATES,
        "return self.word in _TERMINAL\n\n    @property\n    def is_active",
        "return self.word not in _WAITING\n\n    @property\n    def is_active",
        PLANNER,
    ),
    Mutant(
        "of several live jobs the first stays",
        DECIDE,
        "if job is not scene.live[0]:",
        "if job is not scene.live[-1]:",
        PLANNER,
    ),
)
"""Every rule that never two jobs rests on, and a few that keep what others own."""
