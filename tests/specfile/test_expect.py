"""What a Project expects of the service; an expectation is never used as an address or a key."""

from pathlib import Path

import pytest

from reconciler.domain.spec import Expect
from tests.specfile.trees import problem_lines, specs_of

PROJECT = "kind: Project\nname: support\n"


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("", Expect()),
        ("expect: {}", Expect()),
        ("expect: {organization: org-a}", Expect(organization=("org-a",))),
        (
            "expect:\n  host: [api.example.test, '127.0.0.1:8000']\n  region: swedencentral\n  project: [proj_a]\n",
            Expect(host=("api.example.test", "127.0.0.1:8000"), region=("swedencentral",), project=("proj_a",)),
        ),
    ],
)
def test_an_expectation_is_one_value_or_several(tmp_path: Path, text: str, means: Expect) -> None:
    assert specs_of(tmp_path, {"s.yaml": PROJECT + text}).project.expect == means


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("expect: org-a", "3:"),
        ("expect: {organization: {a: b}}", "3:"),
        ("expect: {organization: []}", "3:"),
        ("expect: {organization: ''}", "3:"),
        ("expect: {organization: [org-a, [b]]}", "3:"),
        ("expect: {organisation: org-a}", "3:"),
        ("expect: {hots: a}", "3:"),
    ],
)
def test_a_malformed_expectation_is_reported_once_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    (problem,) = problem_lines(tmp_path, PROJECT + text)
    assert problem.startswith(place)
    assert "expect" in problem


@pytest.mark.parametrize("field", ["api_key: abc", "token: abc", "password: abc"])
def test_an_expectation_holds_no_key(tmp_path: Path, field: str) -> None:
    assert any(
        "must not say where credentials go" in each for each in problem_lines(tmp_path, f"{PROJECT}expect: {{{field}}}")
    )


def test_outside_of_expect_a_spec_may_not_name_an_account_or_an_address(tmp_path: Path) -> None:
    for field in ("organization: org-a", "host: api.example.test"):
        (problem,) = problem_lines(tmp_path, PROJECT + field)
        assert "must not say where credentials go" in problem
