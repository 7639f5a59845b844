"""Scenarios: what the specs want, turn by turn, and what happens to jobs, models and files between the turns."""

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Model, Part
from reconciler.domain.plan import Options
from reconciler.domain.spec import Format, OnChange
from tests.factories import a_model
from tests.simulation.sandbox import real_dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is wanted, what the operator asks, and what has happened before it: words of `HAPPENINGS`."""

    models: tuple[Model, ...]
    options: Options = field(default_factory=Options)
    before: tuple[str, ...] = ()


HAPPENINGS = ("succeed", "fail", "break", "cancel", "lose models", "lose files", "lose jobs")
"""What may happen between turns: jobs succeed, fail by their data, fail by the service, are cancelled by people; and
models, files, or the records of jobs are taken away."""

Scenario = tuple[Turn, ...]


def data(name: str = "tickets", word: str = "rows", part: Part = Part.TRAINING) -> Dataset:
    return replace(real_dataset(name, word), format=Format.COMPLETION, part=part)


def model(name: str = "triage", word: str = "rows", **more: object) -> Model:
    made = a_model(name, base="curie", training=data(word=word))
    return replace(made, **more)


def epochs(of: Model, count: int) -> Model:
    return replace(of, recipe=replace(of.recipe, hyperparameters=(("n_epochs", count),)))


def turn(*models: Model, before: str = "", **asked: object) -> Turn:
    words = tuple(word.strip() for word in before.split(",") if word)
    return Turn(models=models, options=Options(**asked), before=words)  # type: ignore[arg-type]  # by name


A, B, C, D = (model(name) for name in ("triage", "router", "tagger", "writer"))
SPLIT = model(validation=data(word="held back", part=Part.VALIDATION))
SUPERSEDE = replace(A, on_change=OnChange.SUPERSEDE)
PARALLEL = replace(A, on_change=OnChange.PARALLEL)
RETRIED = replace(A, retries=2)
OTHER_NAME = replace(A, training=data("letters"))
ASKED = frozenset({"triage"})

SCENARIOS: dict[str, Callable[[], Scenario]] = {
    "one": lambda: (turn(A),),
    "two on one dataset": lambda: (turn(A, B),),
    "two on two datasets": lambda: (turn(A, model("router", "other rows")),),
    "three": lambda: (turn(A, B, model("tagger", "other rows")),),
    "four": lambda: (turn(A, B, model("tagger", "other rows"), model("writer", "more rows")),),
    "split": lambda: (turn(SPLIT),),
    "split and shared": lambda: (turn(SPLIT, B),),
    "edit while it runs, wait": lambda: (turn(A), turn(epochs(A, 5))),
    "edit while it runs, supersede": lambda: (turn(SUPERSEDE), turn(epochs(SUPERSEDE, 5))),
    "edit while it runs, parallel": lambda: (turn(PARALLEL), turn(epochs(PARALLEL, 5))),
    "edit after it ended": lambda: (turn(A), turn(epochs(A, 5), before="succeed")),
    "edit and revert": lambda: (turn(A), turn(epochs(A, 5), before="succeed"), turn(A, before="succeed")),
    "supersede and revert": lambda: (turn(SUPERSEDE), turn(epochs(SUPERSEDE, 5)), turn(SUPERSEDE)),
    "other rows": lambda: (turn(A), turn(model(word="new rows"), before="succeed")),
    "renamed data": lambda: (turn(A), turn(OTHER_NAME, before="succeed")),
    "a model more": lambda: (turn(A), turn(A, B)),
    "a model less": lambda: (turn(A, B), turn(A, before="succeed")),
    "a model less, pruned": lambda: (turn(A, B), turn(A, before="succeed", prune=True)),
    "pruned while it runs": lambda: (turn(A, model("router", "other rows")), turn(A, prune=True)),
    "failed by its data, asked again": lambda: (turn(A), turn(A, before="fail"), turn(A, retry=ASKED)),
    "failed by the service, retried": lambda: (turn(RETRIED), turn(RETRIED, before="break")),
    "failed twice, retried": lambda: (turn(RETRIED), turn(RETRIED, before="break"), turn(RETRIED, before="break")),
    "cancelled by people, asked again": lambda: (turn(A), turn(A, before="cancel"), turn(A, retry=ASKED)),
    "model lost, replaced": lambda: (
        turn(A),
        turn(A, before="succeed"),
        turn(A, before="lose models", replace=ASKED),
    ),
    "file lost": lambda: (turn(A), turn(A, B, before="lose files")),
    "job vanished": lambda: (turn(A, B), turn(A, B, before="lose jobs")),
    "churn": lambda: (
        turn(A, B, C),
        turn(epochs(A, 2), B, D),
        turn(epochs(SUPERSEDE, 3), B, C, before="succeed"),
        turn(A, B, D, before="break", prune=True),
    ),
}
"""Every scenario by name. Rows are completions and bases short words, so that every profile can train all of them."""
