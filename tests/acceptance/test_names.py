"""Names, environments and clean-up: what is deleted, and what never is."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from reconciler.cli.app import run
from reconciler.service import open_service
from reconciler.specfile import read_lock, update_lock
from tests.acceptance.conftest import OWN, Repository
from tests.service.service_fixtures import client_of, dismiss

PROJECT = "kind: Project\nname: acme\nenvironments: {stage: {}, prod: {}}\n"
DATASET = "kind: Dataset\nname: letters\nsource: letters.csv\n"
MODEL = (
    "kind: Model\nname: {name}\nbase: tfidf-logreg\ntraining: letters\nhyperparameters: {{n_epochs: {epochs}}}\n{more}"
)
ROWS = "".join(
    f"{word} number {n},{kind}\n" for n in range(6) for word, kind in (("apple", "fruit"), ("stone", "rock"))
)


def model(name: str, epochs: int = 3, more: str = "") -> str:
    return MODEL.format(name=name, epochs=epochs, more=more)


def write_specs(repository: Repository, *documents: str, project: str = PROJECT) -> None:
    repository.write("specs/all.yaml", "---\n".join(filter(None, (project, DATASET, *documents))))


@pytest.fixture(scope="module")
def trained_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which two models are trained once for all tests: a in the environment prod, b in none."""
    root = tmp_path_factory.mktemp("once")
    (root / ".git").mkdir()
    (root / "specs").mkdir()
    (root / "specs/letters.csv").write_text("prompt,completion\n" + ROWS)
    (root / "specs/all.yaml").write_text("---\n".join((PROJECT, DATASET, model("a"), model("b", 4))))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RECONCILER_HOME", str(root / OWN))
        assert run(["-C", str(root), "apply", "--auto-approve", "--env", "prod"]) == 0
        assert run(["-C", str(root), "apply", "--auto-approve"]) == 0
    dismiss(root / OWN / "local")
    return root


@pytest.fixture
def trained(repository: Repository, trained_directory: Path) -> Repository:
    """A repository with both models, and one lock file for prod and one for no environment."""
    shutil.copytree(trained_directory, repository.root, dirs_exist_ok=True)
    repository.take_home(OWN)
    return repository


@pytest.fixture
def client(repository: Repository) -> httpx.Client:
    """Plain calls to the service that the commands use."""
    return client_of(open_service(repository.store))


def list_models(client: httpx.Client) -> set[str]:
    return {each["id"] for each in client.get("/models").json()["data"] if each["id"].startswith("ft:")}


def test_a_model_whose_old_name_has_left_the_specs_is_not_pruned(trained: Repository, client: httpx.Client) -> None:
    (trained.root / "specs/models.prod.lock.yaml").unlink()
    before = list_models(client)
    for name, old in (("c", "a"), ("d", "c")):
        write_specs(trained, model(name, more=f"moved: [a, {old}]\n" if old != "a" else "moved: a\n"), model("b", 4))
        assert trained.run("apply", "--auto-approve").code == 0
    write_specs(trained, model("d"), model("b", 4))
    for command in (
        ["plan", "--prune", "--detailed-exitcode"],
        ["apply", "--prune", "--auto-approve"],
        ["apply", "--auto-approve"],
    ):
        result = trained.run(*command)
        assert result.code == 0, result.out + result.err
        assert "Traceback" not in result.err
    assert "moved from a" in trained.run("plan").out
    assert list_models(client) == before
    assert trained.run("output", "d").out.strip() in before
    entries = read_lock(trained.root / "specs/models.lock.yaml").entries
    assert [entry.address.name for entry in entries] == ["b", "d"]


def test_after_a_rename_new_models_are_trained_and_recorded(trained: Repository) -> None:
    write_specs(trained, model("c", more="moved: a\n"), model("b", 4))
    assert trained.run("apply", "--auto-approve").code == 0
    write_specs(trained, model("c"), model("b", 4), model("e", 5))
    result = trained.run("apply", "--auto-approve")
    assert result.code == 0, result.err
    names = [entry.address.name for entry in read_lock(trained.root / "specs/models.lock.yaml").entries]
    assert names == ["b", "c", "e"]


def test_another_environment_knows_the_new_name_too(trained: Repository) -> None:
    """Prod has the rename in its lock file; without `moved`, stage must neither train it again nor prune it."""
    write_specs(trained, model("c", more="moved: a\n"), model("b", 4))
    assert trained.run("apply", "--auto-approve", "--env", "prod").code == 0
    write_specs(trained, model("c"), model("b", 4))
    plan = json.loads(trained.run("plan", "--json", "--prune", "--env", "stage").out)
    assert [(step["action"], step["address"]) for step in plan["steps"]] == [
        ("promote", "model/b"),
        ("promote", "model/c"),
    ]


def test_what_another_environment_names_is_kept_until_that_one_forgets_it(
    trained: Repository, client: httpx.Client
) -> None:
    (trained.root / "specs/models.lock.yaml").unlink()
    before = list_models(client)
    write_specs(trained, model("b", 4))
    result = trained.run("apply", "--prune", "--auto-approve", "--env", "stage")
    assert result.code == 0, result.err
    assert list_models(client) == before
    assert "models.prod.lock.yaml names it" in result.out
    (command,) = set(re.findall(r"reconciler (forget a .*--env prod)", " ".join(result.out.split())))
    assert trained.run(*command.split()).code == 0
    again = trained.run("apply", "--prune", "--auto-approve", "--env", "stage")
    assert (again.code, list_models(client)) == (0, before)
    words = " ".join(again.out.split())
    assert "the environment prod made it" in words
    (command,) = set(re.findall(r"remove it in that environment: reconciler plan ([a-z ]*--env prod --prune)", words))
    assert trained.run("apply", *command.split(), "--auto-approve").code == 0
    assert len(before - list_models(client)) == 1


def test_pruning_without_a_project_name_is_refused_and_the_next_step_keeps_everything(
    repository: Repository, client: httpx.Client
) -> None:
    repository.write("specs/letters.csv", "prompt,completion\n" + ROWS)
    write_specs(repository, model("a"), model("b", 4), project="")
    assert repository.run("apply", "--auto-approve").code == 0
    write_specs(repository, model("b", 4), project="")
    for command in (["plan", "--prune"], ["apply", "--prune", "--auto-approve"]):
        result = repository.run(*command)
        assert (result.code, "project-name" in result.err) == (5, True)
    assert len(list_models(client)) == 2
    assert repository.run("plan", "--detailed-exitcode").code == 0
    write_specs(repository, model("b", 4), project="kind: Project\nname: default\n")
    result = repository.run("apply", "--prune", "--auto-approve")
    assert (result.code, "1 to delete" in result.out) == (0, True)
    assert len(list_models(client)) == 1


def test_an_environment_says_that_nothing_serves_there_before_its_first_apply(trained: Repository) -> None:
    result = trained.run("output", "a", "--env", "stage")
    assert (result.code, result.out) == (1, "")
    assert "in the environment stage no model serves as model/a yet" in result.err
    assert "with: reconciler apply" in result.err
    assert trained.run("run", "a", "--env", "stage", "-p", "apple").code == 1
    assert trained.run("apply", "--auto-approve", "--env", "stage").code == 0
    assert trained.run("output", "a", "--env", "stage").out == trained.run("output", "a", "--env", "prod").out


def test_a_trial_on_another_service_leaves_the_lock_entries_of_the_first(trained: Repository) -> None:
    path = trained.root / "specs/models.lock.yaml"
    text = path.read_text()
    hosted = text.replace("provider: local", "provider: openai")
    hosted = re.sub(r"service: .*", "service: api.openai.com/org-a", hosted)
    path.write_text(hosted)
    assert trained.run("output", "a", "--provider", "openai").code == 0
    (trained.root / "specs/models.prod.lock.yaml").unlink()
    assert trained.run("apply", "--auto-approve", "--provider", "local").code == 0
    entries = read_lock(path).entries
    assert {(entry.address.name, entry.provider) for entry in entries} == {
        (name, provider) for name in ("a", "b") for provider in ("local", "openai")
    }
    write_specs(trained, model("b", 4))
    assert trained.run("apply", "--auto-approve", "--provider", "local").code == 0
    kept = {(entry.address.name, entry.provider) for entry in read_lock(path).entries}
    assert kept == {("a", "openai"), ("b", "local"), ("b", "openai")}


@pytest.mark.parametrize("remotes", ["ab", "b", ""], ids=["both", "only-the-second", "none"])
def test_another_repository_with_the_same_project_name_is_noticed_and_its_model_is_kept(
    remotes: str, repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("RECONCILER_HOME", str(tmp_path_factory.mktemp("shared")))
    other = Repository(tmp_path_factory.mktemp("other"), repository.capture)
    (repository.root / ".git").rmdir()
    for each, name in ((repository, "a"), (other, "b")):
        subprocess.run(["git", "init", "-q", each.root], check=True)
        remote = f"https://example.test/acme/{name}.git"
        if name in remotes:
            subprocess.run(["git", "-C", each.root, "remote", "add", "origin", remote], check=True)
        each.write("specs/letters.csv", "prompt,completion\n" + ROWS)
        write_specs(each, model(name, 3 if name == "a" else 4))
        assert each.run("apply", "--auto-approve").code == 0
    planned = other.run("plan")
    assert "came from another repository" in " ".join(planned.out.split())
    pruned = other.run("apply", "--prune", "--auto-approve")
    assert (pruned.code, "shared-project" in pruned.err) == (5, True)
    assert other.run("apply", "--prune", "--auto-approve", "--allow", "shared-project").code == 0
    dismiss(other.store)


def read_serving(repository: Repository, environment: str = "") -> dict[str, str]:
    path = repository.root / f"specs/models{environment and '.' + environment}.lock.yaml"
    return {entry.address.name: entry.model for entry in read_lock(path).entries}


@pytest.mark.parametrize("asked", [(), ("a",)])
def test_wait_promotes_nothing_that_another_environment_trained(trained: Repository, asked: tuple[str, ...]) -> None:
    """No plan was shown, and none was approved."""
    result = trained.run("wait", *asked, "--env", "stage")
    assert (result.code, read_serving(trained, "stage")) == (0, {})
    words = " ".join(result.err.split())
    (command,) = re.findall(r"Not recorded: .* is decided by an apply: reconciler (apply .*)$", words)
    assert trained.run(*command.split(), "--auto-approve").code == 0
    assert read_serving(trained, "stage") == read_serving(trained)
    again = trained.run("wait", *asked, "--env", "stage")
    assert (again.code, "Not recorded" in again.err) == (0, False)


def test_wait_does_not_switch_back_what_serves(trained: Repository) -> None:
    """The specs ask for the older version again: its model is there, and an apply promotes it."""
    write_specs(trained, model("a", 5), model("b", 4))
    assert trained.run("apply", "--auto-approve").code == 0
    before = read_serving(trained)
    write_specs(trained, model("a"), model("b", 4))
    result = trained.run("wait")
    assert (result.code, read_serving(trained), "Not recorded: model/a" in result.err) == (0, before, True)
    assert trained.run("apply", "--auto-approve").code == 0
    assert read_serving(trained)["a"] != before["a"]


def test_wait_records_what_the_own_environment_has_trained(
    trained: Repository, without_worker: Callable[[], AbstractContextManager[None]]
) -> None:
    write_specs(trained, model("a"), model("b", 4), model("c", 5))
    with without_worker():
        started = trained.run("apply", "--auto-approve", "--env", "stage", "--target", "c", "--no-wait")
    assert started.code == 0
    assert trained.run("wait", "c", "--env", "prod").code == 0
    assert "c" not in read_serving(trained, "prod")
    result = trained.run("wait", "c", "--env", "stage")
    assert (result.code, "Not recorded" in result.err, set(read_serving(trained, "stage"))) == (0, False, {"c"})


@pytest.mark.parametrize("command", [("wait",), ("cancel", "b", "--auto-approve")], ids=" ".join)
def test_wait_and_cancel_take_nothing_out_of_the_lock_file(trained: Repository, command: tuple[str, ...]) -> None:
    """On a branch without the model, its entry is what keeps other environments from removing it."""
    before = read_serving(trained, "prod")
    write_specs(trained, model("b", 4))
    assert trained.run(*command, "--env", "prod").code == 0
    assert read_serving(trained, "prod") == before


def test_cancel_by_name_leaves_the_jobs_of_other_environments_alone(
    trained: Repository, client: httpx.Client, without_worker: Callable[[], AbstractContextManager[None]]
) -> None:
    write_specs(trained, model("a"), model("b", 4), model("c", 5))
    with without_worker():
        started = trained.run("apply", "--auto-approve", "--env", "stage", "--target", "c", "--no-wait")
        assert started.code == 0
        result = trained.run("cancel", "c", "--env", "prod", "--auto-approve")
        assert (result.code, "the environment stage created it" in result.err) == (5, True)
        newest = client.get("/fine_tuning/jobs").json()["data"][0]
        assert newest["status"] != "cancelled"
        (command,) = re.findall(r"To cancel it: reconciler (cancel .*)", " ".join(result.err.split()))
        assert trained.run(*command.split(), "--auto-approve").code == 0
    assert client.get("/fine_tuning/jobs").json()["data"][0]["status"] == "cancelled"


def test_forget_leaves_the_entries_of_other_services(trained: Repository) -> None:
    """They keep another environment of that service from removing the model."""
    path = trained.root / "specs/models.lock.yaml"
    here = read_lock(path)
    hosted = [replace(entry, provider="openai", service="api.openai.com/org-a") for entry in here.entries]
    update_lock(path, lambda now: replace(now, entries=(*now.entries, *hosted)))
    write_specs(trained, model("b", 4))
    result = trained.run("forget", "a", "--provider", "local")
    assert (result.code, "Stays in specs/models.lock.yaml: " in result.out) == (0, True)
    kept = {(entry.address.name, entry.provider) for entry in read_lock(path).entries}
    assert kept == {("a", "openai"), ("b", "openai"), ("b", "local")}
    again = trained.run("forget", "a", "--provider", "local")
    assert (again.code, "taken out" in again.out) == (0, False)


def test_an_account_that_is_no_more_can_be_forgotten(trained: Repository) -> None:
    path = trained.root / "specs/models.lock.yaml"
    elsewhere = tuple(replace(entry, service="local/org-gone") for entry in read_lock(path).entries)
    update_lock(path, lambda now: replace(now, entries=elsewhere))
    write_specs(trained, model("b", 4))
    assert trained.run("forget", "a").code == 0
    assert set(read_serving(trained)) == {"b"}


def test_rebuild_does_not_promote_in_an_environment_whose_lock_file_is_whole(trained: Repository) -> None:
    before = read_serving(trained, "prod")
    write_specs(trained, model("a", 5), model("b", 4))
    assert trained.run("apply", "--auto-approve", "--env", "stage").code == 0
    result = trained.run("lock", "rebuild", "--env", "prod")
    assert (result.code, read_serving(trained, "prod")) == (0, before)
    write_specs(trained, model("b", 4))
    assert trained.run("lock", "rebuild", "--env", "prod").code == 0
    assert read_serving(trained, "prod") == before, "a branch without the model"


def test_cancel_promotes_nothing(
    trained: Repository, without_worker: Callable[[], AbstractContextManager[None]]
) -> None:
    write_specs(trained, model("a"), model("b", 4), model("c", 5))
    with without_worker():
        started = trained.run("apply", "--auto-approve", "--env", "stage", "--target", "c", "--no-wait")
        assert started.code == 0
        before = read_serving(trained, "stage")
        assert trained.run("cancel", "c", "--env", "stage", "--auto-approve").code == 0
    assert read_serving(trained, "stage") == before


def test_what_another_environment_builds_on_and_another_root_adopts_is_not_pruned(
    trained: Repository, client: httpx.Client
) -> None:
    """Neither is in the specs of this environment, nor in a lock file of this root."""
    (trained.root / "specs/models.lock.yaml").unlink()
    before, serving = list_models(client), read_serving(trained, "prod")
    entries = read_lock(trained.root / "specs/models.prod.lock.yaml").entries
    job = next(entry.job for entry in entries if entry.model == serving["b"])
    removes = ["apply", "specs", "--prune", "--auto-approve", "--env", "prod"]
    write_specs(trained, model("c", 5))
    assert trained.run(*removes[:2], *removes[3:]).code == 0
    builds = f"stage: {{defaults: {{base: '{serving['b']}'}}}}"
    write_specs(trained, model("c", 5), project=PROJECT.replace("stage: {}", builds))
    other = f"kind: Project\nname: other\n---\nkind: Model\nname: fruit\nadopt: {{job: {job}}}\n"
    assert trained.run(*removes).code == 0
    assert list_models(client) & before == {serving["b"]}
    write_specs(trained, model("c", 5))
    trained.write("other/all.yaml", other)
    result = trained.run(*removes)
    assert (result.code, serving["b"] in list_models(client)) == (0, True)
    assert f"other/all.yaml names {job}" in " ".join(result.out.split())
    (trained.root / "other/all.yaml").unlink()
    assert trained.run(*removes).code == 0
    assert serving["b"] not in list_models(client)
