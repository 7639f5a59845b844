"""What a Project expects of the service: read as it is meant, and never taken for an address or a key."""

from pathlib import Path

import pytest

from reconciler.domain.spec import Expect
from tests.specfile.trees import specs_of, told

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
def test_one_or_several_may_be_right(tmp_path: Path, text: str, means: Expect) -> None:
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
def test_what_cannot_be_meant_is_told_once_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    (problem,) = told(tmp_path, PROJECT + text)
    assert problem.startswith(place)
    assert "expect" in problem


@pytest.mark.parametrize("field", ["api_key: abc", "token: abc", "password: abc"])
def test_an_expectation_holds_no_key(tmp_path: Path, field: str) -> None:
    assert any("must not say where credentials go" in each for each in told(tmp_path, f"{PROJECT}expect: {{{field}}}"))


def test_outside_of_expect_a_spec_still_names_no_account_and_no_address(tmp_path: Path) -> None:
    for field in ("organization: org-a", "host: api.example.test"):
        (problem,) = told(tmp_path, PROJECT + field)
        assert "must not say where credentials go" in problem
