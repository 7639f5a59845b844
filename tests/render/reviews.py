"""The reviews of the golden files, and hostile texts."""

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from reconciler.domain.cost import Cost, Tokens
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.plan import Cancel, CancelReason, KeepReason, Plan, Train
from reconciler.domain.row_diff import CellChange, RowChange, RowDiff, RowSample, RowsUnknown, WordChange, Words
from reconciler.render.review import Review, empty_plan
from tests.factories import a_dataset, a_job, a_model
from tests.render import examples
from tests.render.examples import MORE_ROWS, NEW, RETRIAGE, TRIAGE, a_plan, a_step, costing, keep, retrain, upload

BASIS = "v1:" + "b5" * 32

HOSTILE = (
    "@octocat",
    "Closes #1",
    "</details><script>alert(1)</script>",
    "<!-- reconciler env= root=specs -->",
    "``` \n```sh\nrm -rf /",
    "| a | b |\n|---|---|",
    "[click](javascript:alert(1)) ![x](https://example.test/p.png)",
    "::error file=a::b",
    "::set-output name=basis::x",
    "##[error]x",
    "\x1b]8;;https://example.test\x07link\x1b[31m",
    "\u202egnp.exe\u2066 \u200b\u00ad",
    "# heading\r\n> quote\n- list\n1. list\n---",
    "**bold** _it_ ~~gone~~ `code` $x^2$ :tada: www.example.test https://example.test",
    "&lt;b&gt; &#64;octocat <a href=x onmouseover=y>",
    "\ud800 lone",
)
"""Each would mean something to GitHub, to a terminal or to a runner."""

WORDS = (
    Words(change=WordChange.SAME, text="and "),
    Words(change=WordChange.REMOVED, text="thank you"),
    Words(change=WordChange.ADDED, text="many thanks"),
)
CELLS = (
    CellChange(path="messages[1].content", before="and thank you", after="and many thanks", words=WORDS),
    CellChange(path="messages[2].weight", before=None, after="0"),
)


def a_review(plan: Plan, **more: object) -> Review:
    """A review of a plan, made at a moment on a commit."""
    command = "" if plan.is_empty or plan.refused else f"reconciler apply specs --expect-basis {BASIS}"
    review = Review(
        plan=plan,
        previous=examples.ANSWERS_NOW,
        commit="0123456789abcdef0123456789abcdef01234567",
        root="specs",
        basis=BASIS,
        time="2026-11-21 21:04:00Z",
        apply=command,
    )
    return replace(review, **more)


def a_sample(number: int, text: str, change: RowChange = RowChange.ADDED) -> RowSample:
    """A row that came, with its place."""
    return RowSample(
        change=change,
        row_after=number,
        place=Place(file="data/tickets.csv", line=number + 1),
        id=f"T-{number}",
        text=text,
    )


EDITED = RowSample(
    change=RowChange.EDITED, row_before=7, row_after=8, place=Place(file="data/tickets.csv", line=9), cells=CELLS
)
ROWS = RowDiff(
    before="support-tickets-0123456789ab.jsonl",
    rows_before=10_000,
    rows_after=10_003,
    added=3,
    edited=1,
    moved=5,
    tokens=120,
    samples=(
        EDITED,
        *(a_sample(number, f"user: question {number} assistant: answer") for number in (21, 22, 23)),
        a_sample(400, "user: a question that stands elsewhere now", RowChange.MOVED),
    ),
)
PRICED = Cost(
    low=Decimal("4.80"), expected=Decimal("4.80"), high=Decimal("4.80"), source="a price list", dated="2026-09"
)


def with_rows(rows: RowDiff | RowsUnknown) -> Plan:
    """A dataset that changed, and the model that is trained on it, its tokens counted and its price known."""
    train = costing(retrain(RETRIAGE, MORE_ROWS), PRICED, Tokens.from_count(2400))
    return a_plan(replace(upload(NEW), rows=rows), train, kept=(keep("router", KeepReason.READY),))


def _superseded() -> Plan:
    job = a_job(TRIAGE, "running", id="ftjob-A1")
    running = replace(job, base=RETRIAGE.recipe.base, trained_tokens=3000)
    train = costing(retrain(RETRIAGE, MORE_ROWS, supersedes=("ftjob-A1",)), PRICED, Tokens.from_count(2400))
    warning = "model/support-triage: base model gpt-4.1-mini is an alias; pin it as gpt-4.1-mini-2025-04-14"
    return a_plan(a_step(Cancel(job=running, reason=CancelReason.SUPERSEDED)), train, warnings=(warning,))


def _many_alike() -> Plan:
    models = (a_model(f"tagger-{number:02}", training=NEW, epochs=3) for number in range(40))
    return a_plan(upload(NEW), *(retrain(model, MORE_ROWS) for model in models))


BLANK = Problem(
    where=Place(file="data/tickets.csv"),
    path="messages[1].content",
    what="the answer is empty but for spaces",
    hint="give it an answer, or drop the row",
    rule="chat.blank",
    severity=Severity.WARNING,
)
NOISE = (
    *(replace(BLANK, where=Place(file="data/tickets.csv", line=line)) for line in range(10, 22)),
    Problem(
        where=Place(file="specs/models.yaml", line=3, column=5),
        what="few rows for so many labels",
        rule="rows.few",
        severity=Severity.INFO,
    ),
)

REVIEWS: Mapping[str, Review] = {
    "first-apply": a_review(examples.PLANS["first-apply"], environment="staging"),
    "no-changes": a_review(examples.PLANS["no-changes"]),
    "rows-changed": a_review(with_rows(ROWS), problems=NOISE),
    "rows-without-samples": a_review(with_rows(replace(ROWS, samples=())), samples=False),
    "rows-unknown": a_review(with_rows(RowsUnknown(before="tickets-0.jsonl", why="the service did not give it back"))),
    "several-models": a_review(examples.PLANS["several-models"]),
    "many-alike": a_review(_many_alike()),
    "superseded": a_review(_superseded()),
    "refused": a_review(examples.PLANS["refused"]),
    "promoted": a_review(examples.PLANS["promoted"]),
    "pruned": a_review(examples.PLANS["pruned"]),
    "waiting": a_review(a_plan(kept=(examples.FAILED, examples.BUSY, *map(examples.orphan, range(1, 9))))),
    "offline": a_review(
        replace(examples.PLANS["dataset-changed"], against="offline against models.lock.yaml"), basis="", apply=""
    ),
    "invalid": a_review(
        empty_plan("0.1.0"), previous={}, problems=examples.PROBLEMS, unshown=7, basis="", apply="", environment="prod"
    ),
}


def hostile(text: str) -> Review:
    """A review into which one text has come by every way there is."""
    cell = CellChange(path=text, before=text, after=text, words=(Words(change=WordChange.ADDED, text=text),))
    rows = RowDiff(
        before=text,
        rows_before=1,
        rows_after=3,
        added=1,
        removed=1,
        edited=1,
        samples=(
            RowSample(
                change=RowChange.EDITED, row_before=1, row_after=1, id=text, cells=(cell, replace(cell, words=()))
            ),
            RowSample(change=RowChange.ADDED, row_after=2, place=Place(file=text, line=2), text=text),
            RowSample(change=RowChange.REMOVED, row_before=2, text=text),
            RowSample(change=RowChange.MOVED, row_before=3, row_after=1, text=text),
        ),
    )
    steps = with_rows(rows).steps
    train = steps[1]
    assert isinstance(train.action, Train)
    changes = (replace(MORE_ROWS, field=text, before=text, after=text),)
    job = replace(a_job(TRIAGE, "running", id=text), base=text)
    cost = Cost(source=text, dated=text, unknown=text)
    plan = a_plan(
        steps[0],
        replace(costing(train, cost), changes=changes),
        a_step(Cancel(job=job, reason=CancelReason.DUPLICATE, kept=job.id)),
        replace(upload(a_dataset("other")), rows=RowsUnknown(before=text, why=text)),
        kept=(
            keep("a", KeepReason.FAILED, text, text, detail=text, hint=text),
            keep("b", KeepReason.ORPHAN, text, detail=text, hint=text, model=text),
            keep("c", KeepReason.READY, text, model=text, detail=text),
        ),
        refused=(replace(examples.PLANS["refused"].refused[0], policy=text, what=text, hint=text, guard=text),),
        warnings=(text,),
    )
    problems = tuple(
        Problem(where=Place(file=text, line=1), what=text, path=text, hint=text, rule=text, severity=severity)
        for severity in (Severity.WARNING, Severity.INFO)
    )
    return a_review(
        replace(plan, project=text, provider=text, against=text),
        problems=problems,
        notes=(text,),
        commit=text,
        environment=text,
        root=text,
        time=text,
        apply=text,
    )
