"""Environments in use: one tree of specs, several places, and each model paid for once."""

import json

import pytest

from tests.acceptance.conftest import Repository

ROOT = "specs/quickstart"
PROJECT = """\
kind: Project
name: support
environments:
  staging: {policy: {max_new_jobs: 1}}
  prod: {policy: {max_new_jobs: 0}}
  alone: {name: support-alone}
"""


@pytest.fixture
def staged(quickstart: Repository) -> Repository:
    """The quickstart, with environments."""
    quickstart.write(f"{ROOT}/project.yaml", PROJECT)
    return quickstart


def test_a_model_trained_in_staging_is_promoted_by_its_pointer_alone(staged: Repository) -> None:
    assert staged.run("plan", ROOT, "--env", "prod").code == 5, "production may train nothing of its own"
    assert staged.run("apply", ROOT, "--env", "staging", "--auto-approve").code == 0
    trained = staged.run("output", "--specs", ROOT, "--env", "staging").out

    plan = staged.run("plan", ROOT, "--env", "prod", "--out", "prod.plan", "--detailed-exitcode")
    assert plan.code == 2
    assert "1 to promote, 0 to upload, 0 to train" in plan.out
    assert "environment prod" in plan.out
    assert json.loads(staged.run("show", "prod.plan", "--json").out)["environment"] == "prod"
    assert staged.run("show", "prod.plan").out == plan.out
    assert not (staged.root / ROOT / "models.prod.lock.yaml").exists()

    assert staged.run("apply", "prod.plan").code == 0
    assert staged.run("output", "--specs", ROOT, "--env", "prod").out == trained
    assert (staged.root / ROOT / "models.prod.lock.yaml").exists()
    assert not (staged.root / ROOT / "models.lock.yaml").exists()
    assert staged.run("plan", ROOT, "--env", "prod", "--detailed-exitcode").code == 0
    assert len(json.loads(staged.run("jobs", "--specs", ROOT, "--json").out)) == 1

    # Back to the state before the pointer moved: only the memory of this machine says that it was done.
    (staged.root / ROOT / "models.prod.lock.yaml").unlink()
    again = staged.run("apply", "prod.plan")
    assert (again.code, "applied already" in again.err) == (4, True)
    fresh = json.loads(staged.run("plan", ROOT, "--env", "prod", "--json").out)["basis"]["digest"]
    assert staged.run("apply", ROOT, "--env", "prod", "--auto-approve", "--expect-basis", fresh).code == 0
    stale = staged.run("apply", ROOT, "--env", "prod", "--auto-approve", "--expect-basis", fresh)
    assert (stale.code, "its basis was" in stale.err) == (4, True)


def test_an_environment_with_its_own_name_shares_no_model(staged: Repository) -> None:
    shared, alone = (
        json.loads(staged.run("plan", ROOT, "--env", env, "--json").out)["project"] for env in ("staging", "alone")
    )
    assert (shared, alone) == ("support", "support-alone")


def test_an_unknown_environment_is_an_error_that_suggests_a_similar_name(
    staged: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (["plan", ROOT], ["validate", ROOT], ["status", "--specs", ROOT], ["output", "--specs", ROOT]):
        result = staged.run(*command, "--env", "prd")
        assert (result.code, "did you mean 'prod'?" in result.err) == (64, True), command
    monkeypatch.setenv("RECONCILER_ENV", "prd")
    assert staged.run("validate", ROOT).code == 64


@pytest.mark.parametrize(
    "command",
    [["plan", ROOT], ["apply", ROOT, "--auto-approve"], ["validate", ROOT], ["output", "--specs", ROOT]],
    ids=lambda command: command[0],
)
def test_an_empty_environment_is_an_error_and_not_no_environment(
    staged: Repository, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    result = staged.run(*command, "--env", "")
    assert (result.code, "--env is empty" in result.err) == (64, True)
    monkeypatch.setenv("RECONCILER_ENV", "")
    result = staged.run(*command)
    assert (result.code, "unset RECONCILER_ENV" in result.err) == (64, True)
    assert not staged.store.exists()


def test_a_saved_plan_is_for_one_environment_and_one_provider(
    staged: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert staged.run("plan", ROOT, "--env", "staging", "--out", "staging.plan").code == 0
    monkeypatch.setenv("RECONCILER_ENV", "prod")
    result = staged.run("apply", "staging.plan")
    assert (result.code, "the environment moved: staging before, prod now" in result.err) == (4, True)
    monkeypatch.delenv("RECONCILER_ENV")
    staged.write(f"{ROOT}/project.yaml", PROJECT.replace("name: support\n", "name: support\nprovider: openai\n", 1))
    result = staged.run("apply", "staging.plan")
    assert (result.code, "the provider moved: local before, openai now" in result.err) == (4, True)
    staged.write(f"{ROOT}/project.yaml", PROJECT.replace("max_new_jobs: 1", "max_new_jobs: 2"))
    result = staged.run("apply", "staging.plan")
    assert (result.code, "the specs moved: project support changed" in result.err) == (4, True)


def test_a_saved_plan_with_another_byte_is_refused(staged: Repository) -> None:
    assert staged.run("plan", ROOT, "--env", "staging", "--out", "staging.plan").code == 0
    text = staged.read("staging.plan")
    for changed in (text.replace('"root":"specs', '"root":"spexs'), text + "\n", text.replace("upload", "delete", 1)):
        assert changed != text
        staged.write("changed.plan", changed)
        for command in ("apply", "show"):
            result = staged.run(command, "changed.plan")
            assert (result.code, "not as it was written" in result.err) == (64, True)


@pytest.mark.parametrize("given", ["", "v1:12", "v1:" + "0" * 12, "0" * 64])
def test_an_expected_basis_has_to_be_complete(staged: Repository, given: str) -> None:
    result = staged.run("apply", ROOT, "--auto-approve", "--expect-basis", given)
    assert (result.code, "64 hex digits" in result.err) == (64, True)
    assert not staged.store.exists()


def test_what_one_environment_trained_is_not_removed_by_another_before_a_lock_file_names_it(staged: Repository) -> None:
    """The branch that stage is on has no such model, and production has not written its lock file yet."""
    staged.write(f"{ROOT}/project.yaml", PROJECT.replace("prod: {policy: {max_new_jobs: 0}}", "prod: {}"))
    model = staged.root / ROOT / "extra.yaml"
    staged.write(
        f"{ROOT}/extra.yaml", "kind: Model\nname: extra\nbase: tfidf-logreg\ntraining: banking-questions\nseed: 9\n"
    )
    assert staged.run("apply", ROOT, "--env", "prod", "--target", "extra", "--auto-approve").code == 0
    (staged.root / ROOT / "models.prod.lock.yaml").unlink()
    model.unlink()
    assert staged.run("apply", ROOT, "--env", "staging", "--auto-approve").code == 0
    plan = staged.run("plan", ROOT, "--env", "staging", "--prune")
    assert (plan.code, "the environment prod made it" in " ".join(plan.out.split())) == (0, True)
    assert "to remove" not in plan.out
    command = f"plan {ROOT} --env prod --prune"
    assert f"reconciler {command}" in " ".join(plan.out.split())
    followed = json.loads(staged.run(*command.split(), "--json").out)
    assert any("extra" in step["id"] and step["id"].startswith("delete:") for step in followed["steps"])
