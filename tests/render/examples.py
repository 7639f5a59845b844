"""The plans, problems and runs of the golden files."""

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from reconciler.domain.basis import Basis
from reconciler.domain.cost import Cost, Estimate, Tokens
from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.event import (
    Event,
    EventsMissing,
    Finished,
    Interrupted,
    JobLogged,
    JobMoved,
    JobVanished,
    Outcome,
    Progress,
    Resent,
    Started,
)
from reconciler.domain.identity import Address, Kind
from reconciler.domain.observed import FileId, JobError, JobEvent, JobId, JobStatus, ModelId, RemoteJob
from reconciler.domain.plan import (
    Action,
    Cancel,
    CancelReason,
    Change,
    Delete,
    Keep,
    KeepReason,
    Plan,
    Promote,
    Refusal,
    Step,
    StepId,
    Train,
    Upload,
)
from tests.factories import a_dataset, a_digest, a_job, a_model

NEW = a_dataset("support-tickets", "two hundred and one rows", count=201)
OLD = a_dataset("support-tickets", "two hundred rows", count=200)
TRIAGE = a_model("support-triage", training=OLD, epochs=3)
RETRIAGE = a_model("support-triage", training=NEW, epochs=3)
ANSWERS_NOW = {TRIAGE.address: ModelId("ft:gpt-4.1-mini-2025-04-14:acme:support-triage:AxK9")}


def a_plan(
    *steps: Step,
    kept: tuple[Keep, ...] = (),
    refused: tuple[Refusal, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Plan:
    """A plan for one project on one service."""
    basis = Basis(
        specs=str(a_digest("specs")),
        service=str(a_digest("service")),
        options=str(a_digest("options")),
        version="0.1.0",
    )
    return Plan(
        project="acme",
        provider="openai",
        service="api.example.test",
        basis=basis,
        steps=steps,
        kept=kept,
        refused=refused,
        warnings=warnings,
    )


def a_step(action: Action, *changes: Change, needs: tuple[str, ...] = ()) -> Step:
    """A step with the name that a planner would give it."""
    match action:
        case Upload():
            name = f"upload:{action.address}:{action.dataset.measure.digest.short}"
        case Cancel():
            name = f"cancel:{action.address}:{action.job.id}"
        case Delete():
            name = f"delete:{action.address}:{action.thing}"
        case _:
            name = f"{type(action).__name__.lower()}:{action.address}"
    return Step(
        id=StepId(name),
        action=action,
        needs=tuple(map(StepId, needs)),
        changes=changes,
        estimate=an_estimate(action.model) if isinstance(action, Train) else None,
    )


def an_estimate(model: Model) -> Estimate:
    """What a job costs at a price made up: known for one base, and for no other."""
    size, epochs = model.training.measure.size_bytes, dict(model.recipe.hyperparameters).get("n_epochs")
    tokens = Tokens(low=size // 8, expected=size // 4, high=size // 2)
    if model.recipe.base != "gpt-4.1-mini-2025-04-14":
        cost = Cost(unknown=f"no price is known for supervised training of {model.recipe.base} on openai")
        return Estimate(tokens=tokens, epochs=None, is_stated=False, cost=cost)
    price = Decimal(int(epochs or 3)) / 1000
    low, expected, high = (price * each for each in (tokens.low, tokens.expected, tokens.high))
    cost = Cost(low=low, expected=expected, high=high, source="a price list", dated="2026-09")
    return Estimate(tokens=tokens, epochs=int(epochs or 3), is_stated=bool(epochs), cost=cost)


def costing(step: Step, cost: Cost, tokens: Tokens | None = None) -> Step:
    """The same step at another cost."""
    assert step.estimate is not None
    return replace(step, estimate=replace(step.estimate, cost=cost, tokens=tokens or step.estimate.tokens))


def upload(dataset: Dataset) -> Step:
    """A step that sends a dataset."""
    return a_step(Upload(dataset=dataset))


def first_train(model: Model, *, needs: tuple[str, ...] = (), despite: tuple[str, ...] = ()) -> Step:
    """A step that trains something that had no version before."""
    changes = [Change(field=name, before=None, after=after) for name, after in model.displayed_facts]
    return a_step(Train(model=model, excluded_jobs=tuple(map(JobId, despite))), *changes, needs=needs)


def retrain(model: Model, *changes: Change, supersedes: tuple[str, ...] = ()) -> Step:
    """A step that trains another version."""
    return a_step(Train(model=model, supersedes=tuple(map(JobId, supersedes))), *changes)


def keep(name: str, why: KeepReason, job: str = "ftjob-A1", status: str = "succeeded", **more: str) -> Keep:
    """Something that stays."""
    model = ModelId(more.pop("model")) if "model" in more else None
    return Keep(
        address=Address(Kind.MODEL, name), why=why, job=JobId(job), status=JobStatus(status), model=model, **more
    )


MORE_ROWS = Change(field="training", before=f"{OLD.title} (200 rows)", after=f"{NEW.title} (201 rows)")
READY = keep("support-triage", KeepReason.READY, model="ft:gpt-4.1-mini-2025-04-14:acme:support-triage:AxK9")
FAILED = keep(
    "billing-bot",
    KeepReason.FAILED,
    "ftjob-B7",
    "failed",
    detail="invalid_training_file: row 17: the last message must be the assistant's",
    hint="change the spec or the data, or train the same again with --retry billing-bot",
)
BUSY = keep(
    "support-triage",
    KeepReason.BUSY,
    "ftjob-A0",
    "running",
    detail="an older version is still being trained, and the new one waits for it",
    hint="set on_change: supersede to cancel it, or parallel to train beside it",
)
MISSING = keep(
    "support-triage",
    KeepReason.MISSING,
    model="ft:gpt-4.1-mini-2025-04-14:acme:support-triage:AxK9",
    detail="trained, but the model is not on the service any more",
    hint="train it again with --replace support-triage",
)


def orphan(number: int) -> Keep:
    """A model of a spec that is gone."""
    return keep(
        f"experiment-{number:02}",
        KeepReason.ORPHAN,
        f"ftjob-E{number}",
        detail="1 model",
        hint="name it in a spec again, or remove it with --prune",
    )


def _several() -> Plan:
    router = a_model("router", training=NEW, base="gpt-4.1-nano-2025-04-14")
    judge = a_model("judge", training=OLD, validation=a_dataset("held-out", "held out", count=40))
    recipe = (
        Change(field="hyperparameters.batch_size", before="8", after=None),
        Change(field="hyperparameters.learning_rate_multiplier", before=None, after="0.5"),
        Change(field="hyperparameters.n_epochs", before="2", after="3"),
    )
    return a_plan(
        upload(NEW),
        retrain(TRIAGE, *recipe),
        first_train(judge),
        first_train(router, needs=(f"upload:dataset/support-tickets:{NEW.measure.digest.short}",)),
        kept=(
            FAILED,
            keep("faq", KeepReason.READY),
            keep("summary", KeepReason.READY),
            keep("tagger", KeepReason.TRAINING, "ftjob-T1", "queued"),
        ),
        warnings=(
            "model/judge: base model gpt-4.1-mini-2025-04-14 shuts down on 2027-01-06",
            "model/router: base model gpt-4.1-nano-2025-04-14 is not known to openai; the service decides",
        ),
    )


def _pruned() -> Plan:
    old = a_model("old-triage")
    file = Delete(address=Address(Kind.DATASET, "old-tickets"), thing=FileId("file-Q8"), is_model=False)
    model = ModelId("ft:gpt-4.1-mini-2025-04-14:acme:old-triage:Zz81")
    return a_plan(
        a_step(Cancel(job=a_job(old, "running", id="ftjob-O2"), reason=CancelReason.ORPHAN)),
        a_step(Delete(address=old.address, thing=model, is_model=True, job=JobId("ftjob-O1"))),
        a_step(file),
        kept=(READY,),
    )


def _duplicates() -> Plan:
    twins = (a_job(TRIAGE, "running", id=f"ftjob-A{number}", age=-number) for number in (2, 3))
    cancels = (a_step(Cancel(job=job, reason=CancelReason.DUPLICATE, kept=JobId("ftjob-A1"))) for job in twins)
    return a_plan(*cancels, kept=(keep("support-triage", KeepReason.TRAINING, "ftjob-A1", "running"),))


def _superseded() -> Plan:
    running = a_job(TRIAGE, "running", id="ftjob-A1")
    return a_plan(
        upload(NEW),
        retrain(RETRIAGE, MORE_ROWS, supersedes=("ftjob-A1",)),
        a_step(Cancel(job=running, reason=CancelReason.SUPERSEDED)),
    )


def _promoted() -> Plan:
    promote = Promote(
        job=a_job(TRIAGE, id="ftjob-A1"),
        model=ModelId("ft:gpt-4.1-mini-2025-04-14:acme:support-triage:AxK9"),
        instead_of=ModelId("ft:gpt-4.1-mini-2025-04-14:acme:support-triage:BzM4"),
    )
    return a_plan(a_step(promote), kept=(READY,))


def _refused() -> Plan:
    bound = Refusal(
        policy="max_new_jobs",
        what="2 jobs would be created; policy.max_new_jobs is 1",
        hint="raise policy.max_new_jobs in the Project spec, or take fewer with --target",
    )
    bulk = Refusal(
        policy="bulk-change",
        guard="bulk-change",
        what="7 of 12 known models would change; policy.max_change_percent is 30",
        hint="review the changes; if they are meant, say --allow bulk-change",
    )
    return a_plan(upload(OLD), first_train(TRIAGE), first_train(a_model("router", training=OLD)), refused=(bound, bulk))


def _cut_list() -> Plan:
    doubt = Refusal(
        policy="cut-list", guard="cut-list", what="a list of the service may not be whole", hint="run again"
    )
    return a_plan(refused=(doubt,))


FREE = Cost(low=Decimal(), expected=Decimal(), high=Decimal(), source="it runs on our own machines", dated="2026")
COUNTED = Cost(low=Decimal(6), expected=Decimal(6), high=Decimal(6), source="a price list", dated="2026-09")
BY_THE_HOUR = Cost(
    low=Decimal(4),
    source="a price list",
    dated="2026-09",
    unknown="100 USD an hour, and the duration is unknown",
)

PLANS: Mapping[str, Plan] = {
    "free": a_plan(costing(first_train(TRIAGE), FREE)),
    "counted": a_plan(costing(first_train(TRIAGE), COUNTED, Tokens.from_count(2000))),
    "by-the-hour": a_plan(costing(first_train(TRIAGE), BY_THE_HOUR)),
    "first-apply": a_plan(upload(OLD), first_train(TRIAGE)),
    "no-changes": a_plan(kept=(READY, keep("router", KeepReason.READY))),
    "nothing-declared": a_plan(),
    "dataset-changed": a_plan(upload(NEW), retrain(RETRIAGE, MORE_ROWS)),
    "facts-unknown": a_plan(retrain(TRIAGE, Change(field="digest", before="3f9c2a1b0d4e", after="99af71ab149f"))),
    "superseded": _superseded(),
    "failed": a_plan(kept=(FAILED, READY)),
    "retried": a_plan(first_train(TRIAGE, despite=("ftjob-A1", "ftjob-A2"))),
    "busy": a_plan(kept=(BUSY,)),
    "training": a_plan(kept=(keep("support-triage", KeepReason.TRAINING, "ftjob-A1", "running"),)),
    "unknown-status": a_plan(
        kept=(
            keep(
                "support-triage",
                KeepReason.TRAINING,
                status="deferred",
                detail="the service says “deferred”, which counts as running",
            ),
        )
    ),
    "missing": a_plan(kept=(MISSING,)),
    "cancelled": a_plan(
        kept=(
            keep(
                "support-triage",
                KeepReason.CANCELLED,
                status="cancelled",
                detail="it was cancelled, but not by a plan",
                hint="train it again with --retry support-triage",
            ),
        )
    ),
    "paused": a_plan(
        kept=(
            keep(
                "support-triage",
                KeepReason.TRAINING,
                status="paused",
                detail="nothing is trained beside it",
                hint="it goes on when it is resumed on the service: POST /fine_tuning/jobs/ftjob-A1/resume",
            ),
        )
    ),
    "moved": a_plan(
        kept=(
            keep("support-triage", KeepReason.READY, detail="moved from ticket-triage"),
            keep("router", KeepReason.READY, detail="adopted job ftjob-A1"),
        )
    ),
    "suspended": a_plan(
        kept=(
            keep(
                "support-triage",
                KeepReason.SUSPENDED,
                status="running",
                detail="job ftjob-A1 goes on; nothing else is created",
                hint="take suspend out of the spec to go on",
            ),
        )
    ),
    "orphans": a_plan(kept=tuple(orphan(number) for number in range(1, 10))),
    "one-orphan": a_plan(kept=(orphan(1), READY)),
    "pruned": _pruned(),
    "duplicates": _duplicates(),
    "promoted": _promoted(),
    "refused": _refused(),
    "cut-list": _cut_list(),
    "several-models": _several(),
}

PROBLEMS = (
    Problem(
        where=Place(file="specs/models/triage.yaml", line=4, column=11),
        path="hyperparameters.n_epochs",
        what="-1 is less than the minimum of 1",
        rule="spec.minimum",
    ),
    Problem(
        where=Place(file="specs/models/triage.yaml", line=7, column=3),
        what="unknown key epoch",
        hint="did you mean n_epochs?",
        rule="spec.unknown-key",
    ),
    Problem(
        where=Place(file="data/tickets.jsonl", line=8102),
        path="messages",
        what="the last turn must be the assistant's",
        hint="drop the row, or add the answer it should learn",
        rule="chat.last-turn",
    ),
    Problem(
        where=Place(file="data/tickets.jsonl"),
        what="12 rows are the same as another one",
        rule="rows.duplicate",
        severity=Severity.WARNING,
    ),
)


def logged(message: str, *metrics: tuple[str, float], level: str = "info", number: int = 1) -> JobLogged:
    """Something that the job of TRIAGE says."""
    event = JobEvent(
        id=f"ftevent-{number}", created_at=1_790_000_000 + number, level=level, message=message, metrics=metrics
    )
    return JobLogged(address=TRIAGE.address, job=JobId("ftjob-A1"), event=event)


def at_step(step: int, total: int, loss: float) -> JobLogged:
    """The job of TRIAGE tells how far it is."""
    text = f"Step {step}/{total}: training loss={loss:.2f}"
    return logged(text, ("step", step), ("total_steps", total), ("train_loss", loss), number=step)


def moved(status: str, **more: object) -> JobMoved:
    """The job of TRIAGE has another status."""
    return JobMoved(job=replace(a_job(TRIAGE, status, id="ftjob-A1"), **more))


SENT, TRAINED = upload(OLD), first_train(TRIAGE)
QUEUED: RemoteJob = a_job(TRIAGE, "queued", id="ftjob-A1")
STOP = a_step(Cancel(job=a_job(TRIAGE, "running", id="ftjob-A0"), reason=CancelReason.SUPERSEDED))
DROP = a_step(Delete(address=Address(Kind.DATASET, "old-tickets"), thing=FileId("file-Q8"), is_model=False))
POINT = _promoted().steps[0]

GOOD_RUN: tuple[Event, ...] = (
    Started(step=SENT),
    Progress(step=SENT, done=8192, total=20000, unit="bytes"),
    Finished(step=SENT, outcome=Outcome.DONE, message="file-T1", file=FileId("file-T1")),
    Started(step=TRAINED),
    Finished(step=TRAINED, outcome=Outcome.DONE, message="queued", job=QUEUED),
    moved("queued"),
    logged("Files validated, moving job to queued state"),
    logged("Fine-tuning job started"),
    moved("running"),
    *(at_step(step, 90, 2.4 / step) for step in range(3, 91, 3)),
    logged("New fine-tuned model created"),
    moved("succeeded"),
)

BAD_RUN: tuple[Event, ...] = (
    Started(step=SENT),
    Resent(step=SENT, attempt=2, most=3, reason="svc.test answered 507: no space left"),
    Finished(step=SENT, outcome=Outcome.ADOPTED, message="file-T1", file=FileId("file-T1")),
    Started(step=STOP),
    Finished(step=STOP, outcome=Outcome.DONE, message="had already succeeded", job=a_job(TRIAGE, id="ftjob-A0")),
    Started(step=DROP),
    Finished(
        step=DROP, outcome=Outcome.FAILED, message="you are not an owner", hint="ask an owner of the organisation"
    ),
    Started(step=POINT),
    Finished(step=POINT, outcome=Outcome.DONE, message="answers from it"),
    Started(step=TRAINED),
    Finished(step=TRAINED, outcome=Outcome.UNKNOWN, message="no answer came in 60 s", hint="run again in two minutes"),
    Finished(step=TRAINED, outcome=Outcome.BLOCKED, message="a step that it needs did not succeed"),
    Finished(step=TRAINED, outcome=Outcome.STOPPED, message="not started"),
    Finished(step=TRAINED, outcome=Outcome.ADOPTED, message="queued", job=QUEUED),
    moved("deferred"),
    logged("the evaluation set is small", level="warn"),
    logged("row 17 is broken", level="error"),
    moved("failed", error=JobError(message="row 17 is broken", code="invalid_training_file", param="training_file")),
    JobVanished(address=TRIAGE.address, job=JobId("ftjob-A0")),
    EventsMissing(address=TRIAGE.address, job=JobId("ftjob-A1"), reason="not found (404)"),
    Interrupted(),
)
