"""The fields of an environment replace those of the Project, and change nothing else."""

from pathlib import Path

import pytest

from reconciler.domain.errors import UsageError
from reconciler.domain.spec import Specs
from reconciler.specfile import lock_name, read_specs
from tests.specfile.trees import DATASET, MODEL, problem_lines, write

PROJECT = """\
kind: Project
name: acme
provider: openai
defaults: {hyperparameters: {n_epochs: 3, batch_size: 8}}
policy: {max_new_jobs: 5, max_epochs: 9}
expect: {organization: org-1, host: api.openai.com}
environments:
  prod:
    policy: {max_new_jobs: 0}
    expect: {organization: org-2}
    defaults: {hyperparameters: {n_epochs: 4}}
  home: {name: acme-home, provider: local}
"""


def specs(root: Path, environment: str | None) -> Specs:
    model = MODEL + "provider: openai\n"
    write(root, {"all.yaml": "---\n".join([PROJECT, DATASET, model])})
    return read_specs(root, root, environment)


def test_without_an_environment_the_project_is_unchanged(tmp_path: Path) -> None:
    found = specs(tmp_path, None)
    assert found.project.environment is None
    assert (found.project.policy.max_new_jobs, found.project.expect.organization) == (5, ("org-1",))


def test_fields_are_replaced_one_by_one_so_that_no_guard_is_lost(tmp_path: Path) -> None:
    found = specs(tmp_path, "prod")
    project = found.project
    assert (project.name, project.environment, project.provider) == ("acme", "prod", "openai")
    assert (project.policy.max_new_jobs, project.policy.max_epochs) == (0, 9)
    assert (project.expect.organization, project.expect.host) == (("org-2",), ("api.openai.com",))
    assert found.models[0].recipe.hyperparameters == (("batch_size", 8), ("n_epochs", 4))


def test_the_provider_of_an_environment_is_used_for_every_model(tmp_path: Path) -> None:
    found = specs(tmp_path, "home")
    assert (found.project.name, found.project.provider, found.models[0].provider) == ("acme-home", "local", None)


@pytest.mark.parametrize("asked", ["prdo", "../prod", "Prod", ""])
def test_an_unknown_environment_is_a_usage_error(tmp_path: Path, asked: str) -> None:
    with pytest.raises(UsageError, match=r"no environment .*environments are home, prod"):
        specs(tmp_path, asked)


def test_without_a_project_there_is_no_environment(tmp_path: Path) -> None:
    write(tmp_path, {"all.yaml": "---\n".join([DATASET, MODEL])})
    with pytest.raises(UsageError, match="the Project has no environments"):
        read_specs(tmp_path, tmp_path, "prod")


@pytest.mark.parametrize(
    ("environments", "expected"),
    [
        ("{prod: {polcy: {}}}", "did you mean 'policy'?"),
        ("{prod: {policy: {max_new_jobs: many}}}", "environments.prod.policy.max_new_jobs: must be"),
        ("{prod: {labels: {a: b}}}", "environments.prod.labels: unknown field"),
        ("{Prod: {provider: local}}", "environments"),
        ("{prod: {base_url: x}}", "a spec must not say where credentials go"),
        ("{prod: {api_key: x}}", "a spec must not say where credentials go"),
    ],
)
def test_mistakes_in_an_environment_are_reported_even_if_it_is_not_used(
    tmp_path: Path, environments: str, expected: str
) -> None:
    assert expected in " ".join(problem_lines(tmp_path, f"kind: Project\nname: acme\nenvironments: {environments}\n"))


def test_an_environment_may_have_any_name_and_may_expect_a_host(tmp_path: Path) -> None:
    assert problem_lines(tmp_path, "kind: Project\nname: a\nenvironments: {proxy: {expect: {host: h}}}\n") == []


def test_each_environment_has_a_lock_file_that_is_not_read_as_a_spec(tmp_path: Path) -> None:
    assert (lock_name(None), lock_name("prod")) == ("models.lock.yaml", "models.prod.lock.yaml")
    write(tmp_path, {"models.prod.lock.yaml": "["})
    assert specs(tmp_path, "prod").models
