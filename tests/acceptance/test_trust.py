"""Guarantees to users: all mistakes are reported at once, and then nothing is sent; no secret is shown."""

import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.app import COMMANDS
from tests.acceptance.conftest import Repository

CANARY = "canary-" + "0123456789abcdef" * 2

MISTAKES = """\
kind: Project
nam: support
provider: opnai
policy:
  max_new_jobs: -1
  prune: "yes"
---
kind: Dataset
name: Tickets
source: ../../outside.csv
format: chatt
promt: "{subject}"
completion: "{category"
---
kind: Dataset
name: faq
source: faq.csv
split: {validation: 2}
---
kind: Model
name: triage
base: tfidf-logreg
training: tickts
hyperparameters:
  epochs: 3
  batch_size: many
  learning_rate_multiplier: 0
seed: -4
suffix: "UPPER case"
on_change: replace
retries: 99
api_key: whatever
---
kind: Model
name: triage
base: 7
method: dpo
extra: {model: other}
---
kind: Alais
"""


def test_twenty_mistakes_are_reported_in_one_run_with_place_and_hint_and_nothing_is_sent(
    repository: Repository,
) -> None:
    """Sockets are forbidden in every test, and the service's store is not even made."""
    repository.write("specs/all.yaml", MISTAKES)
    repository.write("specs/faq.csv", "prompt,completion\n")
    for command in (["validate"], ["plan"], ["apply", "--auto-approve"]):
        result = repository.run(*command, "--json")
        assert result.code == 3
        problems = json.loads(result.out)["problems"]
        assert len(problems) >= 20
        for problem in problems:
            assert problem["file"] == "specs/all.yaml"
            assert problem["line"] > 0
            assert problem["column"] > 0
            assert problem["hint"], problem
    assert not repository.home.exists()
    assert "did you mean 'n_epochs'" in repository.run("validate").err


def test_problems_in_specs_come_before_the_data_and_all_data_problems_come_together(repository: Repository) -> None:
    model = "---\nkind: Model\nname: {0}-model\nbase: tfidf-logreg\ntraining: {0}\n"
    dataset = "---\nkind: Dataset\nname: {0}\nsource: {0}.jsonl\n"
    repository.write("specs/all.yaml", "".join((dataset + model).format(name) for name in ("one", "two"))[4:])
    repository.write("specs/one.jsonl", '{"messages": []}\n' * 12)
    repository.write("specs/two.jsonl", "not json\n")
    result = repository.run("validate")
    assert result.code == 3
    assert "specs/one.jsonl:1" in result.err
    assert "specs/two.jsonl:1" in result.err


@pytest.mark.parametrize("way", ["dots", "absolute", "link", "linked directory"])
def test_a_dataset_outside_the_repository_is_refused(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory, way: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.csv").write_text("prompt,completion\n" + "a,b\n" * 20)
    specs = repository.root / "specs"
    specs.mkdir()
    source = "secret.csv"
    if way == "dots":
        source = os.path.relpath(outside / "secret.csv", specs)
    elif way == "absolute":
        source = str(outside / "secret.csv")
    elif way == "link":
        (specs / "secret.csv").symlink_to(outside / "secret.csv")
    else:
        (specs / "data").symlink_to(outside)
        source = "data/secret.csv"
    repository.write(
        "specs/all.yaml",
        f"kind: Dataset\nname: stolen\nsource: {source}\n---\n"
        "kind: Model\nname: thief\nbase: tfidf-logreg\ntraining: stolen\n",
    )
    for command in (["validate"], ["plan"], ["apply", "--auto-approve"]):
        result = repository.run(*command)
        assert result.code == 3
        assert "repository" in result.err
    assert not repository.home.exists()


class Leaky(http.server.BaseHTTPRequestHandler):
    """A service that repeats the caller's key wherever it can."""

    status = 401

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        error = {"message": f"Incorrect API key provided: {key}", "type": key, "param": key, "code": key}
        body = json.dumps({"error": error, "data": [{"id": key}], "object": key}).encode()
        self.send_response(self.status)
        for name in ("x-request-id", "openai-organization", "Location", "Retry-After"):
            self.send_header(name, key)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 (the names that the base class calls)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's word)
        """Write no log."""


@pytest.fixture(
    # The profile of OpenAI repeats requests, so this case uses only statuses that end a call at once.
    params=[
        *((status, "openai") for status in (302, 400, 401, 403, 404)),
        *((status, "local") for status in (200, 429, 500)),
    ],
    ids=lambda param: f"{param[0]} {param[1]}",
)
def leaky(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start a service that repeats the key, at one status; return the profile that uses it."""
    status, profile = request.param
    handler = type("Answering", (Leaky,), {"status": status})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    monkeypatch.setenv("OPENAI_BASE_URL" if profile == "openai" else "RECONCILER_LOCAL_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY" if profile == "openai" else "RECONCILER_LOCAL_KEY", CANARY)
    yield profile
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.loopback
def test_no_command_prints_the_key(quickstart: Repository, leaky: str) -> None:
    """The service repeats the key in the body and in the headers, at several statuses."""
    specs = ["--specs", "specs/quickstart", "--provider", leaky]
    commands = [
        ["validate"],
        ["schema", "spec"],
        ["plan", "specs/quickstart", "--provider", leaky],
        ["plan", "specs/quickstart", "--provider", leaky, "--json", "--out", "saved.plan"],
        ["plan", "specs/quickstart", "--format", "github", "--format", "review=review.json", "--format", "html=a.html"],
        ["show", "saved.plan"],
        ["apply", "specs/quickstart", "--provider", leaky, "--auto-approve"],
        ["apply", "specs/quickstart", "--provider", leaky, "--auto-approve", "--json"],
        ["status", *specs],
        ["data", "diff", "service:banking-questions", "banking-questions", *specs],
        ["files", *specs],
        ["files", CANARY, *specs],
        ["jobs", *specs, "--json"],
        ["jobs", "ftjob-1", *specs],
        ["models", *specs],
        ["models", "ft:some:model", *specs, "--json"],
        ["follow", "support-triage", *specs],
        ["follow", "ftjob-1", *specs],
        ["wait", *specs, "--timeout", "1s"],
        ["cancel", "support-triage", "--auto-approve", *specs],
        ["cancel", "ftjob-1", "--auto-approve", *specs],
        ["import", "ftjob-1", "--as", "theirs", *specs],
        ["import", "ft:some:model", "--as", "theirs", "--write", *specs],
        ["journal", "list", "--specs", "specs/quickstart"],
        ["journal", "clear", CANARY, "--specs", "specs/quickstart"],
        ["lock", "rebuild", *specs],
        ["forget", "old-triage", *specs],
        ["output", "support-triage", "--format", "json", *specs],
        ["run", "support-triage", "-p", "hello", *specs],
        ["run", "ft:some:model", "-p", "hello", *specs],
        ["snippet", "ft:some:model", "--lang", "curl", "-p", CANARY, *specs],
        ["snippet", "support-triage", "--lang", "python", *specs],
        ["providers"],
        ["providers", "openai", "--json"],
        ["doctor", *specs],
        ["doctor", "--json", *specs],
        ["plan", "specs/quickstart", "--offline"],
        ["diff", "HEAD..HEAD", "specs/quickstart"],
        ["prepare", "specs/quickstart/data/train.csv"],
        ["data", "show", "banking-questions", "--specs", "specs/quickstart"],
        ["data", "stats", "banking-questions", "--specs", "specs/quickstart"],
        ["data", "sample", CANARY, "--specs", "specs/quickstart"],
    ]
    assert {command[0] for command in commands} | {"init", "serve"} == set(COMMANDS)
    for command in commands:
        result = quickstart.run(*command)
        assert CANARY not in result.out + result.err, command
    for path in quickstart.root.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path


WORD = "pa55-Word!x<y&z"
FORMATS = ("json", "markdown", "html", "sarif", "junit", "review")


def test_a_value_of_the_environment_in_a_row_or_an_expectation_is_in_no_format_and_no_saved_plan(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The formats escape what they write, and the review is Markdown within JSON."""
    monkeypatch.setenv("DB_PASSWORD", WORD)
    outputs = {name: repository.root / f"{name}.txt" for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for name, path in outputs.items():
        monkeypatch.setenv(name, str(path))
    rows = [{"prompt": f"question {n}, {WORD}", "completion": f"secret {WORD} {n % 2}"} for n in range(24)]
    repository.write("specs/a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    expectations = "\n".join(
        f"  - {{{rule}: {{field: {field}, {more}}}, severity: warning}}"
        for field in ("prompt", "completion")
        for rule, more in (("one_of", f'values: ["{WORD}"]'), ("matches", f'pattern: "{WORD}#"'))
    )
    repository.write(
        "specs/all.yaml",
        f"kind: Dataset\nname: rows\nsource: a.jsonl\ndescription: '{WORD}'\nlabels: {{team: '{WORD}'}}\n"
        f"allow: [{{rule: rows.duplicate, reason: '{WORD}'}}]\nexpect:\n{expectations}\n---\n"
        f"kind: Model\nname: triage\nbase: tfidf-logreg\ntraining: rows\ndescription: '{WORD}'\n",
    )
    formats = [word for each in FORMATS for word in ("--format", f"{each}={each}.out")]
    result = repository.run("plan", "specs", "--out", "saved.plan", *formats, "--format", "github")
    assert result.code == 0, result.err
    shown = repository.run("show", "saved.plan", "--format", "review")
    assert "[redacted]" in shown.err
    texts = {"stdout": result.out, "stderr": result.err, "show": shown.out, "show, stderr": shown.err}
    texts |= {each: repository.read(f"{each}.out") for each in FORMATS}
    texts |= {name: path.read_text() for name, path in outputs.items()} | {"saved": repository.read("saved.plan")}
    assert [name for name, text in texts.items() if "pa55" in text] == []
    assert repository.run("apply", "saved.plan", "--no-wait").code == 0


def test_without_a_key_the_variable_is_named_and_nothing_is_sent(quickstart: Repository) -> None:
    result = quickstart.run("plan", "specs/quickstart", "--provider", "openai")
    assert result.code == 1
    assert "OPENAI_API_KEY" in result.err


@pytest.mark.parametrize("url", ["http://example.test/v1", "ftp://example.test", "https://user:word@example.test/v1"])
def test_a_key_goes_to_https_or_to_this_machine_only(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    result = quickstart.run("plan", "specs/quickstart", "--provider", "openai")
    assert result.code == 64
    assert "OPENAI_BASE_URL" in result.err


def test_wrong_usage_has_a_code_of_its_own(quickstart: Repository) -> None:
    """2 means that changes are pending, so it must not mean a misspelt flag."""
    for arguments in (
        ["plan", "--detailed-exitcod"],
        ["nonsense"],
        ["apply", "--parallelism", "0"],
        ["run", "support-triage"],
    ):
        assert quickstart.run(*arguments).code == 64
    assert quickstart.run("plan", "specs/quickstart", "--allow", "everything").code == 64
    assert quickstart.run("plan", "specs/quickstart", "--target", "nobody").code == 64
    assert quickstart.run("output", "nobody", "--specs", "specs/quickstart").code == 64


def test_an_empty_tree_of_specs_over_existing_models_is_refused(quickstart: Repository) -> None:
    assert quickstart.run("apply", "specs/quickstart", "--auto-approve", "--no-wait").code == 0
    Path(quickstart.root / "specs/quickstart/support-triage.yaml").unlink()
    result = quickstart.run("apply", "specs/quickstart", "--auto-approve")
    assert (result.code, "empty-specs" in result.out) == (5, True)
    assert quickstart.run("apply", "specs/quickstart", "--auto-approve", "--allow", "empty-specs").code == 0


@pytest.mark.parametrize("link", ["specs", "deep"])
def test_a_spec_root_that_is_a_link_out_of_the_repository_is_refused(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory, link: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "specs").mkdir()
    for there in (outside, outside / "specs"):
        (there / "all.yaml").write_text("kind: Dataset\nname: stolen\nsource: stolen.csv\n")
        (there / "stolen.csv").write_text("prompt,completion\n" + "a,b\n" * 20)
    (repository.root / link).symlink_to(outside)
    root = "specs" if link == "specs" else "deep/specs"
    for command in (["validate", root], ["plan", root], ["apply", root, "--auto-approve"]):
        result = repository.run(*command)
        assert result.code == 3, result.out + result.err
        assert "outside" in result.err or "repository" in result.err
        assert "stolen" not in result.out


def test_a_checkout_that_is_reached_by_a_link_is_a_repository_like_any_other(repository: Repository) -> None:
    repository.write("project/specs/all.yaml", "kind: Dataset\nname: letters\nsource: letters.csv\n")
    repository.write("project/specs/letters.csv", "prompt,completion\n" + "".join(f"a{n},b\n" for n in range(20)))
    (repository.root / "project/.git").mkdir()
    (repository.root / "short").symlink_to(repository.root / "project")
    assert repository.run("validate", "short/specs").code == 0
