"""From a fresh clone to a model that answers, and everything a user does next."""

import csv
import json
import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.acceptance.conftest import HERE, Repository

ROOT = "specs/quickstart"
TRAIN = f"{ROOT}/data/train.csv"
MODEL_ID = re.compile(r"ft:tfidf-logreg:local:support-triage:\w+")


def read_jobs(repository: Repository) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(repository.run("jobs", "--specs", ROOT, "--json").out)
    return listed


def test_apply_trains_a_model_that_answers_and_a_second_plan_is_empty(quickstart: Repository) -> None:
    result = quickstart.run("apply", ROOT, "--auto-approve")
    assert result.code == 0
    model = MODEL_ID.search(result.out)
    assert model

    again = quickstart.run("plan", ROOT, "--detailed-exitcode")
    assert (again.code, "No changes." in again.out) == (0, True)

    assert quickstart.run("run", "support-triage", "-p", "my card has not arrived yet").out == "card_arrival\n"
    assert quickstart.run("output", "support-triage").out == f"{model[0]}\n"
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    assert len(read_jobs(quickstart)) == 1


def test_at_least_ninety_of_a_hundred_held_out_messages_are_answered_exactly(quickstart: Repository) -> None:
    """Asked one conversation at a time, as a user would, through the service's own API."""
    from reconciler.domain.ports import Message
    from reconciler.specfile import read_specs
    from reconciler.workflow import locate_setting
    from reconciler.workflow.lock import find_serving
    from reconciler.workflow.plan import open_service

    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    setting = locate_setting(quickstart.root / ROOT, os.environ)
    specs = read_specs(setting.root, setting.workspace)
    with (quickstart.root / ROOT / "data/held-out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with open_service(setting, specs) as opened:
        model = find_serving(setting, specs, "support-triage", opened).model
        asked = [(row, (Message(role="user", content=row["prompt"]),)) for row in rows]
        right = sum("".join(opened.answer(model, messages)) == row["completion"] for row, messages in asked)
    assert len(rows) == 100
    assert right >= 90


def test_a_changed_row_is_shown_with_its_dataset_and_the_reason(quickstart: Repository) -> None:
    quickstart.run("apply", ROOT, "--auto-approve")
    quickstart.write(TRAIN, quickstart.read(TRAIN).replace("How do I locate my card?", "Where on earth is my card?"))
    result = quickstart.run("plan", ROOT, "--detailed-exitcode")
    assert result.code == 2
    assert "# dataset/banking-questions has changed and will be uploaded" in result.out
    assert "# model/support-triage will be retrained" in result.out
    assert re.search(r"~ training = banking-questions-\w{12} \(200 rows\)\n +→ banking-questions-\w{12}", result.out)


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: "\ufeff" + text,
        lambda text: re.sub(r"(?m)^([^\",\n]+),(\w+)$", r'"\1","\2"', text),
    ],
    ids=["line endings", "final newline", "byte order mark", "quotes"],
)
def test_reformatting_changes_nothing(quickstart: Repository, rewritten: "re._Callback") -> None:  # type: ignore[name-defined]
    before = quickstart.read(TRAIN)
    quickstart.run("apply", ROOT, "--auto-approve", "--no-wait")
    after = rewritten(before)
    assert after != before
    quickstart.write(TRAIN, after)
    assert quickstart.run("plan", ROOT, "--detailed-exitcode").code == 0


def test_key_order_and_spaces_change_nothing(repository: Repository) -> None:
    rows = [{"prompt": f"question {n}", "completion": "even" if n % 2 else "odd"} for n in range(20)]
    spec = (
        "kind: Dataset\nname: numbers\nsource: rows.jsonl\n---\n"
        "kind: Model\nname: parity\nbase: tfidf-logreg\ntraining: numbers\n"
    )
    repository.write("specs/all.yaml", spec)
    repository.write("specs/rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert repository.run("apply", "--auto-approve", "--no-wait").code == 0
    turned = [dict(reversed(row.items())) for row in rows]
    repository.write(
        "specs/rows.jsonl", "\r\n".join(json.dumps(row, indent=None, separators=(" , ", " : ")) for row in turned)
    )
    assert repository.run("plan", "--detailed-exitcode").code == 0


def test_a_roll_back_creates_no_job_and_returns_to_the_first_model(quickstart: Repository) -> None:
    quickstart.run("apply", ROOT, "--auto-approve")
    first = quickstart.run("output", "support-triage").out
    before = quickstart.read(TRAIN)
    quickstart.write(TRAIN, before.replace("How do I locate my card?", "Where on earth is my card?"))
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    assert quickstart.run("output", "support-triage").out != first

    quickstart.write(TRAIN, before)
    shown = quickstart.run("plan", ROOT)
    assert "1 to promote, 0 to upload, 0 to train" in shown.out
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    assert quickstart.run("output", "support-triage").out == first
    assert len(read_jobs(quickstart)) == 2


def test_a_saved_plan_is_applied_once_and_is_stale_afterwards(quickstart: Repository) -> None:
    assert quickstart.run("plan", ROOT, "--out", "saved.plan").code == 0
    assert quickstart.run("apply", "saved.plan").code == 0
    result = quickstart.run("apply", "saved.plan")
    assert result.code == 4
    assert "applied already" in result.err
    assert len(read_jobs(quickstart)) == 1


def test_a_saved_plan_is_stale_after_the_data_changed(quickstart: Repository) -> None:
    quickstart.run("plan", ROOT, "--out", "saved.plan")
    quickstart.write(TRAIN, quickstart.read(TRAIN) + "Is it here yet?,card_arrival\n")
    result = quickstart.run("apply", "saved.plan")
    assert (result.code, "the rows moved: dataset/banking-questions changed" in result.err) == (4, True)
    assert read_jobs(quickstart) == []


def test_a_saved_plan_takes_no_planning_options_and_no_other_file(quickstart: Repository) -> None:
    quickstart.run("plan", ROOT, "--out", "saved.plan")
    assert quickstart.run("apply", "saved.plan", "--prune").code == 64
    quickstart.write("other.plan", '{"saved_plan": "2"}')
    assert quickstart.run("apply", "other.plan").code == 64


def test_apply_without_a_terminal_and_without_approval_refuses_at_once(quickstart: Repository) -> None:
    result = quickstart.run("apply", ROOT)
    assert result.code == 64
    assert "--auto-approve" in result.err
    assert not quickstart.store.exists()


def test_a_base_that_the_service_lacks_is_warned_of_and_ends_an_apply_before_anything_is_sent(
    repository: Repository,
) -> None:
    """The specs name no service, so another one may still be chosen."""
    import shutil

    shutil.copytree(HERE / "specs" / "support-replies", repository.root / "specs")
    assert repository.run("validate").code == 0
    planned = repository.run("plan")
    assert (planned.code, "is not known to local" in planned.out) == (0, True)
    assert "the service local has no base model" in planned.err
    result = repository.run("apply", "--auto-approve")
    assert result.code == 3
    assert "support-replies.yaml:18:7  base: the service local has no base model" in " ".join(result.err.split("\n"))
    assert json.loads(repository.run("files", "--json").out) == []
    assert json.loads(repository.run("jobs", "--json").out) == []


def test_a_job_that_failed_is_not_paid_again(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library that trains is broken, which shows only when the job runs."""
    repository.write("broken/sklearn.py", "raise RuntimeError('this library is broken')\n")
    monkeypatch.setenv("PYTHONPATH", str(repository.root / "broken"))
    rows = "".join(f"question {n},{'yes' if n % 2 else 'no'}\n" for n in range(30))
    repository.write("specs/rows.csv", "prompt,completion\n" + rows)
    repository.write(
        "specs/all.yaml",
        "kind: Dataset\nname: talk\nsource: rows.csv\n---\n"
        "kind: Model\nname: talker\nbase: tfidf-logreg\ntraining: talk\n",
    )
    result = repository.run("apply", "--auto-approve")
    assert result.code == 6
    assert "this library is broken" in result.err

    held = repository.run("apply", "--auto-approve")
    assert held.code == 6
    assert "--retry talker" in held.out
    assert len(json.loads(repository.run("jobs", "--json").out)) == 1
    assert repository.run("apply", "--auto-approve", "--retry", "talker").code == 6
    assert len(json.loads(repository.run("jobs", "--json").out)) == 2


def test_after_no_wait_the_job_runs_on_and_wait_waits_for_it(quickstart: Repository) -> None:
    assert quickstart.run("apply", ROOT, "--auto-approve", "--no-wait").code == 0
    assert quickstart.run("wait", "--specs", ROOT, "--timeout", "60").code == 0
    assert MODEL_ID.fullmatch(quickstart.run("output", "support-triage").out.strip())


def test_a_timeout_means_that_the_job_still_runs_and_has_not_failed(
    quickstart: Repository, without_worker: Callable[[], AbstractContextManager[None]]
) -> None:
    with without_worker():
        result = quickstart.run("apply", ROOT, "--auto-approve", "--timeout", "3s")
    assert result.code == 7
    assert "reconciler wait" in result.err
    assert quickstart.run("follow", "support-triage", "--timeout", "1m").code == 0


def test_a_cancelled_job_is_not_repeated_until_requested(quickstart: Repository) -> None:
    quickstart.run("apply", ROOT, "--auto-approve", "--no-wait")
    assert quickstart.run("cancel", "support-triage", "--auto-approve").code == 0
    result = quickstart.run("plan", ROOT)
    assert "--retry support-triage" in result.out
    assert quickstart.run("apply", ROOT, "--auto-approve", "--retry", "support-triage").code == 0


def test_stdout_with_json_holds_json_only(quickstart: Repository) -> None:
    assert json.loads(quickstart.run("plan", ROOT, "--json").out)["has_changes"] is True
    result = quickstart.run("apply", ROOT, "--auto-approve", "--json")
    first, *events, last = map(json.loads, result.out.splitlines())
    assert (first["type"], first["plan"]["summary"]["train"]) == ("plan", 1)
    assert {each["type"] for each in events} >= {"started", "finished", "job_moved"}
    assert (last["type"], last["exit_code"], last["state"], last["error"]) == ("result", 0, "settled", None)
    assert last["models"] == {"support-triage": quickstart.run("output", "support-triage", "--specs", ROOT).out.strip()}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_the_job_running_and_names_the_next_command(
    quickstart: Repository, number: signal.Signals, code: int
) -> None:
    slow = quickstart.read(f"{ROOT}/support-triage.yaml") + "hyperparameters:\n  n_epochs: 50\n"
    quickstart.write(f"{ROOT}/support-triage.yaml", slow)
    applying = quickstart.start("apply", ROOT, "--auto-approve")
    assert applying.stderr
    for line in applying.stderr:
        if "created job" in line:
            break
    applying.send_signal(number)
    _, err = applying.communicate(timeout=30)
    assert applying.returncode == code
    assert f"reconciler apply {ROOT}" in err
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    assert len(read_jobs(quickstart)) == 1


def test_an_apply_that_is_killed_and_repeated_gives_one_job_and_one_file(quickstart: Repository) -> None:
    """The test prepares nothing and cleans nothing up: the service holds the state."""
    for delay in (0.3, 0.5, 0.7, 0.9, 1.1, 1.5):
        killed = quickstart.start("apply", ROOT, "--auto-approve")
        time.sleep(delay)  # the moment of the kill is the test
        killed.kill()
        killed.communicate()
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    assert len(read_jobs(quickstart)) == 1
    assert count_files(quickstart.store) == 1


def count_files(store: Path) -> int:
    """Return the number of training files that the service lists."""
    from reconciler.service import open_service
    from tests.service.service_fixtures import client_of

    listed = client_of(open_service(store)).get("/files", params={"purpose": "fine-tune"}).json()["data"]
    return len(listed)
