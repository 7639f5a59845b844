"""What plans, applies and saved plans leave for other readers: complete in every format, also when something failed."""

import json
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.acceptance.conftest import HERE, Repository
from tests.ci.runner import git, outputs_of

ROOT = "specs/quickstart"
SPEC = f"{ROOT}/support-triage.yaml"
FORMATS = ("text", "json", "markdown", "html", "sarif", "junit", "review")
FENCE = re.compile(r"^```sh\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
SCHEMAS = HERE / "schemas"


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


def all_formats(folder: str) -> list[str]:
    return [word for form in FORMATS for word in ("--format", f"{form}={folder}/{form}")]


def files(repository: Repository, folder: str = "out") -> dict[str, str]:
    return {form: repository.read(f"{folder}/{form}") for form in FORMATS if (repository.root / folder / form).exists()}


@pytest.fixture
def out(quickstart: Repository) -> Repository:
    """The quickstart, with a directory of files that an earlier run wrote."""
    for form in FORMATS:
        quickstart.write(f"out/{form}", "No changes, said an earlier run.")
    return quickstart


def make_invalid(repository: Repository) -> None:
    repository.write(SPEC, repository.read(SPEC).replace("base:", "bass:"))


def repeat_rows(repository: Repository) -> None:
    """Add rows that are there already: a warning."""
    path = f"{ROOT}/data/train.csv"
    lines = repository.read(path).splitlines()
    repository.write(path, "\n".join([*lines, *lines[1:4]]) + "\n")


def test_invalid_specs_are_written_in_every_format(out: Repository) -> None:
    make_invalid(out)

    assert out.run("plan", ROOT, *all_formats("out")).code == 3

    for form, text in files(out).items():
        assert "bass" in text, form
        assert "an earlier run" not in text, form
    review = json.loads(out.read("out/review"))
    assert (review["state"], review["has_changes"]) == ("invalid", True)


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--provider", "openai"], 1, "OPENAI_API_KEY"),
        (["--target", "unknown"], 64, "unknown"),
        (["--allow", "unknown"], 64, "no such guard"),
        (["--env", "unknown"], 64, "unknown"),
        (["--offline", "--against", "no-such-revision"], 64, "no-such-revision"),
    ],
)
def test_a_plan_that_could_not_be_made_is_written_in_every_format(
    out: Repository, monkeypatch: pytest.MonkeyPatch, flags: list[str], code: int, words: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    result = out.run("plan", ROOT, *flags, *all_formats("out"))

    assert (result.code, words in result.err) == (code, True), result.err
    for form, text in files(out).items():
        assert "an earlier run" not in text, form
        assert words.split()[0].replace("_", "") in text.replace("\\_", "").replace("_", ""), form
    assert json.loads(out.read("out/review"))["state"] == "failed"
    (sarif,) = json.loads(out.read("out/sarif"))["runs"]
    assert sarif["invocations"][0]["executionSuccessful"] is False
    assert "failure" in out.read("out/junit")


def commit(repository: Repository, message: str) -> None:
    git("-C", str(repository.root), "add", "--all")
    git("-C", str(repository.root), "commit", "--quiet", "--allow-empty", "--message", message)


@pytest.mark.parametrize("which", ["first", "second", "revision"])
def test_a_diff_that_could_not_be_made_is_written_in_every_format(out: Repository, which: str) -> None:
    shutil.rmtree(out.root / ".git")
    git("init", "--quiet", str(out.root))
    good = out.read(SPEC)
    for invalid in (which == "first", which == "second"):
        out.write(SPEC, good.replace("base:", "bass:") if invalid else good + "# again\n" * (not invalid))
        commit(out, "specs")
    revisions = "HEAD~1..nowhere" if which == "revision" else "HEAD~1..HEAD"

    result = out.run("diff", revisions, ROOT, *all_formats("out"))

    assert result.code == (64 if which == "revision" else 3), result.err
    for form, text in files(out).items():
        assert "an earlier run" not in text, form
    assert json.loads(out.read("out/review"))["state"] == ("failed" if which == "revision" else "invalid")


def test_a_saved_plan_shows_the_findings_of_the_checks_in_every_format(quickstart: Repository) -> None:
    repeat_rows(quickstart)
    (quickstart.root / "out").mkdir()
    planned = quickstart.run("plan", ROOT, "--out", "x.plan", "--json")
    findings = json.loads(planned.out)["findings"]
    assert {each["rule"] for each in findings} >= {"rows.duplicate"}

    shown = quickstart.run("show", "x.plan", *all_formats("out"))

    assert shown.code == 0
    what = findings[0]["what"].split("`")[0].strip()
    assert " ".join(what.split()[:4]) in " ".join(shown.err.split())
    for form, text in files(quickstart).items():
        assert what.split()[0] in text, form
    assert json.loads(quickstart.read("out/json"))["findings"] == findings
    validator("plan").validate(json.loads(quickstart.read("out/json")))


PROJECT = """\
kind: Project
name: support
environments:
  staging: {name: support-staging, policy: {max_new_jobs: 0}}
"""


@pytest.mark.parametrize("saved", [True, False])
def test_the_command_of_a_review_is_executed_anywhere_and_names_no_file_of_the_machine(
    quickstart: Repository, tmp_path_factory: pytest.TempPathFactory, saved: bool
) -> None:
    """It carries every flag that made the plan; the file of the saved plan is gone by then."""
    quickstart.write(f"{ROOT}/project.yaml", PROJECT.replace(", policy: {max_new_jobs: 0}", ""))
    quickstart.write("prices.json", (HERE / "reconciler/prices/local.json").read_text(encoding="utf-8"))
    temporary = tmp_path_factory.mktemp("runner")
    flags = ["--env", "staging", "--provider", "local", "--prices", "prices.json", "--prune"]
    flags += ["--target", "support-triage", "--allow", "bulk-change"]
    out = ["--out", str(temporary / "plan.json")] if saved else []
    quickstart.run("plan", ROOT, *flags, *out, "--format", f"markdown={temporary}/plan.md")
    text = (temporary / "plan.md").read_text(encoding="utf-8")
    if saved:
        shown = quickstart.run("show", str(temporary / "plan.json"), "--format", "markdown").out
        assert FENCE.findall(shown) == FENCE.findall(text)
    shutil.rmtree(temporary)

    (command,) = FENCE.findall(text)

    program, *words = shlex.split(command)
    assert program == "reconciler"
    assert str(temporary) not in command
    for flag in flags:
        assert flag in words, flag
    assert quickstart.run(*words, "--auto-approve").code == 0
    assert quickstart.run(*words, "--auto-approve").code == 4, "the plan was carried out, so it is no longer current"


def lines_of(text: str) -> list[dict[str, Any]]:
    """Return the lines of an apply, each checked against its schema."""
    found = [json.loads(line) for line in text.splitlines()]
    for each in found:
        validator("event").validate(each)
    return found


def test_an_apply_in_json_is_one_object_a_line_and_ends_with_the_result(quickstart: Repository) -> None:
    first, *_, last = lines_of(quickstart.run("apply", ROOT, "--auto-approve", "--json").out)

    validator("plan").validate(first["plan"])
    assert (last["type"], last["state"], last["exit_code"], last["error"]) == ("result", "settled", 0, None)


@pytest.mark.parametrize(
    ("flags", "code", "state"),
    [
        (["--expect-basis", "v1:" + "0" * 64], 4, "failed"),
        (["--target", "unknown"], 64, "failed"),
        (["--env", "unknown"], 64, "failed"),
    ],
)
def test_an_apply_in_json_is_complete_when_it_fails(
    quickstart: Repository, flags: list[str], code: int, state: str
) -> None:
    result = quickstart.run("apply", ROOT, "--auto-approve", "--json", *flags)

    assert result.code == code
    *_, last = lines_of(result.out)
    assert (last["type"], last["exit_code"], last["state"], last["remaining"]) == ("result", code, state, None)
    assert last["error"]
    assert result.err.startswith("Error: ")


def test_an_apply_in_json_names_invalid_specs_on_one_line(quickstart: Repository) -> None:
    make_invalid(quickstart)

    result = quickstart.run("apply", ROOT, "--auto-approve", "--json")

    (last,) = lines_of(result.out)
    assert (result.code, last["exit_code"], last["state"]) == (3, 3, "invalid")
    assert "bass" in "".join(each["what"] + each["path"] for each in last["problems"])


def test_a_refused_apply_in_json_says_so_in_its_result(quickstart: Repository) -> None:
    quickstart.write(f"{ROOT}/project.yaml", "kind: Project\nname: support\npolicy: {max_new_jobs: 0}\n")

    first, last = lines_of(quickstart.run("apply", ROOT, "--auto-approve", "--json").out)

    assert first["plan"]["refused"]
    assert (last["state"], last["exit_code"], last["remaining"]["refuse"]) == ("refused", 5, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_apply_in_json_is_complete(quickstart: Repository, number: signal.Signals) -> None:
    quickstart.write(SPEC, quickstart.read(SPEC) + "hyperparameters:\n  n_epochs: 50\n")
    applying: subprocess.Popen[str] = quickstart.start("apply", ROOT, "--auto-approve", "--json")
    assert applying.stdout
    seen = []
    for line in applying.stdout:
        seen.append(line)
        if json.loads(line)["type"] == "finished" and json.loads(line)["job"]:
            break
    applying.send_signal(number)
    rest, _ = applying.communicate(timeout=60)

    *_, last = lines_of("".join(seen) + rest)
    assert applying.returncode == last["exit_code"] == 128 + number
    assert last["type"] == "result"
    assert last["state"] in {"waiting", "changes"}


def apply_in_github(repository: Repository, monkeypatch: pytest.MonkeyPatch, *flags: str) -> tuple[int, dict[str, str]]:
    output, summary = repository.root / "output", repository.root / "summary"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = repository.run("apply", ROOT, "--auto-approve", "--format", "github", *flags)
    return result.code, outputs_of(output)


def test_after_an_apply_outputs_and_summary_are_those_of_the_apply(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, outputs = apply_in_github(quickstart, monkeypatch)

    assert (code, outputs["exitcode"], outputs["state"], outputs["has_changes"]) == (0, "0", "settled", "false")
    assert (outputs["to_upload"], outputs["to_train"], outputs["blocked"]) == ("0", "0", "{}")
    assert list(json.loads(outputs["models"])) == ["support-triage"]
    summary = quickstart.read("summary")
    assert summary.startswith("### Applied: 1 file uploaded, 1 job created")
    assert "train `model/support-triage`: done" in summary


def test_after_an_apply_that_left_a_job_running_something_is_missing(
    quickstart: Repository,
    monkeypatch: pytest.MonkeyPatch,
    without_worker: Callable[[], AbstractContextManager[None]],
) -> None:
    with without_worker():
        code, outputs = apply_in_github(quickstart, monkeypatch, "--no-cache", "--timeout", "3s")

    assert (code, outputs["exitcode"], outputs["state"], outputs["has_changes"]) == (7, "7", "waiting", "true")
    assert outputs["verdict"].startswith("The time was up: ")
    assert "No changes" not in quickstart.read("summary")


@pytest.mark.parametrize("flags", [["--expect-basis", "v1:" + "0" * 64], ["--target", "unknown"]])
def test_an_apply_that_made_no_plan_leaves_no_counts(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    code, outputs = apply_in_github(quickstart, monkeypatch, *flags)

    assert (outputs["exitcode"], outputs["state"], outputs["has_changes"]) == (str(code), "failed", "true")
    assert {outputs["to_train"], outputs["cost_low"], outputs["basis"]} == {""}
    assert "No changes" not in quickstart.read("summary")


def test_a_document_cannot_take_the_place_of_the_plan_on_stdout(quickstart: Repository) -> None:
    refused = quickstart.run("apply", ROOT, "--auto-approve", "--format", "markdown")
    assert (refused.code, "markdown=FILE" in refused.err) == (64, True)


def test_the_names_of_some_models_are_printed_where_others_have_none(quickstart: Repository) -> None:
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    other = quickstart.read(SPEC).replace("name: support-triage", "name: second")
    quickstart.write(f"{ROOT}/second.yaml", other.partition("---\n")[2] or other)

    for form in ("plain", "json", "env", "github"):
        result = quickstart.run("output", "--specs", ROOT, "--format", form)
        assert (result.code, "support" in result.out.lower(), "second" in result.out) == (1, True, False), result
        assert "no finished model for model/second" in result.err
    plain = quickstart.run("output", "--specs", ROOT).out
    assert plain.startswith("support-triage  ft:"), "two were asked for, so the name stands before the id"
