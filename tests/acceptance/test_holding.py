"""Jobs, models and files of a service on the command line, with the built-in service shared by two projects."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from reconciler.cli.app import run
from tests.acceptance.conftest import HERE, CommandResult, Repository
from tests.service.service_fixtures import chat, dismiss, jsonl, wait_until

pytestmark = pytest.mark.loopback

KEY = "key-of-the-test"
SPECS = """\
kind: Project
name: acme
provider: local
---
kind: Dataset
name: letters
source: letters.csv
---
kind: Dataset
name: talks
source: talks.jsonl
---
kind: Model
name: plain
base: tfidf-logreg
training: letters
hyperparameters: {n_epochs: 3}
---
kind: Model
name: ft-chatty
base: tfidf-logreg
training: talks
hyperparameters: {n_epochs: 3}
"""
QUESTIONS = [f"{word} number {n}" for n in range(6) for word in ("apple", "stone")]


def kind_of(question: str) -> str:
    return "fruit" if question.startswith("apple") else "rock"


@dataclass(frozen=True)
class ServedModels:
    """A service on a port with two models of ours, and a job, a model and a file that are not ours."""

    root: Path
    url: str
    foreign_job: str

    @property
    def environ(self) -> dict[str, str]:
        return {"RECONCILER_LOCAL_URL": self.url, "RECONCILER_LOCAL_KEY": KEY}


def start_command(root: Path, *arguments: str, environ: dict[str, str]) -> "subprocess.Popen[str]":
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "-C", str(root), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE), **environ},
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedModels]:
    root = tmp_path_factory.mktemp("held")
    (root / ".git").mkdir()
    (root / "specs").mkdir()
    (root / "specs/all.yaml").write_text(SPECS)
    rows = "".join(f"{question},{kind_of(question)}\n" for question in QUESTIONS)
    (root / "specs/letters.csv").write_text("prompt,completion\n" + rows)
    (root / "specs/talks.jsonl").write_bytes(jsonl(chat(question, kind_of(question)) for question in QUESTIONS))
    store = root / "store"
    serving = start_command(root, "serve", "--port", "0", "--store", str(store), environ={"RECONCILER_LOCAL_KEY": KEY})
    with serving:
        assert serving.stdout
        url = serving.stdout.readline().strip().removeprefix("export OPENAI_BASE_URL=")
        assert url.startswith("http://127.0.0.1:")
        made = ServedModels(root, url, "")
        with start_command(root, "apply", "specs", "--auto-approve", environ=made.environ) as applying:
            assert applying.communicate(timeout=60)
            assert applying.returncode == 0
        yield ServedModels(root, url, train_foreign_job(url))
        serving.terminate()
        serving.communicate(timeout=20)
    dismiss(store)


def train_foreign_job(url: str) -> str:
    """Train a model without this project's stamp; return the id of its job."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}) as client:
        rows = jsonl(chat(question, kind_of(question)) for question in QUESTIONS)
        uploaded = client.post("/files", files={"file": ("report.jsonl", rows)}, data={"purpose": "fine-tune"}).json()
        asked = {"model": "tfidf-logreg", "training_file": uploaded["id"], "suffix": "theirs"}
        job = client.post("/fine_tuning/jobs", json=asked).json()["id"]
        wait_until(lambda: client.get(f"/fine_tuning/jobs/{job}").json()["status"] == "succeeded")
        return str(job)


@dataclass
class Desk:
    """The commands of a user, run against that service."""

    served: ServedModels
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str, root: Path | None = None) -> CommandResult:
        self.capture.readouterr()
        code = run(["-C", str(root or self.served.root), *arguments])
        captured = self.capture.readouterr()
        return CommandResult(code, captured.out, captured.err)

    def read_list(self, *arguments: str) -> list[dict[str, object]]:
        result = self.run(*arguments, "--json")
        assert result.code == 0, result.err
        found: list[dict[str, object]] = json.loads(result.out)
        return found


@pytest.fixture
def desk(
    served: ServedModels, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Desk:
    monkeypatch.chdir(tmp_path)
    for name, value in served.environ.items():
        monkeypatch.setenv(name, value)
    return Desk(served, capsys)


def test_lists_show_what_is_ours_and_what_is_not(desk: Desk) -> None:
    jobs = desk.read_list("jobs")
    assert [(job["address"], job["ours"], job["status"]) for job in jobs if job["id"] == desk.served.foreign_job] == [
        (None, False, "succeeded")
    ]
    assert {job["address"] for job in jobs if job["ours"]} == {"model/plain", "model/ft-chatty"}
    made = [job["created_at"] for job in jobs]
    assert made == sorted(made, key=lambda at: -int(str(at)))

    files = desk.read_list("files")
    assert {file["address"] for file in files if file["purpose"] == "fine-tune"} == {
        "dataset/letters",
        "dataset/talks",
        None,
    }
    results = {file["job"]: file["ours"] for file in files if file["purpose"] == "fine-tune-results"}
    assert results == {job["id"]: job["ours"] for job in jobs}, "results belong to whom the job belongs to"

    models = desk.read_list("models")
    assert {model["address"] for model in models} == {"model/plain", "model/ft-chatty", None}
    assert [model["owner"] for model in models if model["id"] == "tfidf-logreg"] == ["finetune-reconciler"]


def test_lists_can_be_filtered(desk: Desk) -> None:
    assert len(desk.read_list("jobs", "--ours")) == 2
    assert len(desk.read_list("jobs", "--limit", "1")) == 1
    assert desk.read_list("jobs", "--status", "running") == []
    assert {file["purpose"] for file in desk.read_list("files", "--purpose", "fine-tune", "--ours")} == {"fine-tune"}
    assert desk.read_list("files", "--status", "error") == []
    assert len(desk.read_list("models", "--ours", "--limit", "1")) == 1
    assert "of 3 jobs shown" in desk.run("jobs", "--limit", "1").err


@pytest.mark.parametrize("columns", [80, 100])
def test_lists_fit_a_terminal_and_show_every_id_in_full(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    for name in ("files", "jobs", "models"):
        ids = [str(each["id"]) for each in desk.read_list(name)]
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = desk.run(name).out
        monkeypatch.delenv("COLUMNS")
        assert max(map(len, shown.splitlines())) <= columns
        assert all(each in shown for each in ids)
        assert "not ours" in shown


def test_one_job_model_or_file_is_shown_in_full(desk: Desk) -> None:
    job = next(job for job in desk.read_list("jobs") if job["address"] == "model/plain")
    shown = desk.run("jobs", str(job["id"])).out
    for words in ("model/plain@", "n_epochs", "Checkpoints:", "Last events:", "successfully completed"):
        assert words in shown
    card = json.loads(desk.run("jobs", str(job["id"]), "--json").out)
    assert card["hyperparameters"]["n_epochs"] == "3"
    assert len(card["events"]) == 10
    assert card["checkpoints"]
    assert card["model"] == job["model"]

    model = json.loads(desk.run("models", str(job["model"]), "--json").out)
    assert (model["job"], model["base"], model["address"]) == (job["id"], "tfidf-logreg", "model/plain")
    saved = str(card["checkpoints"][0]["model"])
    assert json.loads(desk.run("models", saved, "--json").out)["job"] == job["id"], "a checkpoint has the same job"
    assert "base        –" in desk.run("models", "tfidf-logreg").out, "an unknown value is shown as a dash"

    file = desk.run("files", str(job["training_file"])).out
    assert "dataset/letters@" in file
    assert desk.run("files", "file-none").code == 1
    assert desk.run("jobs", "ftjob-none").code == 1
    assert desk.run("jobs", str(job["id"]), "--ours").code == 64


def test_without_specs_a_provider_profile_is_enough(desk: Desk, tmp_path: Path) -> None:
    for name in ("files", "jobs", "models"):
        assert desk.run(name, "--provider", "local", "--json", root=tmp_path).code == 0
        result = desk.run(name, root=tmp_path)
        assert (result.code, "--provider PROFILE" in result.err) == (64, True)
        assert desk.run(name, "--specs", "nowhere", "--provider", "local", root=tmp_path).code == 3
    result = desk.run("jobs", "--provider", "local", root=tmp_path)
    assert result.out.count("not ours: project acme") == 2
    assert desk.run("run", desk.served.foreign_job, "-p", "apple", "--provider", "local", root=tmp_path).code == 0


def test_any_job_can_be_followed_and_waited_for_by_its_id(desk: Desk) -> None:
    result = desk.run("follow", desk.served.foreign_job)
    assert result.code == 0
    assert f"{desk.served.foreign_job}: a job, not ours." in result.err
    assert "The job has successfully completed" in result.err
    events = [json.loads(line) for line in desk.run("follow", desk.served.foreign_job, "--json").out.splitlines()]
    assert {event["type"] for event in events} == {"job_logged", "job_moved"}
    assert {event["address"] for event in events} == {None}
    assert len({event["id"] for event in events if event["type"] == "job_logged"}) == len(events) - 1
    assert desk.run("wait", desk.served.foreign_job, "plain").code == 0
    assert desk.run("follow", "ftjob-none").code == 1

    model = next(job["model"] for job in desk.read_list("jobs") if job["id"] == desk.served.foreign_job)
    assert f"a model that the job {desk.served.foreign_job} made" in desk.run("follow", str(model)).err
    assert desk.run("follow", "ft:nothing:of:that:kind").code == 1


def test_what_is_not_ours_is_never_cancelled(desk: Desk) -> None:
    result = desk.run("cancel", desk.served.foreign_job, "--auto-approve")
    assert result.code == 5
    assert "does not bear this project's stamp" in result.err
    assert "Nothing was cancelled" in result.err

    ours = next(str(job["id"]) for job in desk.read_list("jobs", "--ours"))
    result = desk.run("cancel", ours, "--auto-approve")
    assert (result.code, f"No job of {ours} is running." in result.err) == (0, True)


def test_a_job_of_ours_is_cancelled_by_its_id(quickstart: Repository) -> None:
    """No other job is cancelled."""
    spec = "specs/quickstart/support-triage.yaml"
    quickstart.write(spec, quickstart.read(spec) + "hyperparameters: {n_epochs: 50}\n")
    assert quickstart.run("apply", "specs/quickstart", "--auto-approve", "--no-wait").code == 0
    (job,) = json.loads(quickstart.run("jobs", "--specs", "specs/quickstart", "--json").out)
    result = quickstart.run("cancel", job["id"], "--auto-approve", "--specs", "specs/quickstart")
    assert result.code == 0, result.err
    assert f"{job['id']}: a job, ours: model/support-triage@" in result.err
    (job,) = json.loads(quickstart.run("jobs", "--specs", "specs/quickstart", "--json").out)
    assert job["status"] == "cancelled"
    assert quickstart.run("follow", job["id"], "--specs", "specs/quickstart").code == 6


def test_any_model_answers_by_its_id(desk: Desk) -> None:
    jobs = desk.read_list("jobs")
    for job in jobs:
        assert desk.run("run", str(job["model"]), "-p", "apple number 2").out == "fruit\n"
        result = desk.run("run", str(job["id"]), "-p", "stone number 2")
        assert (result.out, f"its model is {job['model']}" in result.err) == ("rock\n", True)
    assert desk.run("output", str(jobs[0]["id"])).out == f"{jobs[0]['model']}\n"
    assert desk.run("output", str(jobs[0]["id"]), "--format", "env").code == 64
    assert desk.run("run", "ft:none:of:it", "-p", "x").code == 1
    result = desk.run("run", "nobody", "-p", "x")
    assert (result.code, "ft-chatty, plain" in result.err) == (64, True)


def test_a_name_takes_precedence_over_an_id(desk: Desk) -> None:
    """A model of ours is called `ft-chatty`, which could be the id of a job."""
    for arguments in (["run", "ft-chatty", "-p", "apple"], ["follow", "ft-chatty"], ["snippet", "ft-chatty"]):
        result = desk.run(*arguments)
        assert result.code == 0
        assert "ft-chatty: taken as the name of a model in the specs, not as an id." in result.err


INTERPRETERS = {"curl": ["sh"], "python": [sys.executable, "-"], "node": ["node", "-"]}


@pytest.mark.parametrize("lang", INTERPRETERS)
@pytest.mark.parametrize("name", ["plain", "ft-chatty"])
@pytest.mark.parametrize("prompt", ["apple number 3", "stone 'number' \"3\" $(exit 1) `exit 1` \\ é 😀\n!"])
def test_a_printed_snippet_runs_without_changes(desk: Desk, lang: str, name: str, prompt: str) -> None:
    """The snippet answers as `run` does, with completions or chat as the model's dataset needs."""
    for tool in {"curl": ["sh", "curl"], "node": ["node"]}.get(lang, []):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not on this machine")
    printed = desk.run("snippet", name, "--lang", lang, "-p", prompt)
    assert printed.code == 0
    assert KEY not in printed.out
    assert ("chat" in printed.out) == (name == "ft-chatty")
    done = subprocess.run(
        INTERPRETERS[lang],
        input=printed.out,
        env={"PATH": os.environ["PATH"], **desk.served.environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer = done.stdout.rstrip("\n")
    if lang == "curl":
        choice = json.loads(answer)["choices"][0]
        answer = choice["message"]["content"] if name == "ft-chatty" else choice["text"]
    assert answer == desk.run("run", name, "-p", prompt).out.rstrip("\n") == kind_of(prompt)


@pytest.mark.parametrize("lang", INTERPRETERS)
def test_a_snippet_fails_with_the_message_of_the_service(desk: Desk, lang: str) -> None:
    if lang != "python" and shutil.which({"curl": "curl", "node": "node"}[lang]) is None:
        pytest.skip("the tool is not on this machine")
    printed = desk.run("snippet", "ft:none:of:it", "--lang", lang).out
    done = subprocess.run(
        INTERPRETERS[lang],
        input=printed,
        env={"PATH": os.environ["PATH"], **desk.served.environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "ft:none:of:it" in done.stdout + done.stderr


def test_a_snippet_for_the_built_in_service_needs_serve(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in desk.served.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RECONCILER_HOME", str(tmp_path / "home"))
    result = desk.run("snippet", "ft:some:model", "--provider", "local")
    assert result.code == 0
    assert "reconciler serve" in result.out
    assert "${OPENAI_BASE_URL:?set OPENAI_BASE_URL}" in result.out


def test_the_columns_of_doctor_are_aligned(desk: Desk) -> None:
    result = desk.run("doctor")
    assert result.code == 0
    lines = result.out.splitlines()
    assert [line.split()[1] for line in lines] == ["specs", "own", "signed", "service", "names", "base"]
    column = len("ok    base model tfidf-logreg  ")
    assert all(line[column - 1] == " " and line[column] != " " for line in lines)
