"""The commands around plan and apply, each as a user types it."""

import io
import json
import re

import pytest

from reconciler.cli.console import open_console
from tests.acceptance.conftest import Repository

ROOT = "specs/quickstart"


@pytest.fixture
def trained(quickstart: Repository) -> Repository:
    """A repository whose model is trained."""
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    return quickstart


def test_a_conversation_is_asked_from_a_file_and_from_stdin(
    trained: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [{"role": "user", "content": "I want to change my PIN"}]
    trained.write("asked.json", json.dumps({"messages": messages}))
    assert trained.run("run", "support-triage", "-f", "asked.json").out == "change_pin\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(messages).encode())))
    assert trained.run("run", "support-triage", "-f", "-").out == "change_pin\n"


@pytest.mark.parametrize("content", ["", "{}", '{"messages": 7}', '[{"role": "user"}]', "[" * 100_000])
def test_a_file_that_holds_no_conversation_is_wrong_usage(quickstart: Repository, content: str) -> None:
    quickstart.run("apply", ROOT, "--auto-approve", "--no-wait")
    quickstart.write("asked.json", content)
    assert quickstart.run("run", "support-triage", "-f", "asked.json").code in {1, 64}


def test_running_a_model_that_is_not_trained_names_the_command_that_trains_it(quickstart: Repository) -> None:
    result = quickstart.run("run", "support-triage", "-p", "hello")
    assert (result.code, "reconciler apply" in result.err) == (1, True)


def test_output_writes_each_format(trained: Repository) -> None:
    model = trained.run("output", "support-triage").out.strip()
    assert json.loads(trained.run("output", "--format", "json").out)["support-triage"]["model"] == model
    assert trained.run("output", "--format", "env").out == f"SUPPORT_TRIAGE_MODEL={model}\n"
    assert trained.run("output", "--format", "github").out == f"support-triage={model}\n"


def test_output_without_a_lock_file_asks_the_service(trained: Repository) -> None:
    """Without the file the models are still found; only the guard against a lost list of jobs is missing."""
    locked = trained.run("output", "support-triage").out
    (trained.root / ROOT / "models.lock.yaml").unlink()
    assert trained.run("output", "support-triage").out == locked


def test_init_writes_a_tree_that_applies_and_overwrites_nothing(repository: Repository) -> None:
    assert repository.run("init").code == 0
    assert repository.run("validate").code == 0
    assert repository.run("apply", "--auto-approve").code == 0
    again = repository.run("init")
    assert again.code == 64
    assert repository.run("plan", "--detailed-exitcode").code == 0


def test_status_and_jobs_list_models_and_jobs(trained: Repository) -> None:
    assert re.search(r"support-triage +tfidf-logreg +succeeded +ftjob-", trained.run("status").out)
    (job,) = json.loads(trained.run("jobs", "--json").out)
    assert (job["address"], job["status"]) == ("model/support-triage", "succeeded")


def test_follow_shows_all_events_of_a_finished_job(trained: Repository) -> None:
    result = trained.run("follow", "support-triage")
    assert result.code == 0
    assert "Created fine-tuning job" in result.err
    assert "The job has successfully completed" in result.err


def test_following_a_model_without_a_job_is_an_error(quickstart: Repository) -> None:
    assert quickstart.run("follow", "support-triage").code == 1
    assert quickstart.run("follow", "nobody").code == 64
    assert quickstart.run("cancel", "support-triage", "--auto-approve").code == 0


def test_doctor_reports_what_works_and_what_does_not(quickstart: Repository) -> None:
    assert quickstart.run("doctor").code == 0
    result = quickstart.run("doctor", "--provider", "openai")
    assert result.code == 1
    assert "FAIL" in result.out
    assert "OPENAI_API_KEY" in result.err


def test_the_services_own_directory_is_invisible_to_git(trained: Repository) -> None:
    assert (trained.home / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert trained.home.stat().st_mode & 0o077 == 0


def test_with_several_projects_in_a_directory_the_user_has_to_name_one(quickstart: Repository) -> None:
    for name in ("one", "two"):
        quickstart.write(f"specs/{name}/project.yaml", f"kind: Project\nname: {name}\n")
    result = quickstart.run("plan")
    assert result.code == 64
    assert "specs/quickstart" in result.err
    assert quickstart.run("plan", "specs/quickstart").code == 0
    assert quickstart.run("run", "support-triage", "-p", "hello").code == 1


def test_a_split_dataset_is_sent_as_two_files_and_validated_with(quickstart: Repository) -> None:
    spec = f"{ROOT}/support-triage.yaml"
    quickstart.write(spec, quickstart.read(spec).replace("---", "split:\n  validation: 0.2\n---"))
    result = quickstart.run("apply", ROOT, "--auto-approve")
    assert result.code == 0
    assert "banking-questions.validation" in result.out
    assert "validation loss" in quickstart.run("follow", "support-triage", "--json").out
    assert quickstart.run("plan", ROOT, "--detailed-exitcode").code == 0


def test_only_values_of_variables_named_as_secrets_are_hidden() -> None:
    talk = open_console({"OPENAI_API_KEY": "a" * 20, "MY_TOKEN": "b" * 20, "HOME": "c" * 20})
    texts = [talk.out._redact(letter * 20) for letter in "abc"]  # the sink's own memory is what is asked here
    assert texts == ["[redacted]", "[redacted]", "c" * 20]


@pytest.mark.parametrize("flag", ["--env=", "--bogus", "--timeout=later", "--env=nowhere"])
def test_an_apply_with_a_wrong_command_line_still_writes_its_result_line(quickstart: Repository, flag: str) -> None:
    result = quickstart.run("apply", "--json", flag)
    (line,) = result.out.splitlines()
    found = json.loads(line)
    assert (result.code, found["type"], found["exit_code"], found["remaining"]) == (64, "result", 64, None)
    assert found["verdict"].startswith("Wrong usage")


def test_a_variable_that_names_no_environment_is_in_the_result_line(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_ENV", "")
    found = json.loads(quickstart.run("apply", "--json").out)
    assert (found["type"], found["exit_code"]) == ("result", 64)
