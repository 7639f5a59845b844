"""Every guard as a user meets it: plan and apply end with 5, say what was seen and the way on, and nothing was done."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.conftest import Repository, Said
from tests.service.faults.serving import KEY, serving
from tests.service.service_fixtures import dismiss

ROOT = "specs"
NOT_DONE = "nothing was uploaded, created, cancelled or deleted"
SPEC = """\
kind: Project
name: guarded
provider: local
---
kind: Dataset
name: rows
source: rows.csv
---
"""
MODEL = """\
kind: Model
name: {name}
base: tfidf-logreg
training: rows
---
"""


def model(name: str) -> str:
    return MODEL.format(name=name)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the models are trained that every test begins with a copy of."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture
def trained(repository: Repository, once: Path) -> Repository:
    """A repository with two models that are there, and locked."""
    if not (once / ".reconciler").exists():
        first = Repository(once, repository.capture)
        (once / ".git").mkdir()
        rows = "".join(f"question {n},{'even' if n % 2 else 'odd'}\n" for n in range(12))
        first.write("specs/rows.csv", "prompt,completion\n" + rows)
        first.write("specs/all.yaml", (SPEC + model("one") + model("two")).removesuffix("---\n"))
        assert first.run("apply", ROOT, "--auto-approve").code == 0
        dismiss(first.store)
    shutil.copytree(once, repository.root, dirs_exist_ok=True)
    return repository


def change(repository: Repository, *statements: str) -> None:
    """Let something happen on the service that no command of ours did."""
    with closing(sqlite3.connect(repository.store / "service.db")) as db, db:
        for statement in statements:
            db.execute(statement)


def without(job: str) -> tuple[str, ...]:
    """What makes a job, and all that came of it, vanish."""
    return (
        f"DELETE FROM models WHERE job IN (SELECT id FROM jobs WHERE {job})",
        f"DELETE FROM events WHERE job IN (SELECT id FROM jobs WHERE {job})",
        f"DELETE FROM checkpoints WHERE job IN (SELECT id FROM jobs WHERE {job})",
        f"DELETE FROM jobs WHERE {job}",
    )


def another_host(repository: Repository) -> None:
    spec = repository.read("specs/all.yaml")
    repository.write("specs/all.yaml", spec.replace("provider: local\n", "expect: {host: api.example.test}\n"))


def no_specs(repository: Repository) -> None:
    (repository.root / "specs/all.yaml").unlink()
    repository.write("specs/all.yaml", SPEC.removesuffix("---\n"))


def nothing_there(repository: Repository) -> None:
    change(repository, *without("1 = 1"))


def one_forgotten(repository: Repository) -> None:
    change(repository, *without("""metadata LIKE '%model/two"%'"""))


def one_forged(repository: Repository) -> None:
    spec = repository.read("specs/all.yaml")
    repository.write("specs/all.yaml", spec.replace("name: two\n", "name: two\nseed: 7\n"))
    change(
        repository,
        """UPDATE jobs SET metadata = replace(metadata, 'model/one"', 'model/two"')""",
    )


GUARDS: dict[str, tuple[Callable[[Repository], None], str]] = {
    "identity": (another_host, "api.example.test"),
    "empty-specs": (no_specs, "2 jobs"),
    "empty-remote": (nothing_there, "2 models"),
    "amnesia": (one_forgotten, "two (ftjob-"),
    "contradictions": (one_forged, "disagree with each other: ftjob-"),
}


def state_of(repository: Repository) -> tuple[str, list[tuple[object, ...]]]:
    """Everything that a run could have changed."""
    with closing(sqlite3.connect(repository.store / "service.db")) as db:
        rows = db.execute("SELECT id, status FROM jobs UNION ALL SELECT id, '' FROM files ORDER BY id").fetchall()
    return repository.read("specs/models.lock.yaml"), rows


def check_told(said: Said, guard: str, seen: str) -> None:
    output = " ".join(said.err.split())
    assert said.code == 5
    assert f"{guard}: " in output
    assert seen in output
    assert NOT_DONE in output
    assert "reconciler plan" in output


@pytest.mark.parametrize("guard", GUARDS)
def test_plan_and_apply_refuse_say_why_and_do_nothing(trained: Repository, guard: str) -> None:
    happens, seen = GUARDS[guard]
    happens(trained)
    before = state_of(trained)
    for command in (["plan", ROOT], ["apply", ROOT, "--auto-approve"]):
        check_told(trained.run(*command), guard, seen)
        as_data = trained.run(*command, "--json")
        check_told(as_data, guard, seen)
        refused = json.loads(as_data.out)["refused"]
        assert guard in {each["guard"] for each in refused}
    assert state_of(trained) == before


@pytest.mark.parametrize("guard", ["identity", "empty-specs", "amnesia"])
def test_what_the_message_names_goes_on(trained: Repository, guard: str) -> None:
    GUARDS[guard][0](trained)
    assert trained.run("plan", ROOT, "--allow", guard).code == 0


def test_a_first_apply_and_a_replacement_are_said_in_their_own_words(trained: Repository) -> None:
    one_forgotten(trained)
    assert trained.run("plan", ROOT, "--replace", "two").code == 0
    nothing_there(trained)
    assert trained.run("plan", ROOT, "--first-apply").code == 0


def test_a_saved_plan_that_was_refused_is_refused_when_it_is_applied(trained: Repository) -> None:
    one_forgotten(trained)
    saved = trained.run("plan", ROOT, "--out", "saved.plan")
    check_told(saved, "amnesia", "two (ftjob-")
    assert "To apply exactly this plan" not in saved.err
    check_told(trained.run("apply", "saved.plan"), "amnesia", "two (ftjob-")


@pytest.fixture
def circling(trained: Repository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The same service, on a port, with a list of jobs that never ends."""
    with serving(trained.store, "repeated-page,path=/fine_tuning/jobs") as served:
        monkeypatch.setenv("RECONCILER_LOCAL_URL", served.url)
        monkeypatch.setenv("RECONCILER_LOCAL_KEY", KEY)
        yield trained


@pytest.mark.loopback
def test_a_list_that_may_be_cut_is_refused(circling: Repository) -> None:
    spec = circling.read("specs/all.yaml")
    circling.write("specs/all.yaml", spec + "---\n" + model("three").removesuffix("---\n"))
    before = state_of(circling)
    check_told(circling.run("plan", ROOT), "cut-list", "the list of jobs")
    check_told(circling.run("apply", ROOT, "--auto-approve", "--json"), "cut-list", "the list of jobs")
    assert state_of(circling) == before

    # Who goes on past the plan's guard is stopped where the job would be paid for.
    said = circling.run("apply", ROOT, "--auto-approve", "--allow", "cut-list", "--no-wait")
    assert said.code != 0
    assert "the list of jobs" in said.out + said.err
    assert state_of(circling) == before


def table() -> list[tuple[str, ...]]:
    """The rows of the page about guards, each cut into its cells."""
    page = (Path(__file__).parents[2] / "docs/guards.md").read_text(encoding="utf-8")
    lines = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| `")]
    return [tuple(cell.strip() for cell in cells) for cells in lines]


def test_the_page_about_guards_names_each_of_them_and_no_other() -> None:
    from reconciler.planner import GUARDS as NAMED

    rows = table()
    assert [row[0] for row in rows] == [f"`{guard}`" for guard in NAMED]
    assert all(len(row) == 4 and all(row) for row in rows)
