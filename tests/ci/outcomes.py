"""Twelve ways in which plan or apply ends, as the files that reconciler leaves; a small program stands for it.

The reviews are made by the real renderers from plans of the golden files, so each cell of the matrix costs no training.
"""

import io
import stat
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.formats import read_formats, show_review
from reconciler.domain.event import Outcome as StepOutcome
from reconciler.domain.plan import KeepReason
from reconciler.render import Sink
from reconciler.render.review import Review, RunResult, StepResult, empty_plan
from tests.ci.locks import NEW, OLD
from tests.render.examples import a_plan, keep
from tests.render.reviews import REVIEWS

ROOT = "specs/quickstart"

# It copies what was prepared to the places that its arguments and the runner's variables name, and notes its arguments.
PROGRAM = """\
#!/bin/sh
printf '%s\\n' "$@" >"{folder}/arguments"
next=
for word in "$@"; do
  case $word in review=*) [ ! -f "{folder}/review" ] || cp "{folder}/review" "${{word#review=}}" ;; esac
  [ "$next" != --out ] || echo '{{}}' >"$word"
  next=$word
done
[ ! -f "{folder}/outputs" ] || cat "{folder}/outputs" >>"$GITHUB_OUTPUT"
[ ! -f "{folder}/summary" ] || cat "{folder}/summary" >>"$GITHUB_STEP_SUMMARY"
[ ! -f "{folder}/lock" ] || cp "{folder}/lock" "$2/models.lock.yaml"
[ ! -f "{folder}/stdout" ] || cat "{folder}/stdout"
exit {code}
"""


@dataclass(frozen=True)
class Outcome:
    """What happened in a run.

    Shape:  `review` is None where the program ended without any; `lock` is what an apply left, None where it changed
            nothing; only where `is_settled` everything is as the specs ask
    """

    command: str
    code: int
    review: Review | None
    is_settled: bool = False
    lock: str | None = None


def _after_apply(code: int, remains: Review, outcome: StepOutcome) -> Review:
    steps = tuple(StepResult(step=step, outcome=outcome) for step in REVIEWS["first-apply"].plan.steps)
    return replace(remains, apply="", result=RunResult(title=exit_codes.TITLES[code], steps=steps))


def review_of_kept(why: KeepReason) -> Review:
    return replace(REVIEWS["no-changes"], plan=a_plan(kept=(keep("triage", why, hint="decide"),)))


NOTHING = replace(REVIEWS["no-changes"], plan=empty_plan("1"), previous={}, basis="")
OUTCOMES = {
    "settled": Outcome("plan", 0, REVIEWS["no-changes"], is_settled=True),
    "changes": Outcome("plan", 2, REVIEWS["first-apply"]),
    "a wanted model failed": Outcome("plan", 2, review_of_kept(KeepReason.FAILED)),
    "refused": Outcome("plan", 5, REVIEWS["refused"]),
    "invalid": Outcome("plan", 3, REVIEWS["invalid"]),
    "no answer": Outcome("plan", 1, replace(NOTHING, failure="The service failed: no answer")),
    "crashed": Outcome("plan", 1, None),
    "applied": Outcome("apply", 0, _after_apply(0, REVIEWS["no-changes"], StepOutcome.DONE), is_settled=True, lock=NEW),
    "a job failed": Outcome("apply", 6, _after_apply(6, review_of_kept(KeepReason.FAILED), StepOutcome.DONE), lock=OLD),
    "a job still runs": Outcome(
        "apply", 7, _after_apply(7, review_of_kept(KeepReason.TRAINING), StepOutcome.DONE), lock=OLD
    ),
    "unknown create": Outcome("apply", 9, _after_apply(9, REVIEWS["first-apply"], StepOutcome.UNKNOWN), lock=NEW),
    "stale": Outcome("apply", 4, replace(NOTHING, failure="Stale: the basis is another one"), lock=OLD),
}


def prepare(name: str, folder: Path, commit: str) -> Path:
    """Write what an outcome leaves, and return the program that leaves it."""
    folder.mkdir()
    outcome = OUTCOMES[name]
    if outcome.review:
        stdout = io.StringIO()
        console = Console(
            out=Sink(stdout),
            err=Sink(io.StringIO()),
            colour=False,
            colour_err=False,
            can_ask=False,
            is_terminal=False,
        )
        environ = {"GITHUB_OUTPUT": f"{folder}/outputs", "GITHUB_STEP_SUMMARY": f"{folder}/summary"}
        targets = read_formats(["text", "github", f"review={folder}/review"])
        review = replace(outcome.review, root=ROOT, environment="", commit=commit)
        show_review(review, targets, console, exit_code=outcome.code, environ=environ)
        (folder / "stdout").write_text(stdout.getvalue(), encoding="utf-8")
    if outcome.lock:
        (folder / "lock").write_text(outcome.lock, encoding="utf-8")
    program = folder / "program"
    program.write_text(PROGRAM.format(folder=folder, code=outcome.code), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program
