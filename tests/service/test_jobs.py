"""Jobs as objects: created, refused, listed, filtered, and asked for impossible actions."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.service.engines import DEFAULT_ENGINES
from reconciler.service.store import SUCCEEDED, JobRecord, Store, add_event, add_job
from tests.service.service_fixtures import NOW, Json, Service, error_of, open_local


def past_job(service: Service, name: str, metadata: dict[str, str] | None = None) -> str:
    """A job that ended long ago."""
    job = JobRecord(
        id=name,
        base="test-echo",
        training_file="file-x",
        validation_file=None,
        suffix="",
        seed=1,
        metadata=metadata,
        hyperparameters={"n_epochs": 3},
        status=SUCCEEDED,
        created_at=NOW,
    )
    with Store(service.root).write() as db:
        add_job(db, job)
    return name


def refusal(service: Service, **asked: Any) -> tuple[int, Json]:
    """Return the answer to a request for an impossible job."""
    file = service.upload(b'{"prompt":"a","completion":"b"}\n')["id"]
    return error_of(
        service.client.post("/fine_tuning/jobs", json={"model": "test-echo", "training_file": file, **asked})
    )


def test_a_new_job_has_every_field_of_the_api(service: Service, tmp_path: Path) -> None:
    job = service.train(suffix="Support Triage", seed=7, metadata={"a": "b"}, validation_file=None)

    assert job == {
        "object": "fine_tuning.job",
        "id": job["id"],
        "created_at": NOW,
        "finished_at": None,
        "model": "test-echo",
        "fine_tuned_model": None,
        "organization_id": service.client.get("/models").headers["openai-organization"],
        "status": "validating_files",
        "training_file": job["training_file"],
        "validation_file": None,
        "result_files": [],
        "trained_tokens": None,
        "hyperparameters": {"n_epochs": "auto"},
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": "auto"}}},
        "seed": 7,
        "estimated_finish": None,
        "integrations": [],
        "metadata": {"a": "b"},
        "error": None,
    }
    assert job["id"].startswith("ftjob-")


@pytest.mark.parametrize(
    "asked",
    [
        {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4}}}},
        {"hyperparameters": {"n_epochs": 4}},
        {"hyperparameters": {"n_epochs": 4.0}},
        {
            "hyperparameters": {"n_epochs": 4},
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4}}},
        },
    ],
)
def test_hyperparameters_are_read_in_the_new_form_and_the_old(service: Service, asked: Json) -> None:
    assert service.train(**asked)["hyperparameters"] == {"n_epochs": 4}


@pytest.mark.parametrize(
    "asked",
    [
        {"method": None, "hyperparameters": None, "suffix": None, "seed": None, "metadata": None},
        {"method": {"type": "supervised"}},
        {"method": {"type": "supervised", "supervised": None}},
        {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": "auto"}}}},
        {"hyperparameters": {"n_epochs": None}, "metadata": {}, "integrations": []},
    ],
)
def test_null_and_empty_members_are_unset(service: Service, asked: Json) -> None:
    job = service.train(**asked)

    assert (job["hyperparameters"], job["metadata"]) == ({"n_epochs": "auto"}, None)
    assert 0 <= job["seed"] < 2**31


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ({"model": "gpt-4o-mini"}, "model", "model_not_available"),
        ({"model": "ft:test-echo:local::abc"}, "model", "model_not_available"),
        ({"model": None}, "model", "missing_required_parameter"),
        ({"model": 7}, "model", "invalid_type"),
        ({"training_file": None}, "training_file", "missing_required_parameter"),
        ({"training_file": "file-none"}, "training_file", None),
        ({"training_file": "../service.db"}, "training_file", None),
        ({"validation_file": "file-none"}, "validation_file", None),
        ({"suffix": ""}, "suffix", "string_length"),
        ({"suffix": "x" * 65}, "suffix", "string_length"),
        ({"suffix": "a:b"}, "suffix", "invalid_value"),
        ({"suffix": "a/../b"}, "suffix", "invalid_value"),
        ({"seed": -1}, "seed", "out_of_range"),
        ({"seed": 2**31}, "seed", "out_of_range"),
        ({"seed": "7"}, "seed", "invalid_type"),
        ({"seed": True}, "seed", "invalid_type"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata", "object_above_max_properties"),
        ({"metadata": {"k" * 65: ""}}, "metadata", "string_length"),
        ({"metadata": {"": ""}}, "metadata", "string_length"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k", "string_length"),
        ({"metadata": {"k": 1}}, "metadata.k", "invalid_type"),
        ({"metadata": ["k"]}, "metadata", "invalid_type"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]}, "integrations", "unsupported_parameter"),
        ({"colour": "red"}, "colour", "unknown_parameter"),
        ({"method": {"type": "dpo", "dpo": {}}}, "method", "unsupported_method"),
        ({"method": {"type": "reinforcement"}}, "method", "unsupported_method"),
        ({"method": {"type": "magic"}}, "method.type", "invalid_value"),
        ({"method": {}}, "method.type", "missing_required_parameter"),
        ({"method": "supervised"}, "method", "invalid_type"),
        ({"method": {"type": "supervised", "dpo": {}}}, "method.dpo", "unknown_parameter"),
        (
            {"method": {"type": "supervised", "supervised": {"beta": 1}}},
            "method.supervised.beta",
            "unknown_parameter",
        ),
        ({"hyperparameters": {"beta": 0.1}}, "hyperparameters.beta", "unsupported_parameter"),
        ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters.n_epochs", "unsupported_value"),
        ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs", "unsupported_value"),
        ({"hyperparameters": {"n_epochs": 1.5}}, "hyperparameters.n_epochs", "invalid_type"),
        ({"hyperparameters": {"n_epochs": "3"}}, "hyperparameters.n_epochs", "invalid_type"),
        ({"hyperparameters": {"n_epochs": True}}, "hyperparameters.n_epochs", "invalid_type"),
        (
            {
                "hyperparameters": {"n_epochs": 3},
                "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4}}},
            },
            "hyperparameters",
            "invalid_value",
        ),
    ],
)
def test_an_impossible_job_is_refused(service: Service, asked: Json, param: str, code: str | None) -> None:
    status, error = refusal(service, **asked)

    assert (status, error["type"], error["param"], error["code"]) == (400, "invalid_request_error", param, code)
    assert service.get("/fine_tuning/jobs")["data"] == []


@pytest.mark.parametrize(
    ("name", "value"), [("batch_size", 8), ("learning_rate_multiplier", 0), ("learning_rate_multiplier", 1e9)]
)
def test_the_built_in_base_refuses_numbers_that_it_would_not_use(tmp_path: Path, name: str, value: float) -> None:
    service = open_local(tmp_path / "store", engines=DEFAULT_ENGINES)

    status, error = refusal(service, model="tfidf-logreg", hyperparameters={name: value})

    assert (status, error["param"]) == (400, f"hyperparameters.{name}")


def test_refusals_have_the_messages_of_the_api(service: Service) -> None:
    model = refusal(service, model="gpt-4o-mini")[1]["message"]
    file = refusal(service, training_file="file-none")[1]["message"]

    assert model == "Model gpt-4o-mini is not available for fine-tuning or does not exist."
    assert file == "invalid training_file: file-none"


def test_a_file_of_another_purpose_is_refused_for_training(service: Service) -> None:
    file = service.upload(b"?", purpose="user_data")["id"]

    assert refusal(service, training_file=file)[1]["message"] == f"invalid training_file: {file}"


def test_jobs_are_listed_newest_first_in_pages(service: Service) -> None:
    ids = [past_job(service, f"ftjob-{number:02}") for number in range(25)]
    newest = ids[::-1]

    first = service.get("/fine_tuning/jobs")
    rest = service.get("/fine_tuning/jobs", after=first["data"][-1]["id"])

    assert [job["id"] for job in first["data"]] == newest[:20]
    assert [job["id"] for job in rest["data"]] == newest[20:]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert service.get("/fine_tuning/jobs", after=ids[0]) == {"object": "list", "data": [], "has_more": False}


def test_jobs_are_found_by_all_of_their_metadata(service: Service) -> None:
    both = past_job(service, "ftjob-both", {"a b": "1 & 2", "c": "x"})
    one = past_job(service, "ftjob-one", {"a b": "1 & 2"})
    none = past_job(service, "ftjob-none")

    def found(query: dict[str, str]) -> list[str]:
        return [job["id"] for job in service.get("/fine_tuning/jobs", **query)["data"]]

    assert found({"metadata[a b]": "1 & 2"}) == [one, both]
    assert found({"metadata[a b]": "1 & 2", "metadata[c]": "x"}) == [both]
    assert found({"metadata[c]": "y"}) == []
    assert found({"metadata[' OR 1=1 --]": "x"}) == []
    assert found({"metadata": "null"}) == [none]


def test_events_keep_their_order_within_one_second(service: Service) -> None:
    job = past_job(service, "ftjob-x")
    with Store(service.root).write() as db:
        for number in range(45):
            add_event(db, job, NOW, f"event {number}")

    read: list[str] = []
    page: Json = {"has_more": True, "data": []}
    while page["has_more"]:
        after = {"after": page["data"][-1]["id"]} if page["data"] else {}
        page = service.get(f"/fine_tuning/jobs/{job}/events", **after)
        read += [event["message"] for event in page["data"]]

    assert read == [f"event {number}" for number in reversed(range(45))]


def test_a_cursor_of_another_job_is_refused(service: Service) -> None:
    mine, other = past_job(service, "ftjob-a"), past_job(service, "ftjob-b")
    with Store(service.root).write() as db:
        add_event(db, other, NOW, "hello")
    event = service.get(f"/fine_tuning/jobs/{other}/events")["data"][0]["id"]

    assert error_of(service.client.get(f"/fine_tuning/jobs/{mine}/events?after={event}"))[0] == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", "/cancel"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("GET", "/events"),
        ("GET", "/checkpoints"),
    ],
)
def test_an_unknown_job_is_not_found(service: Service, method: str, path: str) -> None:
    status, error = error_of(service.client.request(method, f"/fine_tuning/jobs/ftjob-none{path}"))

    assert (status, error["code"]) == (404, "fine_tune_not_found")


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_job_that_has_ended_is_shown_unchanged(service: Service, verb: str) -> None:
    job = past_job(service, "ftjob-x")

    assert service.post(f"/fine_tuning/jobs/{job}/{verb}") == service.get(f"/fine_tuning/jobs/{job}")


def test_a_job_that_has_ended_is_not_cancelled(service: Service) -> None:
    job = past_job(service, "ftjob-x")

    status, error = error_of(service.client.post(f"/fine_tuning/jobs/{job}/cancel"))

    assert (status, error["code"]) == (400, "invalid_job_status")
    assert "it is already succeeded" in error["message"]


def test_a_base_whose_engine_is_not_installed_is_not_offered(tmp_path: Path) -> None:
    """The refusal comes at once with the command that installs it; no job is created that would fail later."""
    service = open_local(tmp_path / "store", engines=("tests.service.missing_engine",))

    status, error = refusal(service, model="test-absent")

    assert (status, error["code"]) == (400, "model_not_available")
    assert "no_such_package" in error["message"]
    assert "pip install 'finetune-reconciler[local]'" in error["message"]
    assert service.get("/models")["data"] == []
