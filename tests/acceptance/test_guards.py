"""Every guard on the command line: plan and apply exit 5, name the cause and the next step, and change nothing."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.conftest import OWN, CommandResult, Repository
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
def trained_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which the models are trained once; every test starts from a copy."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture
def trained(repository: Repository, trained_directory: Path) -> Repository:
    """A repository with two models that are trained and in the lock file."""
    if not (trained_directory / OWN).exists():
        first = Repository(trained_directory, repository.capture)
        (trained_directory / ".git").mkdir()
        rows = "".join(f"question {n},{'even' if n % 2 else 'odd'}\n" for n in range(12))
        first.write("specs/rows.csv", "prompt,completion\n" + rows)
        first.write("specs/all.yaml", (SPEC + model("one") + model("two")).removesuffix("---\n"))
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("RECONCILER_HOME", str(trained_directory / OWN))
            assert first.run("apply", ROOT, "--auto-approve").code == 0
        dismiss(trained_directory / OWN / "local")
    shutil.copytree(trained_directory, repository.root, dirs_exist_ok=True)
    repository.take_home(OWN)
    return repository


def change_service_state(repository: Repository, *statements: str) -> None:
    """Change the service's database behind the program's back."""
    with closing(sqlite3.connect(repository.store / "service.db")) as db, db:
        for statement in statements:
            db.execute(statement)


def delete_job_statements(job: str) -> tuple[str, ...]:
    """Return the statements that delete a job and everything that it made."""
    return (
        f"DELETE FROM models WHERE job IN (SELECT id FROM jobs WHERE {job})",
        f"DELETE FROM events WHERE job IN (SELECT id FROM jobs WHERE {job})",
        f"DELETE FROM checkpoints WHERE job IN (SELECT id FROM jobs WHERE {job})",
        f"DELETE FROM jobs WHERE {job}",
    )


def move_to_another_host(repository: Repository) -> None:
    spec = repository.read("specs/all.yaml")
    repository.write("specs/all.yaml", spec.replace("provider: local\n", "expect: {host: api.example.test}\n"))


def remove_specs(repository: Repository) -> None:
    (repository.root / "specs/all.yaml").unlink()
    repository.write("specs/all.yaml", SPEC.removesuffix("---\n"))


def remove_everything(repository: Repository) -> None:
    change_service_state(repository, *delete_job_statements("1 = 1"))


def forget_one(repository: Repository) -> None:
    change_service_state(repository, *delete_job_statements("""metadata LIKE '%model/two"%'"""))


def forge_one(repository: Repository) -> None:
    spec = repository.read("specs/all.yaml")
    repository.write("specs/all.yaml", spec.replace("name: two\n", "name: two\nseed: 7\n"))
    change_service_state(
        repository,
        """UPDATE jobs SET metadata = replace(metadata, 'model/one"', 'model/two"')""",
    )


GUARDS: dict[str, tuple[Callable[[Repository], None], str]] = {
    "identity": (move_to_another_host, "api.example.test"),
    "empty-specs": (remove_specs, "2 jobs"),
    "empty-remote": (remove_everything, "2 models"),
    "amnesia": (forget_one, "two (ftjob-"),
    "contradictions": (forge_one, "disagree with each other: ftjob-"),
}


def read_state(repository: Repository) -> tuple[str, list[tuple[object, ...]]]:
    """Return everything that a run could have changed."""
    with closing(sqlite3.connect(repository.store / "service.db")) as db:
        rows = db.execute("SELECT id, status FROM jobs UNION ALL SELECT id, '' FROM files ORDER BY id").fetchall()
    return repository.read("specs/models.lock.yaml"), rows


def check_refused(result: CommandResult, guard: str, observation: str) -> None:
    output = " ".join(result.err.split())
    assert result.code == 5
    assert f"{guard}: " in output
    assert observation in output
    assert NOT_DONE in output
    assert re.search(r"reconciler (?:-C \S+ )?plan", output)


@pytest.mark.parametrize("guard", GUARDS)
def test_plan_and_apply_refuse_with_a_reason_and_change_nothing(trained: Repository, guard: str) -> None:
    happens, observation = GUARDS[guard]
    happens(trained)
    before = read_state(trained)
    for command in (["plan", ROOT], ["apply", ROOT, "--auto-approve"]):
        check_refused(trained.run(*command), guard, observation)
        as_data = trained.run(*command, "--json")
        check_refused(as_data, guard, observation)
        # An apply writes one object a line, the plan first.
        document = json.loads(as_data.out) if command[0] == "plan" else json.loads(as_data.out.splitlines()[0])["plan"]
        refused = document["refused"]
        assert guard in {each["guard"] for each in refused}
    assert read_state(trained) == before


@pytest.mark.parametrize("guard", ["identity", "empty-specs", "amnesia"])
def test_the_flag_that_the_message_names_continues(trained: Repository, guard: str) -> None:
    GUARDS[guard][0](trained)
    assert trained.run("plan", ROOT, "--allow", guard).code == 0


def test_a_first_apply_and_a_replacement_continue_with_their_own_flags(trained: Repository) -> None:
    forget_one(trained)
    assert trained.run("plan", ROOT, "--replace", "two").code == 0
    remove_everything(trained)
    assert trained.run("plan", ROOT, "--first-apply").code == 0


def test_a_saved_plan_that_was_refused_is_refused_when_it_is_applied(trained: Repository) -> None:
    forget_one(trained)
    saved = trained.run("plan", ROOT, "--out", "saved.plan")
    check_refused(saved, "amnesia", "two (ftjob-")
    assert "To apply exactly this plan" not in saved.err
    check_refused(trained.run("apply", "saved.plan"), "amnesia", "two (ftjob-")


@pytest.fixture
def endless_list(trained: Repository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The same service, on a port, with a list of jobs that never ends."""
    with serving(trained.store, "repeated-page,path=/fine_tuning/jobs") as served:
        monkeypatch.setenv("RECONCILER_LOCAL_URL", served.url)
        monkeypatch.setenv("RECONCILER_LOCAL_KEY", KEY)
        yield trained


@pytest.mark.loopback
def test_a_list_that_may_be_incomplete_is_refused(endless_list: Repository) -> None:
    spec = endless_list.read("specs/all.yaml")
    endless_list.write("specs/all.yaml", spec + "---\n" + model("three").removesuffix("---\n"))
    before = read_state(endless_list)
    check_refused(endless_list.run("plan", ROOT), "cut-list", "the list of jobs")
    check_refused(endless_list.run("apply", ROOT, "--auto-approve", "--json"), "cut-list", "the list of jobs")
    assert read_state(endless_list) == before

    # A run that overrides the plan's guard stops before the request that would be paid for.
    result = endless_list.run("apply", ROOT, "--auto-approve", "--allow", "cut-list", "--no-wait")
    assert result.code != 0
    assert "the list of jobs" in result.out + result.err
    assert read_state(endless_list) == before


def guard_rows() -> list[tuple[str, ...]]:
    """Return the rows of the page about guards, each as its cells."""
    page = (Path(__file__).parents[2] / "docs/guards.md").read_text(encoding="utf-8")
    lines = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| `")]
    return [tuple(cell.strip() for cell in cells) for cells in lines]


def test_the_page_about_guards_names_each_of_them_and_no_other() -> None:
    from reconciler.planner import GUARDS as NAMED

    rows = guard_rows()
    assert [row[0] for row in rows] == [f"`{guard}`" for guard in NAMED]
    assert all(len(row) == 4 and all(row) for row in rows)
