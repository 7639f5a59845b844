"""Plans without a service: from the lock file and git alone, and between two commits."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.domain.desired import Desired
from reconciler.domain.lock import Lock, LockedDataset, LockEntry
from reconciler.domain.observed import JobId, ModelId
from reconciler.providers import find_profile
from reconciler.specfile import write_lock
from reconciler.workflow import check_specs, locate_setting
from tests.acceptance.conftest import HERE, CommandResult, Repository
from tests.acceptance.test_rows import git
from tests.service.service_fixtures import dismiss

DATASET = """\
kind: Dataset
name: tickets
source: tickets.csv
prompt: "{subject}"
completion: "{category}"
"""
MODEL = """\
---
kind: Model
name: triage
base: tfidf-logreg
training: tickets
"""
OPENAI = MODEL.replace("tfidf-logreg", "gpt-4.1-mini-2025-04-14\nprovider: openai")
MORE = "hyperparameters: {n_epochs: 4}\n"


def rows(count: int) -> list[str]:
    return [f"message {n} about order{n * 7} and things like it,c{n % 5}" for n in range(count)]


def table(lines: list[str]) -> str:
    return "\n".join(["subject,category", *lines, ""])


def commit(repository: Repository, message: str = "more") -> None:
    git(repository.root, "add", "-A")
    git(repository.root, "commit", "-q", "--allow-empty", "-m", message)


@pytest.fixture
def versioned(repository: Repository) -> Repository:
    """A repository with one commit of specs and thirty tickets; our own directory ignores itself."""
    if not shutil.which("git"):
        pytest.skip("there is no git here")
    shutil.rmtree(repository.root / ".git")
    git(repository.root, "init", "-q", "-b", "main")
    repository.write("specs/all.yaml", DATASET + OPENAI)
    repository.write("specs/tickets.csv", table(rows(30)))
    commit(repository)
    return repository


def lock_present_specs(repository: Repository) -> None:
    """Write the lock file that an apply of the present specs would write."""
    setting = locate_setting(repository.root / "specs", os.environ)
    checked = check_specs(setting)
    entries = tuple(
        LockEntry(
            stamp=model.stamp,
            provider="openai",
            service="api.example.test/org-acme",
            job=JobId(f"ftjob-{model.name}"),
            model=ModelId(f"ft:some:{model.name}"),
            finished_at=1_790_000_000,
            datasets=tuple(LockedDataset(stamp=each.stamp, rows=each.measure.rows) for each in model.datasets),
        )
        for model in Desired.join(
            checked.specs, checked.measures, find_profile("openai").capabilities.neutral_methods
        ).models
    )
    write_lock(setting.lock_path, Lock(entries=entries))


@pytest.fixture
def applied(versioned: Repository) -> Repository:
    """The same, with a lock file that is committed."""
    lock_present_specs(versioned)
    commit(versioned, "applied")
    return versioned


def test_an_offline_plan_needs_only_the_lock_file_of_an_apply(versioned: Repository) -> None:
    """The service that trained is gone when the plan is made."""
    versioned.write("specs/all.yaml", DATASET + MODEL)
    assert versioned.run("apply", "--auto-approve").code == 0
    commit(versioned, "applied")
    dismiss(versioned.store)
    shutil.rmtree(versioned.home)
    assert "No changes." in versioned.run("plan", "--offline").out
    versioned.write("specs/tickets.csv", table(rows(33)))

    result = versioned.run("plan", "--offline")

    assert "+3 -0 ~0 ↕0  (30 → 33 since HEAD:tickets)" in result.out
    assert "model/triage will be retrained" in result.out


def read_plan(result: CommandResult) -> dict[str, list[dict[str, object]]]:
    """Return the steps of a plan in JSON, grouped by action."""
    document = json.loads(result.out)
    found: dict[str, list[dict[str, object]]] = {"kept": document["kept"], "warnings": document["warnings"]}
    for step in document["steps"]:
        found.setdefault(step["action"], []).append(step)
    return found


def counts(step: dict[str, object]) -> list[object]:
    diff = step["rows"]
    assert isinstance(diff, dict)
    return [diff[name] for name in ("rows_before", "rows_after", "added", "removed", "edited", "moved")]


def change_rows(lines: list[str]) -> list[str]:
    """Edit one row, add three, move five."""
    moving = [lines[at] for at in (100, 900, 2500, 6000, 8000)]
    edited = [*lines[:4000], lines[4000].replace("things", "other things"), *lines[4001:]]
    found = [line for line in edited if line not in moving]
    for at, line in zip((5000, 300, 7000, 9900, 1), moving, strict=True):
        found.insert(at, line)
    return [*found[:3], "brand new words,c1", *found[3:], "another fresh one,c2", "a third of its kind,c3"]


def test_one_edit_three_new_rows_and_five_moves_in_ten_thousand_rows_are_counted_exactly(versioned: Repository) -> None:
    versioned.write("specs/tickets.csv", table(rows(10_000)))
    commit(versioned)
    versioned.write("specs/tickets.csv", table(change_rows(rows(10_000))))

    offline = versioned.run("plan", "--offline", "--json")
    commit(versioned)
    between = versioned.run("diff", "HEAD~1..HEAD", "--json")

    for result in (offline, between):
        assert result.code == 0
        plan = read_plan(result)
        (upload,), (train,) = plan["upload"], plan["train"]
        assert counts(upload) == [10_000, 10_003, 3, 0, 1, 5]
        assert upload["rows"]["tokens"] > 0  # type: ignore[index]  # its shape is the schema's
        assert train["retrain"]
        assert train["estimate"]["cost"]["high_usd"] > 0  # type: ignore[index]  # as above


def test_no_key_no_socket_and_no_http_is_needed(versioned: Repository) -> None:
    """The commands run in a process of its own, where opening a socket is an error."""
    versioned.write("specs/tickets.csv", table(rows(31)))
    probe = (
        "import socket, sys\n"
        "def never(*_): raise AssertionError('a socket')\n"
        "socket.socket.__init__ = never\n"
        "socket.getaddrinfo = never\n"
        "from reconciler.cli.app import run\n"
        "codes = [run(['-C', sys.argv[1], *command.split()]) for command in sys.argv[2:]]\n"
        "assert 'httpx' not in sys.modules and 'sqlite3' not in sys.modules\n"
        "assert codes == [2, 0], codes\n"
    )
    commands = ["plan --offline --detailed-exitcode", "diff HEAD..HEAD --detailed-exitcode"]
    done = subprocess.run(
        [sys.executable, "-c", probe, str(versioned.root), *commands],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(HERE), "PATH": os.environ["PATH"]},
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not versioned.store.exists()


def test_the_lock_file_gives_the_trained_state_and_git_gives_its_rows(applied: Repository) -> None:
    """A second change is compared with what was trained on, not with the commit before."""
    assert "No changes." in applied.run("plan", "--offline").out
    applied.write("specs/tickets.csv", table(rows(31)))
    commit(applied, "not applied")
    applied.write("specs/tickets.csv", table(rows(33)))

    result, machine = applied.run("plan", "--offline"), applied.run("plan", "--offline", "--json")

    assert "offline against models.lock.yaml and " in result.out
    assert "+3 -0 ~0 ↕0  (30 → 33 since " in result.out
    assert "model/triage will be retrained" in result.out
    assert "~ model id = ft:some:triage" in result.out
    assert "the service was not called" in result.out
    assert counts(read_plan(machine)["upload"][0]) == [30, 33, 3, 0, 0, 0]
    assert not applied.store.exists()


def test_an_older_lock_file_is_completed_from_git(applied: Repository) -> None:
    lock = applied.read("specs/models.lock.yaml")
    assert "address: dataset/tickets\n" in lock
    assert "rows: 30\n" in lock
    older = lock[: lock.index("    datasets:")].replace(" Three dots end the file.", "")
    applied.write("specs/models.lock.yaml", older)
    assert "No changes." in applied.run("plan", "--offline").out
    applied.write("specs/all.yaml", DATASET + OPENAI + MORE)

    plan = read_plan(applied.run("plan", "--offline", "--json"))

    assert "upload" not in plan
    (train,) = plan["train"]
    assert [change["field"] for change in train["changes"]] == ["hyperparameters.n_epochs"]  # type: ignore[attr-defined]  # as above


def test_rows_that_no_revision_holds_are_reported_as_unknown(applied: Repository) -> None:
    """What is locked was trained on rows that were never committed."""
    applied.write("specs/tickets.csv", table(rows(40)))
    lock_present_specs(applied)
    applied.write("specs/tickets.csv", table(rows(30)))

    plan = read_plan(applied.run("plan", "--offline", "--json"))

    unknown = plan["upload"][0]["rows"]
    assert isinstance(unknown, dict)
    assert unknown["unknown"] == "HEAD holds no such rows"
    assert any("model/triage: its recipe is in none of the revisions" in str(each) for each in plan["warnings"])
    applied.write("specs/tickets.csv", table(rows(29)))
    result = applied.run("plan", "--offline")
    assert "which is not the last version that a model was trained on" in " ".join(result.out.split())


def test_without_git_everything_is_new_and_a_warning_says_so(repository: Repository) -> None:
    repository.write("specs/all.yaml", DATASET + OPENAI)
    repository.write("specs/tickets.csv", table(rows(30)))

    result = repository.run("plan", "--offline")

    assert result.code == 0
    assert "model/triage will be trained" in result.out
    assert "git holds no version before this one" in result.out
    assert "everything is shown as new" in " ".join(result.out.split())


def test_models_are_added_removed_and_renamed_between_commits(versioned: Repository) -> None:
    """No id is invented for jobs and models, and no row is shown where none changed."""
    second = OPENAI.replace("triage", "second")
    versioned.write("specs/all.yaml", DATASET + OPENAI + second)
    commit(versioned)
    renamed = OPENAI.replace("triage", "sorter") + "moved: triage\n"
    versioned.write("specs/all.yaml", DATASET + renamed + OPENAI.replace("triage", "third") + MORE)
    commit(versioned)

    result = versioned.run("diff", "HEAD~1..", "--json")

    plan = read_plan(result)
    assert [step["address"] for step in plan["train"]] == ["model/third"]
    assert "upload" not in plan
    assert {(keep["address"], keep["why"]) for keep in plan["kept"]} == {
        ("model/second", "orphan"),
        ("model/sorter", "ready"),
    }
    assert all(keep["job"] is None and keep["model"] is None for keep in plan["kept"])
    assert "git:" not in result.out
    assert "No changes." in versioned.run("diff", "HEAD..HEAD").out
    assert versioned.run("diff", "HEAD~1..HEAD", "--detailed-exitcode").code == 2


def test_only_what_is_committed_is_read(versioned: Repository) -> None:
    commit(versioned)
    versioned.write("specs/tickets.csv", "not, a table\n")
    versioned.write("specs/more.yaml", "kind: Nonsense\n")
    before = {path: path.stat().st_mtime_ns for path in versioned.root.rglob("*") if ".git" not in path.parts}

    assert "No changes." in versioned.run("diff", "HEAD~1..HEAD").out

    after = {path: path.stat().st_mtime_ns for path in versioned.root.rglob("*") if ".git" not in path.parts}
    assert before == after


def test_three_dots_leave_out_the_changes_of_the_other_branch(versioned: Repository) -> None:
    git(versioned.root, "branch", "other")
    versioned.write("specs/tickets.csv", table(rows(31)))
    commit(versioned)
    git(versioned.root, "checkout", "-q", "other")
    versioned.write("specs/all.yaml", DATASET + OPENAI + MORE)
    commit(versioned)

    assert "upload" in read_plan(versioned.run("diff", "main..other", "--json"))
    assert "upload" not in read_plan(versioned.run("diff", "main...other", "--json"))
    against = read_plan(versioned.run("plan", "--offline", "--against", "main", "--json"))
    assert counts(against["upload"][0]) == [31, 30, 0, 1, 0, 0]


def test_earlier_rows_that_cannot_be_read_leave_only_the_comparison_out(versioned: Repository) -> None:
    versioned.write("specs/tickets.csv", "other,columns\n1,2\n")
    commit(versioned)
    versioned.write("specs/tickets.csv", table(rows(30)))
    commit(versioned)

    plan = read_plan(versioned.run("diff", "HEAD~1..HEAD", "--json"))

    assert len(plan["train"]) == 1
    assert any("the rows of tickets at HEAD~1 cannot be read: specs/" in str(w) for w in plan["warnings"])


def test_lfs_pointers_are_not_read_as_rows(versioned: Repository) -> None:
    versioned.write("specs/tickets.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    commit(versioned)
    versioned.write("specs/tickets.csv", table(rows(30)))

    plan = read_plan(versioned.run("plan", "--offline", "--json"))

    assert any("only a pointer of Git LFS" in str(warning) for warning in plan["warnings"])


def test_mistakes_are_reported_with_their_revision(versioned: Repository) -> None:
    versioned.write("specs/all.yaml", "kind: Datset\n")
    commit(versioned)

    result = versioned.run("diff", "HEAD~1..HEAD")
    assert (result.code, "HEAD:specs/all.yaml:1" in result.err) == (3, True)
    result = versioned.run("diff", "HEAD..HEAD~1")
    assert (result.code, "HEAD:specs/all.yaml:1" in result.err) == (3, True)
    versioned.write("specs/all.yaml", DATASET + OPENAI)
    result = versioned.run("plan", "--offline")
    assert (result.code, "the specs at HEAD cannot be read" in result.out) == (0, True)


def test_everything_in_a_new_root_is_new_and_a_missing_root_is_an_error(versioned: Repository) -> None:
    versioned.write("more/all.yaml", DATASET + OPENAI)
    versioned.write("more/tickets.csv", table(rows(30)))
    commit(versioned)

    plan = read_plan(versioned.run("diff", "HEAD~1..HEAD", "more", "--json"))

    assert len(plan["train"]) == 1
    assert any("at HEAD~1 there is no directory more of specs" in str(warning) for warning in plan["warnings"])
    result = versioned.run("diff", "HEAD..HEAD~1", "more")
    assert (result.code, "at HEAD~1 there is no directory more of specs" in result.err) == (64, True)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["plan", "--against", "HEAD"], "--against names what --offline compares with"),
        (["plan", "--offline", "--out", "x.plan"], "cannot be applied"),
        (["plan", "--offline", "--against", "nowhere"], "git knows no such revision"),
        (["plan", "--offline", "--target", "nothing"], "the specs name no such model"),
        (["plan", "--offline", "--provider", "nobody"], "there is no provider profile 'nobody'"),
        (["diff", "HEAD"], "write two revisions with dots between them"),
        (["diff", "nowhere..HEAD"], "git knows no such revision"),
        (["diff", "--", "--help..HEAD"], "git knows no such revision"),
    ],
)
def test_unusable_arguments_of_offline_plans_and_diffs_are_wrong_usage(
    versioned: Repository, command: list[str], message: str
) -> None:
    answer = versioned.run(*command)

    assert (answer.code, message in answer.err) == (64, True), answer
    assert not list(Path(versioned.root).glob("*.plan"))


def test_pruning_deletes_nothing_whose_id_is_unknown(versioned: Repository) -> None:
    versioned.write("specs/all.yaml", DATASET + OPENAI.replace("triage", "other"))

    plan = read_plan(versioned.run("plan", "--offline", "--prune", "--json"))

    assert "delete" not in plan
    assert [keep["address"] for keep in plan["kept"]] == ["model/triage"]


@pytest.mark.parametrize("span", ["HEAD~1..HEAD", "HEAD~2..HEAD~1", "HEAD~1..HEAD~1"])
def test_a_finding_at_a_revision_names_the_plain_file_where_tools_look_for_it(versioned: Repository, span: str) -> None:
    good = versioned.read("specs/all.yaml")
    versioned.write("specs/all.yaml", f"{good}bogus: 1\n")
    commit(versioned, "wrong")
    versioned.write("specs/all.yaml", good)
    commit(versioned, "good")
    result = versioned.run("diff", span, "--format", "github", "--format", "sarif=a.sarif", "--format", "junit=a.xml")
    json_result = versioned.run("diff", span, "--json")
    revision = "HEAD~1"
    assert (result.code, json_result.code) == (3, 3)
    (line,) = [each for each in result.out.splitlines() if each.startswith("::error")]
    assert "file=specs/all.yaml,line=" in line
    assert f"::at {revision}: " in line
    (found,) = json.loads(versioned.read("a.sarif"))["runs"][0]["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "specs/all.yaml"
    assert found["message"]["text"].startswith(f"at {revision}: ")
    (problem,) = json.loads(json_result.out)["problems"]
    assert (problem["file"], problem["revision"]) == ("specs/all.yaml", revision)
    schema = json.loads((HERE / "schemas" / "problems.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(json.loads(json_result.out))
    assert f"{revision}:specs/all.yaml:" in result.err
    assert f"{revision}:specs/all.yaml" in versioned.read("a.xml")


def propose(repository: Repository, *, lock: str = "") -> None:
    """Check out the merge of a branch that adds a model, as CI does: detached, and without origin/HEAD."""
    git(repository.root, "checkout", "-q", "-b", "proposal")
    repository.write("specs/more.yaml", MORE_MODEL)
    if lock == "removed":
        (repository.root / "specs" / "models.lock.yaml").unlink()
    elif lock == "forged":
        lock_present_specs(repository)
    commit(repository, "a model")
    repository.write("README.md", "words")
    commit(repository, "words")
    git(repository.root, "checkout", "-q", "--detach", "main")
    git(repository.root, "merge", "-q", "--no-ff", "-m", "merge", "proposal")


MORE_MODEL = "kind: Model\nname: second\nprovider: openai\nbase: gpt-4.1-mini-2025-04-14\ntraining: tickets\nseed: 7\n"


def test_a_merge_is_compared_with_the_branch_that_it_was_made_into(versioned: Repository) -> None:
    propose(versioned)
    result = versioned.run("plan", "--offline", "--detailed-exitcode")
    assert (result.code, "model/second will be trained" in result.out) == (2, True)
    assert "No changes" not in result.out


def test_what_is_compared_with_itself_is_refused_and_the_hint_compares_it(versioned: Repository) -> None:
    versioned.write("specs/more.yaml", MORE_MODEL)
    commit(versioned, "a model")
    result = versioned.run("plan", "--offline", "--detailed-exitcode")
    assert (result.code, "No changes" in result.out) == (5, False)
    assert "nothing is compared" in result.err
    assert "reconciler plan specs --offline --against 'HEAD~1'" in " ".join(result.err.split())
    followed = versioned.run("plan", "specs", "--offline", "--against", "HEAD~1")
    assert (followed.code, "model/second will be trained" in followed.out) == (0, True)


@pytest.mark.parametrize("lock", ["", "removed", "forged"])
def test_with_base_the_lock_file_is_that_of_the_base(applied: Repository, lock: str) -> None:
    propose(applied, lock=lock)
    result = applied.run("plan", "--offline", "--base", "HEAD^1", "--json")
    plan = read_plan(result)
    assert [step["id"] for step in plan["train"]] == ["train:model/second"]
    assert [keep["address"] for keep in plan["kept"]] == ["model/triage"]
    assert any("models.lock.yaml is not there any more" in str(each) for each in plan["warnings"]) == (
        lock == "removed"
    )


def test_a_removed_lock_file_is_that_of_the_earlier_version(applied: Repository) -> None:
    propose(applied, lock="removed")
    plan = read_plan(applied.run("plan", "--offline", "--json"))
    assert [step["id"] for step in plan["train"]] == ["train:model/second"]
    assert any("models.lock.yaml is not there any more" in str(each) for each in plan["warnings"])


@pytest.mark.parametrize("flags", [("--base", "HEAD"), ("--offline", "--base", "HEAD", "--against", "HEAD")])
def test_a_base_is_for_an_offline_plan_and_is_named_once(versioned: Repository, flags: tuple[str, ...]) -> None:
    result = versioned.run("plan", *flags)
    assert (result.code, "--base" in result.err) == (64, True)


@pytest.mark.parametrize("base", ["head", "lock"])
def test_a_split_that_takes_rows_out_of_the_training_file_is_counted_in_every_view(
    versioned: Repository, base: str
) -> None:
    if base == "lock":
        lock_present_specs(versioned)
        commit(versioned, "applied")
    versioned.write("specs/all.yaml", DATASET + "split: {validation: 0.3}\n" + OPENAI)
    document = json.loads(versioned.run("plan", "--offline", "--json").out)
    (rows,) = [step["rows"] for step in document["steps"] if step.get("rows")]
    assert (rows["rows_before"], rows["rows_after"], rows["training_before"]) == (30, 30, 30)
    words = f"30 → {rows['training_after']} in the training file"
    assert 10 < rows["training_after"] < 30
    schema = json.loads((HERE / "schemas" / "plan.schema.json").read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    for form in ("text", "markdown", "html"):
        assert words in " ".join(versioned.run("plan", "--offline", "--format", form).out.split()), form
