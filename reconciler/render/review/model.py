"""The review of a plan: the plan and its context, and its verdict. Every view of a review is made from this value."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from reconciler.domain.basis import Basis
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.event import Outcome
from reconciler.domain.identity import Address
from reconciler.domain.observed import ModelId
from reconciler.domain.plan import (
    Cancel,
    CommandScope,
    Delete,
    KeepReason,
    Plan,
    Promote,
    Step,
    Train,
    Upload,
)
from reconciler.domain.row_diff import RowDiff, RowsUnknown
from reconciler.render.plan_words import count_plan, is_retrain, is_running, needs_decision
from reconciler.render.sanitize import clean
from reconciler.render.text import grouped_count

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-")
_LONGEST_ENVIRONMENT = 190
_LONGEST_ROOT = 490


class ReviewState(StrEnum):
    """What a review found, in one word for programs.

    Shape:  `settled` only where the service was asked about every model and everything is as the specs want it;
            `unchanged` where the plan is empty, and the service was not asked or not about every model; `waiting` where
            nothing can be done now and a wanted model is not there; `failed` where no plan was made
    """

    SETTLED = "settled"
    UNCHANGED = "unchanged"
    CHANGES = "changes"
    WAITING = "waiting"
    REFUSED = "refused"
    INVALID = "invalid"
    FAILED = "failed"


CONSEQUENCES = frozenset({Outcome.BLOCKED, Outcome.STOPPED})
"""How a step ends because of something else."""

UNDONE = frozenset({Outcome.FAILED, Outcome.REFUSED, Outcome.UNKNOWN}) | CONSEQUENCES
"""How a step ends that is not done."""


class StepResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a step of an apply ended; `outcome` is None where it was not begun."""

    step: Step
    outcome: Outcome | None = None
    message: str = ""
    hint: str = ""


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an apply did: the steps of its plan, and in a few words how it ended."""

    title: str
    steps: tuple[StepResult, ...] = ()


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, ready to be reviewed; after an apply, the plan that remains.

    Shape:  `previous` names the serving models; `problems` are the findings of the checks, and `unshown` counts
            those beyond a bound; `commit`, `environment` and `time` are empty where there is none; `basis` is the
            digest of everything that the plan depends on; `root` is relative to the repository, with slashes;
            without `samples` no row is shown; `apply` is the exact command that applies the plan, empty where none
            does; `notes` are sentences on what is not known; other commands are written for the `scope`; `places` are
            those of the models in the specs; `result` is what an apply did; `failure` is why no plan was made, or why
            the command ended early; with `is_partial`, not every model was looked at; `exit_code` is the command's, and
            `is_success` what it means
    """

    plan: Plan
    previous: Mapping[Address, ModelId] = msgspec.field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    unshown: int = 0
    commit: str = ""
    environment: str = ""
    root: str = ""
    basis: str = ""
    time: str = ""
    apply: str = ""
    samples: bool = True
    notes: tuple[str, ...] = ()
    scope: CommandScope = CommandScope()
    places: Mapping[Address, Place] = msgspec.field(default_factory=dict)
    result: RunResult | None = None
    failure: str = ""
    exit_code: int = 0
    is_success: bool = True
    is_partial: bool = False

    @property
    def is_planned(self) -> bool:
        """Return whether there is a plan; without one, nothing is known of the service."""
        return not self.is_invalid and not (self.failure and self.result is None)

    @property
    def undone(self) -> tuple[StepResult, ...]:
        """The steps of an apply that ended, and are not done."""
        return tuple(each for each in self.result.steps if each.outcome in UNDONE) if self.result else ()

    @property
    def state(self) -> ReviewState:
        """Return what the review found."""
        if self.is_invalid:
            return ReviewState.INVALID
        if self.failure:
            return ReviewState.FAILED
        if self.plan.refused:
            return ReviewState.REFUSED
        if self.plan.steps:
            return ReviewState.CHANGES
        if self.plan.unmet:
            return ReviewState.WAITING
        return ReviewState.UNCHANGED if self.plan.against or self.is_partial else ReviewState.SETTLED

    @property
    def has_changes(self) -> bool:
        """Return whether anything wanted is missing, or may be."""
        return self.state not in {ReviewState.SETTLED, ReviewState.UNCHANGED}

    @property
    def is_invalid(self) -> bool:
        """Return whether specs or rows are wrong, so that nothing was planned."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def marker(self) -> str:
        """Return the hidden line that finds a comment about the same environment and root again."""
        environment, root = _encode_word(self.environment, _LONGEST_ENVIRONMENT), _encode_word(self.root, _LONGEST_ROOT)
        return f"<!-- reconciler env={environment} root={root} -->"


def empty_plan(version: str) -> Plan:
    """Return the plan where none was made: it has no steps."""
    return Plan(project="", provider="", service="", basis=Basis(specs="", service="", options="", version=version))


def drop_samples(plan: Plan) -> Plan:
    """Return the same plan with the counts of changed rows, and no rows."""
    return limit_samples(plan, 0)


def limit_samples(plan: Plan, most: int) -> Plan:
    """Return the same plan with at most `most` rows of each dataset; the first rows cover all kinds of change."""
    fewer = (
        replace(step, rows=replace(step.rows, samples=step.rows.samples[:most]))
        if isinstance(step.rows, RowDiff)
        else step
        for step in plan.steps
    )
    return replace(plan, steps=tuple(fewer))


def _encode_word(text: str, most: int) -> str:
    # The result is one word without an end mark inside, and two texts never give the same word.
    written = "".join(
        char if char in _PLAIN else "".join(f"%{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in text
    )
    return written.replace("--", "-%2d")[:most]


_MOST_POLICIES = 5


def verdict_text(review: Review) -> str:
    """Return the whole review in one plain line: what would happen, to how many rows, at what cost."""
    return clean(_verdict(review))


def _verdict(review: Review) -> str:
    if review.is_invalid:
        errors = sum(each.severity is Severity.ERROR for each in review.problems) + review.unshown
        return f"Invalid: {grouped_count(errors, 'error')} in specs and data; nothing was planned"
    if not review.is_planned:
        return review.failure
    if review.result:
        is_left = not (review.plan.is_empty or review.plan.refused)
        left = f"{'still to do' if is_left else 'now'}: {_remains(review)}"
        return "; ".join(filter(None, [_done(review.result), left, review.failure]))
    return _remains(review)


def _remains(review: Review) -> str:
    plan = review.plan
    facts = [", ".join(_counts(review)), _row_counts(review), str(plan.cost) if plan.trains else ""]
    summary = "; ".join(filter(None, facts))
    if plan.refused:
        policies = list(dict.fromkeys(clean(each.policy, limit=60) for each in plan.refused))
        return f"Refused by {', '.join(policies[:_MOST_POLICIES])}: {summary or 'no steps'}"
    if plan.unmet and plan.is_empty:
        return f"Nothing to do now, but not yet as the specs ask: {summary}"
    return f"No changes: {summary or 'nothing is declared'}" if plan.is_empty else summary


_DONE = (
    (Upload, "file", "uploaded"),
    (Train, "job", "created"),
    (Promote, "model", "promoted"),
    (Cancel, "job", "cancelled"),
    (Delete, "thing", "deleted"),
)


def _done(result: RunResult) -> str:
    done = [each.step.action for each in result.steps if each.outcome in {Outcome.DONE, Outcome.ADOPTED}]
    counts = ((sum(isinstance(action, kind) for action in done), noun, word) for kind, noun, word in _DONE)
    words = ", ".join(f"{grouped_count(number, noun)} {word}" for number, noun, word in counts if number)
    return f"{result.title}: {words or 'no step was carried out'}"


def _counts(review: Review) -> Iterator[str]:
    plan, counts = review.plan, count_plan(review.plan)
    retrains = sum(map(is_retrain, plan.steps))
    trains = sum(isinstance(step.action, Train) for step in plan.steps) - retrains
    counted = (
        (retrains, "model", "retrained"),
        (trains, "model", "trained"),
        (counts.promote, "model", "promoted"),
        (counts.upload, "file", "uploaded"),
        (counts.cancel, "job", "cancelled"),
        (counts.delete, "thing", "deleted"),
        (sum(keep.why is KeepReason.READY for keep in plan.kept), "model", "kept"),
        (sum(map(is_running, plan.kept)), "job", "still running"),
        (sum(map(needs_decision, plan.kept)), "model", "waiting for your decision"),
        (sum(keep.why is KeepReason.SUSPENDED for keep in plan.kept), "model", "suspended"),
        (sum(keep.why is KeepReason.ORPHAN for keep in plan.kept), "thing", "not in the specs"),
    )
    yield from (f"{grouped_count(number, noun)} {word}" for number, noun, word in counted if number)


def _row_counts(review: Review) -> str:
    known = [step.rows for step in review.plan.steps if isinstance(step.rows, RowDiff)]
    unknown = sum(isinstance(step.rows, RowsUnknown) for step in review.plan.steps)
    counts = {
        "+": sum(each.added for each in known),
        "−": sum(each.removed for each in known),
        "~": sum(each.edited for each in known),
        "↕": sum(each.moved for each in known),
    }
    changed = " ".join(f"{symbol}{number:,}" for symbol, number in counts.items() if number)
    compared = f"{changed} rows" if changed else "no row changed" if known else ""
    not_compared = f"rows of {grouped_count(unknown, 'dataset')} not compared" if unknown else ""
    return ", ".join(filter(None, [compared, not_compared]))
