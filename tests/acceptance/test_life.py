"""Life around jobs: renames, imports, suspended and forgotten models, and what other people do on the service."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from reconciler.cli.app import run
from reconciler.service import open_service
from reconciler.specfile import read_lock
from tests.acceptance.conftest import OWN, CommandResult, Repository
from tests.service.service_fixtures import chat, client_of, dismiss, jsonl, wait_until

PROJECT = "kind: Project\nname: acme\n"
DATASET = "kind: Dataset\nname: letters\nsource: letters.csv\n"
MODEL = "kind: Model\nname: triage\nbase: tfidf-logreg\ntraining: letters\nhyperparameters: {n_epochs: 3}\n"
QUESTIONS = [f"{word} number {n}" for n in range(6) for word in ("apple", "stone")]


def kind_of(question: str) -> str:
    return "fruit" if question.startswith("apple") else "rock"


ROWS = "".join(f"{question},{kind_of(question)}\n" for question in QUESTIONS)


def write_specs(repository: Repository, *documents: str) -> None:
    """Replace the specs by these documents."""
    repository.write("specs/all.yaml", join_documents(*documents))


def join_documents(*documents: str) -> str:
    return "---\n".join((PROJECT, *documents))


def apply_specs(repository: Repository, *more: str) -> CommandResult:
    result = repository.run("apply", "--auto-approve", *more)
    assert result.code == 0, result.out + result.err
    return result


def has_empty_plan(repository: Repository) -> bool:
    """Whether a plan has nothing to do."""
    return repository.run("plan", "--detailed-exitcode").code == 0


@pytest.fixture
def client(repository: Repository) -> httpx.Client:
    """Plain calls to the service that the commands use."""
    return client_of(open_service(repository.store))


@pytest.fixture(scope="module")
def trained_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which the model is trained once for all tests."""
    root = tmp_path_factory.mktemp("once")
    (root / ".git").mkdir()
    (root / "specs").mkdir()
    (root / "specs/letters.csv").write_text("prompt,completion\n" + ROWS)
    (root / "specs/all.yaml").write_text(join_documents(DATASET, MODEL))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RECONCILER_HOME", str(root / OWN))
        assert run(["-C", str(root), "apply", "--auto-approve"]) == 0
    dismiss(root / OWN / "local")
    return root


@pytest.fixture
def trained(repository: Repository, trained_directory: Path) -> Repository:
    """A repository whose model is trained."""
    shutil.copytree(trained_directory, repository.root, dirs_exist_ok=True)
    repository.take_home(OWN)
    return repository


def count_jobs_and_files(client: httpx.Client) -> tuple[int, int]:
    """Return the numbers of jobs and of files: what was paid for, and what was sent."""
    jobs = client.get("/fine_tuning/jobs", params={"limit": 100}).json()["data"]
    files = client.get("/files", params={"purpose": "fine-tune"}).json()["data"]
    return len(jobs), len(files)


def test_a_rename_trains_and_uploads_nothing(trained: Repository, client: httpx.Client) -> None:
    """The model and its dataset get new names; the job, the file and the answering model stay."""
    before, model = count_jobs_and_files(client), trained.run("output", "triage").out
    letters = DATASET.replace("letters\ns", "mail\nmoved: letters\ns")
    write_specs(
        trained, letters, MODEL.replace("triage", "router\nmoved: [older, triage]").replace("g: letters", "g: mail")
    )
    planned = trained.run("plan", "--detailed-exitcode")
    assert (planned.code, "moved from triage" in planned.out) == (0, True)
    apply_specs(trained)
    assert count_jobs_and_files(client) == before
    assert trained.run("output", "router").out == model
    assert [str(entry.address) for entry in read_lock(trained.root / "specs/models.lock.yaml").entries] == [
        "model/router"
    ]
    assert trained.run("follow", "router").code == 0
    assert trained.run("output", "triage").code == 64


def test_after_a_rename_another_recipe_uses_the_old_file(trained: Repository, client: httpx.Client) -> None:
    jobs, files = count_jobs_and_files(client)
    letters = DATASET.replace("letters\ns", "mail\nmoved: letters\ns")
    model = MODEL.replace("triage", "router\nmoved: triage").replace("g: letters", "g: mail")
    write_specs(trained, letters, model.replace("n_epochs: 3", "n_epochs: 4"))
    planned = trained.run("plan")
    assert re.search(r"n_epochs.*3.*4", planned.out)
    assert "0 to upload, 1 to train" in planned.out
    apply_specs(trained)
    assert count_jobs_and_files(client) == (jobs + 1, files)
    assert has_empty_plan(trained)


def test_without_moved_a_rename_is_another_model(trained: Repository) -> None:
    write_specs(trained, DATASET, MODEL.replace("triage", "router"))
    result = trained.run("plan")
    assert "1 to train" in result.out
    assert "model/triage" in result.out


def train_foreign_job(client: httpx.Client, **asked: object) -> dict[str, object]:
    """Train a model by plain API calls; return its job when it has ended."""
    rows = jsonl(chat(question, kind_of(question)) for question in QUESTIONS)
    sent = client.post("/files", files={"file": ("report.jsonl", rows)}, data={"purpose": "fine-tune"}).json()
    job = client.post(
        "/fine_tuning/jobs", json={"model": "tfidf-logreg", "training_file": sent["id"], "suffix": "theirs", **asked}
    ).json()
    wait_until(lambda: client.get(f"/fine_tuning/jobs/{job['id']}").json()["status"] == "succeeded")
    found: dict[str, object] = client.get(f"/fine_tuning/jobs/{job['id']}").json()
    return found


def test_after_the_import_of_a_foreign_job_the_plan_is_empty(trained: Repository, client: httpx.Client) -> None:
    job = train_foreign_job(client)
    before = count_jobs_and_files(client)
    shown = trained.run("import", str(job["id"]), "--as", "theirs")
    assert (shown.code, f"job: {job['id']}" in shown.out, "# The job ran with" in shown.out) == (0, True, True)
    assert not (trained.root / "specs/theirs.yaml").exists()

    result = trained.run("import", str(job["id"]), "--as", "theirs", "--write")
    assert result.code == 0, result.err
    assert trained.read("specs/theirs.yaml") == shown.out
    planned = trained.run("plan", "--detailed-exitcode")
    assert (planned.code, f"adopted job {job['id']}" in planned.out) == (0, True)
    apply_specs(trained)
    assert count_jobs_and_files(client) == before
    assert trained.run("output", "theirs").out.strip() == job["fine_tuned_model"]
    assert trained.run("import", str(job["id"]), "--as", "theirs").code == 64

    rows = trained.read("specs/data/theirs-data.jsonl")
    trained.write("specs/data/theirs-data.jsonl", rows.replace("stone number 5", "stone number 6"))
    assert "1 to train" in trained.run("plan").out


def test_a_model_is_imported_by_its_id_with_an_existing_dataset(trained: Repository, client: httpx.Client) -> None:
    """Existing rows need no download; a flag writes what the job reports into the spec."""
    job = train_foreign_job(client, method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}})
    client.delete(f"/files/{job['training_file']}").raise_for_status()
    model = str(job["fine_tuned_model"])
    lost = trained.run("import", model, "--as", "theirs", "--write")
    assert (lost.code, "--dataset" in lost.err) == (1, True)
    result = trained.run("import", model, "--as", "theirs", "--dataset", "letters", "--settings", "--write")
    assert result.code == 0, result.err
    text = trained.read("specs/theirs.yaml")
    assert "n_epochs: 2" in text
    assert "kind: Dataset" not in text
    assert has_empty_plan(trained)


def test_an_import_works_without_specs(trained: Repository) -> None:
    """A job of another project is not ours, and its specs may be gone."""
    job = str(read_lock(trained.root / "specs/models.lock.yaml").entries[0].job)
    shutil.rmtree(trained.root / "specs")
    assert trained.run("import", job, "--as", "mine", "--write").code == 64
    result = trained.run("import", job, "--as", "mine", "--provider", "local", "--write")
    assert result.code == 0, result.err
    planned = trained.run("plan", "--detailed-exitcode")
    assert (planned.code, f"adopted job {job}" in planned.out) == (0, True)
    assert trained.run("import", job, "--as", "another", "--dataset", "mine-data").code == 3, "adopted twice"


def test_our_own_job_is_imported_without_adopting_it(trained: Repository) -> None:
    """Its stamp holds all that is needed; under another name the import is a rename."""
    job = str(read_lock(trained.root / "specs/models.lock.yaml").entries[0].job)
    write_specs(trained, DATASET)
    for name, says in (("triage", False), ("router", True)):
        result = trained.run("import", job, "--as", name, "--dataset", "letters", "--write")
        assert result.code == 0, result.err
        text = trained.read(f"specs/{name}.yaml")
        assert ("moved: triage" in text, "adopt:" in text, "n_epochs: 3" in text) == (says, False, True)
        assert has_empty_plan(trained)
        (trained.root / f"specs/{name}.yaml").unlink()


def test_an_adopted_job_that_is_missing_is_not_paid_for_again(trained: Repository, client: httpx.Client) -> None:
    digest = "v1:" + "0" * 64
    write_specs(
        trained, DATASET, MODEL, MODEL.replace("triage", f"old\nadopt: {{job: ftjob-gone, digest: '{digest}'}}")
    )
    assert "1 to train" in trained.run("plan").out, "another recipe than the adopted one is trained"
    stamp = str(read_lock(trained.root / "specs/models.lock.yaml").entries[0].stamp.digest)
    write_specs(trained, DATASET, MODEL, MODEL.replace("triage", f"old\nadopt: {{job: ftjob-gone, digest: '{stamp}'}}"))
    result = trained.run("plan")
    assert "--replace old" in result.out
    assert trained.run("plan", "--detailed-exitcode").code == 2, "a wanted model is missing"
    assert "1 to train" in trained.run("plan", "--replace", "old").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["triage", "--as", "copy"],
        ["ftjob-1", "--as", "Not A Name"],
        ["ftjob-1", "--as", "triage"],
        ["ftjob-1", "--as", "copy", "--dataset", "Letters"],
    ],
)
def test_an_import_that_is_impossible_is_wrong_usage(trained: Repository, arguments: list[str]) -> None:
    assert trained.run("import", *arguments).code == 64


def test_a_failed_job_is_not_imported(trained: Repository, client: httpx.Client) -> None:
    """Three rows are too few, so the job fails at once."""
    rows = jsonl(chat(question, kind_of(question)) for question in QUESTIONS[:3])
    sent = client.post("/files", files={"file": ("r.jsonl", rows)}, data={"purpose": "fine-tune"}).json()
    job = client.post("/fine_tuning/jobs", json={"model": "tfidf-logreg", "training_file": sent["id"]}).json()["id"]
    wait_until(lambda: client.get(f"/fine_tuning/jobs/{job}").json()["status"] == "failed")
    result = trained.run("import", job, "--as", "copy")
    assert (result.code, "is failed" in result.err) == (64, True)


def test_a_suspended_model_is_not_changed(trained: Repository, client: httpx.Client) -> None:
    """Nothing is created, whatever its spec asks for, and the serving model stays active."""
    before, model = count_jobs_and_files(client), trained.run("output", "triage").out
    write_specs(trained, DATASET, MODEL.replace("n_epochs: 3", "n_epochs: 9") + "suspend: true\n")
    planned = trained.run("plan", "--detailed-exitcode")
    assert (planned.code, "Suspended" in planned.out) == (0, True)
    assert re.search(r"triage +tfidf-logreg +suspended", apply_specs(trained).out)
    assert count_jobs_and_files(client) == before
    assert trained.run("output", "triage").out == model
    write_specs(trained, DATASET, MODEL + "suspend: false\n")
    assert has_empty_plan(trained)


def test_forget_removes_a_model_from_the_lock_file_and_nothing_else(trained: Repository, client: httpx.Client) -> None:
    before, job = count_jobs_and_files(client), read_lock(trained.root / "specs/models.lock.yaml").entries[0].job
    refused = trained.run("forget", "triage")
    assert (refused.code, "still name triage" in refused.err) == (64, True)
    write_specs(trained, DATASET)
    result = trained.run("forget", "triage")
    assert result.code == 0
    assert f"Stays on the service: job {job}" in result.out
    assert "--prune" in result.out
    assert count_jobs_and_files(client) == before
    assert read_lock(trained.root / "specs/models.lock.yaml").entries == ()
    assert trained.run("forget", "nobody").code == 64
    write_specs(trained, DATASET, MODEL)
    assert trained.run("forget", "triage", "--yes").code == 0
    assert has_empty_plan(trained)


def test_a_model_deleted_outside_is_missing_until_its_replacement_is_requested(
    trained: Repository, client: httpx.Client
) -> None:
    model = trained.run("output", "triage").out.strip()
    client.delete(f"/models/{model}").raise_for_status()
    planned = trained.run("plan")
    assert "missing" in planned.out
    assert "--replace triage" in planned.out
    assert trained.run("apply", "--auto-approve").code == 6
    apply_specs(trained, "--replace", "triage")
    assert trained.run("output", "triage").out.strip() != model
    assert has_empty_plan(trained)


@contextmanager
def serve_with_fault(repository: Repository, fault: str) -> Iterator[str]:
    """The built-in service on a port, with a fault on purpose."""
    serving = repository.start("serve", "--port", "0", "--store", str(repository.store), "--fault", fault)
    with serving:
        assert serving.stdout
        yield serving.stdout.readline().strip().removeprefix("export OPENAI_BASE_URL=")
        serving.terminate()
        serving.communicate(timeout=20)


@pytest.mark.loopback
def test_after_a_refused_job_its_file_is_kept_and_other_models_continue(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refused job is not repeated, and the next run does not send the file again."""
    repository.write("specs/letters.csv", "prompt,completion\n" + ROWS)
    write_specs(repository, DATASET, MODEL, MODEL.replace("triage", "router"))
    monkeypatch.setenv("RECONCILER_LOCAL_KEY", "key-of-the-test")
    closed = "error=403,code=training_not_available,method=POST,path=/fine_tuning/jobs,count=1"
    with serve_with_fault(repository, closed) as url:
        monkeypatch.setenv("RECONCILER_LOCAL_URL", url)
        result = repository.run("apply", "--auto-approve", "--parallelism", "1")
        assert result.code == 8
        assert "training_not_available" in result.err
        assert "uploaded files are kept" in result.err
        assert len(re.findall(r"ftjob-", result.out)) == 1
        planned = repository.run("plan")
        assert "0 to upload, 1 to train" in planned.out
        apply_specs(repository)
        assert has_empty_plan(repository)
