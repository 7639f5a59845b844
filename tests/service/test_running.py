"""Running jobs: validated, trained, reported in events, failed with a reason, cancelled in time."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.foundation.stop import Stop
from reconciler.service.jobs import JobUpdates
from reconciler.service.jobs.checks import WaitingChecks, store_check
from reconciler.service.jobs.runner import JobRun
from reconciler.service.store import JobRecord, Store, get_job
from tests.service.service_fixtures import (
    Service,
    chat,
    dismiss,
    error_of,
    is_alive,
    jsonl,
    plain_rows,
    wait_until,
)


def test_a_job_is_validated_queued_trained_and_finished(service: Service) -> None:
    validation = service.upload(jsonl([chat("a", "b")]))["id"]
    job = service.done(service.train(suffix="triage", validation_file=validation, hyperparameters={"n_epochs": 4}))

    model = job["fine_tuned_model"]
    assert (job["status"], job["error"], job["hyperparameters"]) == ("succeeded", None, {"n_epochs": 4})
    assert (job["trained_tokens"], job["estimated_finish"]) == (40, None)
    assert job["finished_at"] >= job["created_at"]
    assert model.startswith("ft:test-echo:local:triage:")
    assert service.messages(job) == [
        f"Created fine-tuning job: {job['id']}",
        f"Validating training file: {job['training_file']} and validation file: {validation}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        *(
            message
            for step in (1, 2, 3, 4)
            for message in (f"Step {step}/4: training loss={1 / step:.4f}", f"Checkpoint created at step {step}")
        ),
        f"New fine-tuned model created: {model}",
        "The job has successfully completed",
    ]


def test_metrics_come_as_numbers_and_as_a_result_file(service: Service) -> None:
    job = service.done(service.train(hyperparameters={"n_epochs": 2}))

    events = service.get(f"/fine_tuning/jobs/{job['id']}/events")["data"]
    assert [event["data"] for event in events if event["type"] == "metrics"] == [
        {"step": 2, "total_steps": 2, "train_loss": 0.5, "train_mean_token_accuracy": 1.0},
        {"step": 1, "total_steps": 2, "train_loss": 1.0, "train_mean_token_accuracy": 1.0},
    ]
    (results,) = job["result_files"]
    file = service.get(f"/files/{results}")
    content = service.client.get(f"/files/{results}/content").text
    assert (file["filename"], file["purpose"], file["bytes"]) == ("step_metrics.csv", "fine-tune-results", len(content))
    assert content == (
        "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,1.0,1.0,,\n2,0.5,1.0,,\n"
    )


def test_checkpoints_are_listed_latest_first_and_answer(service: Service) -> None:
    job = service.done(service.train())
    path = f"/fine_tuning/jobs/{job['id']}/checkpoints"

    listed = service.get(path)
    first = service.get(path, limit=1)
    second = service.get(path, limit=1, after=first["last_id"])

    assert [each["step_number"] for each in listed["data"]] == [3, 2, 1]
    assert (listed["first_id"], listed["last_id"]) == (listed["data"][0]["id"], listed["data"][2]["id"])
    assert (first["has_more"], [each["step_number"] for each in second["data"]]) == (True, [2])
    latest = listed["data"][0]
    names = [each["fine_tuned_model_checkpoint"] for each in listed["data"]]
    model = job["fine_tuned_model"]
    assert names == [model, f"{model}:ckpt-step-2", f"{model}:ckpt-step-1"]
    assert (latest["fine_tuning_job_id"], latest["object"]) == (job["id"], "fine_tuning.job.checkpoint")
    assert latest["metrics"] == {"step": 3, "train_loss": 1 / 3, "train_mean_token_accuracy": 1.0}
    asked = {"model": latest["fine_tuned_model_checkpoint"], "prompt": "question 1"}
    assert service.post("/completions", asked)["choices"][0]["text"] == "answer 1"


def test_progress_is_reported_while_a_job_runs(service: Service, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = service.train(plain_rows(f"wait for {go}"), hyperparameters={"n_epochs": 5})

    wait_until(lambda: "Step 1/5: training loss=1.0000" in service.messages(job))

    running = service.job(job)
    assert (running["status"], running["hyperparameters"]) == ("running", {"n_epochs": 5})
    assert running["estimated_finish"] >= running["created_at"]
    assert running["fine_tuned_model"] is None
    go.touch()
    assert service.done(job)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("rows", "code", "says"),
    [
        (plain_rows(count=9), "invalid_n_examples", "has 9 example(s), but must have at least 10 examples"),
        (plain_rows() + jsonl([{"messages": []}]), "invalid_training_file", "line 11: messages"),
        (
            plain_rows() + jsonl([{"messages": [{"role": "user", "content": "hi"}]}]),
            "invalid_training_file",
            "line 11: messages",
        ),
        (plain_rows() + jsonl([{"prompt": "a", "completion": "b"}]), "invalid_training_file", "line 11: "),
        (jsonl([{"other": 1}] * 12), "invalid_training_file", "line 2: prompt: "),
        (plain_rows() + jsonl([chat("a", "b", weight=0)]), "invalid_training_file", "line 11: "),
    ],
)
def test_rows_that_cannot_be_learned_fail_the_job(service: Service, rows: bytes, code: str, says: str) -> None:
    job = service.done(service.train(rows))

    assert (job["status"], job["error"]["code"], job["error"]["param"]) == ("failed", code, "training_file")
    assert says in job["error"]["message"]
    assert (job["fine_tuned_model"], job["result_files"], job["trained_tokens"]) == (None, [], None)
    assert service.messages(job)[-1] == job["error"]["message"]
    assert job["hyperparameters"] == {"n_epochs": "auto"}


def test_validation_rows_are_checked_as_well(service: Service) -> None:
    file = service.upload(jsonl([chat("a", "b"), {"messages": "none"}]))["id"]

    error = service.done(service.train(validation_file=file))["error"]

    assert (error["code"], error["param"]) == ("invalid_validation_file", "validation_file")
    assert "Validation file: line 2: messages" in error["message"]


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("die", "The training process was killed by SIGKILL"),
        ("fail", "The training process ended with exit code 1: RuntimeError: told to fail"),
    ],
)
def test_a_killed_process_fails_its_own_job_only(service: Service, order: str, says: str) -> None:
    broken, sound = service.train(plain_rows(order)), service.train()

    failed = service.done(broken)

    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")
    assert says in failed["error"]["message"]
    assert service.done(sound)["status"] == "succeeded"


def test_jobs_are_done_one_at_a_time_in_order(service: Service, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first, second = service.train(plain_rows(f"wait for {go}")), service.train()
    service.until(first, "running")

    assert service.job(second)["status"] in {"validating_files", "queued"}
    go.touch()
    assert service.done(second)["status"] == "succeeded"
    assert service.job(first)["status"] == "succeeded"


def test_the_files_of_waiting_jobs_are_checked_while_another_one_runs(service: Service, tmp_path: Path) -> None:
    """A queue shows `queued`, and broken rows fail when they are checked, and not when their turn comes."""
    go = tmp_path / "go"
    first, sound = service.train(plain_rows(f"wait for {go}")), service.train()
    broken = service.train(jsonl([chat("question", "")] * 10))
    short = service.train(plain_rows(count=3))
    last = service.train()

    failed = service.until(broken, "failed", "succeeded")
    assert (failed["error"]["code"], failed["error"]["param"]) == ("invalid_training_file", "training_file")
    assert service.until(short, "failed", "succeeded")["error"]["code"] == "invalid_n_examples"
    assert [service.until(each, "queued")["hyperparameters"] for each in (sound, last)] == [{"n_epochs": 3}] * 2
    assert service.job(first)["status"] == "running"
    go.touch()
    assert [service.done(each)["status"] for each in (sound, last)] == ["succeeded"] * 2
    messages = service.messages(sound)
    assert messages[1:4] == [
        f"Validating training file: {sound['training_file']}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
    ]
    assert messages.count("Files validated, moving job to queued state") == 1


def test_a_check_that_cannot_be_made_changes_no_job(service: Service, tmp_path: Path) -> None:
    """The job that runs goes on, and the one that waits says what is wrong when its turn comes."""
    go = tmp_path / "go"
    first = service.train(plain_rows(f"wait for {go}"))
    service.until(first, "running")
    second, third = service.train(), service.train()
    service.until(third, "queued")
    store = Store(service.root)
    with store.write() as db:
        db.execute("UPDATE jobs SET status = 'validating_files' WHERE id = ?", (second["id"],))
    (service.root / "files" / second["training_file"]).unlink()
    checks = WaitingChecks(store, lambda job: make_run(store, job), lambda: 1.0, lambda: 1.0)

    checks.look(first["id"])
    checks.close()

    assert [service.job(each)["status"] for each in (first, second)] == ["running", "validating_files"]
    go.touch()
    assert [service.done(each)["status"] for each in (first, second, third)] == ["succeeded", "failed", "succeeded"]


def make_run(store: Store, job: JobRecord) -> JobRun:
    return JobRun(store=store, job=job, engine="tests.service.echo", clock=lambda: 1.0, stop=Stop())


def test_a_job_is_cancelled_while_its_files_are_checked(service: Service, tmp_path: Path) -> None:
    store = Store(service.root)
    go = tmp_path / "go"
    first, second = service.train(plain_rows(f"wait for {go}")), service.train()
    service.until(second, "queued")
    with store.read() as db:
        job = replace(get_job(db, second["id"]), status="validating_files")
    service.post(f"/fine_tuning/jobs/{second['id']}/cancel")

    store_check(store, job, {"kind": "validated", "hyperparameters": {"n_epochs": 1}}, 1)

    assert service.job(second)["status"] == "cancelled"
    go.touch()
    assert service.done(first)["status"] == "succeeded"
    assert list((service.root / "jobs").iterdir()) == []


def test_a_cancelled_job_ends_at_once_and_its_processes_soon(service: Service, tmp_path: Path) -> None:
    left = tmp_path / "pid"
    job = service.train(plain_rows(f"leave a child {left}"))
    wait_until(lambda: left.exists() and left.read_text() != "")

    cancelled = service.post(f"/fine_tuning/jobs/{job['id']}/cancel")

    assert (cancelled["status"], cancelled["error"], cancelled["fine_tuned_model"]) == ("cancelled", None, None)
    assert cancelled["finished_at"] is not None
    wait_until(lambda: not is_alive(int(left.read_text())), seconds=2)
    assert service.messages(job)[-1] == "Fine tuning process stopping due to job cancellation"
    assert service.done(service.train())["status"] == "succeeded"
    assert list((service.root / "jobs").iterdir()) == []


def test_a_queued_job_is_cancelled_before_it_begins(service: Service, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first, second = service.train(plain_rows(f"wait for {go}")), service.train()

    service.post(f"/fine_tuning/jobs/{second['id']}/cancel")
    go.touch()
    service.done(first)

    assert service.job(second)["status"] == "cancelled"
    assert service.messages(second)[-1] == "Fine tuning process stopping due to job cancellation"
    assert "Fine-tuning job started" not in service.messages(second)
    assert error_of(service.client.post(f"/fine_tuning/jobs/{second['id']}/cancel"))[0] == 400


def test_events_of_a_job_after_its_cancel_are_dropped(service: Service, tmp_path: Path) -> None:
    """The worker may be about to finish the job; the first write decides, and no partial result remains."""
    job = service.train(plain_rows(f"wait for {tmp_path / 'never'}"))
    service.until(job, "running")
    dismiss(service.root)
    store = Store(service.root)
    with store.read() as db:
        progress = JobUpdates(store, get_job(db, job["id"]), clock=lambda: 1.0)
    out = tmp_path / "out"
    (out / "step-1").mkdir(parents=True)
    (out / "step_metrics.csv").write_text("step\n")
    service.post(f"/fine_tuning/jobs/{job['id']}/cancel")
    lines = service.messages(job)

    progress.add_metrics("Step 1/1", {"step": 1, "total_steps": 1})
    progress.add_checkpoint(1, "step-1", {})
    progress.add_note("late")
    progress.fail("server_error", "late")
    progress.complete(out, tokens=1)

    ended = service.job(job)
    assert (ended["status"], ended["error"], ended["fine_tuned_model"]) == ("cancelled", None, None)
    assert service.messages(job) == lines
    assert len(service.get("/models")["data"]) == 1
    assert len(service.get("/files")["data"]) == 1
    assert list((service.root / "models").iterdir()) == []
    assert len(list((service.root / "files").iterdir())) == 1
