"""What a user sees of rows that changed: in a plan, and between any two versions that can be named."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import Repository

SPECS = """\
kind: Dataset
name: tickets
source: tickets.csv
prompt: "{subject}"
completion: "{category}"
id: ticket_id
---
kind: Model
name: triage
base: tfidf-logreg
training: tickets
"""
EVIL = "\x1b]0;owned\x07 \u202ehello ::error::no"
CATEGORIES = ("billing", "shipping", "other")


def make_table(numbers: list[int], **subjects: str) -> str:
    """Return a CSV of tickets; `subjects` replaces the subject of a row, by `t` and its number."""
    rows = [f"{n},{subjects.get(f't{n}', f'message {n} of order{n * 7}')},{CATEGORIES[n % 3]}" for n in numbers]
    return "\n".join(["ticket_id,subject,category", *rows, ""])


@pytest.fixture
def tickets(repository: Repository) -> Repository:
    """A repository whose model is trained on thirty tickets."""
    repository.write("specs/all.yaml", SPECS)
    repository.write("specs/tickets.csv", make_table(list(range(30))))
    assert repository.run("apply", "--auto-approve").code == 0
    return repository


def read_row_diffs(plan: str) -> dict[str, object]:
    """Return the row diffs of a plan in JSON."""
    (upload,) = (step for step in json.loads(plan)["steps"] if step["action"] == "upload")
    found: dict[str, object] = upload["rows"]
    return found


def test_a_plan_shows_which_rows_changed(tickets: Repository) -> None:
    """The file of the service is fetched once; a broken copy is fetched again."""
    assert "No row changed." in tickets.run("data", "diff", "service:tickets", "tickets").out
    numbers = [*range(3), 29, *range(3, 29), 40, 41]
    tickets.write("specs/tickets.csv", make_table(numbers, t7=f"message 7 {EVIL}"))

    result = tickets.run("plan")

    assert result.code == 0
    assert "+2 -0 ~1 ↕1  (30 → 32 since tickets-" in result.out
    assert "~ row 8 → 9 (id 7, specs/tickets.csv:10)" in result.out
    assert "[-of order49-]" in result.out
    (kept,) = (tickets.home / "cache/files").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole.replace(b"billing", b"BILLING"))
    shown, hidden = tickets.run("plan", "--json"), tickets.run("plan", "--json", "--no-rows")
    assert [read_row_diffs(shown.out)[name] for name in ("added", "removed", "edited", "moved")] == [2, 0, 1, 1]
    assert kept.read_bytes() == whole
    assert json.loads(shown.out)["basis"] == json.loads(hidden.out)["basis"]
    assert not any("rows" in step for step in json.loads(hidden.out)["steps"])
    compared = tickets.run("data", "diff", "service:tickets", "tickets")
    assert "rows: +2 -0 ~1 ↕1" in compared.out
    for each in (result, shown, compared):
        assert "\x1b" not in each.out
        assert "\u202e" not in each.out
        assert not any(line.lstrip().startswith("::") for line in each.out.splitlines())
    assert tickets.run("plan", "--out", "saved.plan").code == 0
    assert json.loads(tickets.read("saved.plan"))["plan"]["steps"][0]["rows"]["added"] == 2
    missing = tickets.run("data", "diff", "service:nothing", "tickets")
    assert (missing.code, "holds no file of a dataset nothing" in missing.err) == (1, True)


def test_two_files_are_compared_without_a_spec(repository: Repository) -> None:
    repository.write("old.csv", make_table([1, 2, 3]))
    repository.write("new.csv", make_table([1, 3, 4], t3="something else"))

    result = repository.run("data", "diff", "old.csv", "new.csv", "--id", "ticket_id", "--detailed-exitcode")

    assert result.code == 2
    assert "rows: +1 -1 ~1 ↕0" in result.out
    assert "subject: [-message 3 of order21-]{+something else+}" in result.out
    same = repository.run("data", "diff", "old.csv", "old.csv", "--detailed-exitcode")
    assert (same.code, "No row changed." in same.out) == (0, True)


def test_rows_that_differ_in_spelling_only_are_counted_separately(repository: Repository) -> None:
    repository.write("old.jsonl", '{"prompt":"a","completion":"b"}\n{"prompt":"c","completion":"d"}\n')
    repository.write("new.jsonl", '{"completion": "b", "prompt": "a"}\n{"prompt":"c","completion":"d"}')

    found = json.loads(repository.run("data", "diff", "old.jsonl", "new.jsonl", "--json").out)

    assert [found[name] for name in ("added", "removed", "edited", "moved", "reformatted")] == [0, 0, 0, 0, 1]
    assert [sample["place"]["line"] for sample in found["samples"]] == [1]


def git(root: Path, *arguments: str) -> None:
    """Run git without personal settings."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def versioned(repository: Repository) -> Repository:
    """A repository with one commit, and another version of its tickets on disk."""
    if not shutil.which("git"):
        pytest.skip("there is no git here")
    shutil.rmtree(repository.root / ".git")
    git(repository.root, "init", "-q", "-b", "main")
    repository.write("specs/all.yaml", SPECS)
    repository.write("specs/tickets.csv", make_table(list(range(30))))
    repository.write("specs/big.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    git(repository.root, "add", "-A")
    git(repository.root, "commit", "-q", "-m", "tickets")
    repository.write("specs/tickets.csv", make_table(list(range(31)), t5="entirely new words"))
    return repository


@pytest.mark.parametrize(
    ("before", "after"), [("main:tickets", "tickets"), ("HEAD:specs/tickets.csv", "specs/tickets.csv")]
)
def test_a_revision_is_compared_with_what_is_on_disk(versioned: Repository, before: str, after: str) -> None:
    """The id pairs a row in which every word changed; each side is read from its own source."""
    result = versioned.run("data", "diff", before, after, "--id", "ticket_id")

    assert (result.code, "rows: +1 -0 ~1 ↕0" in result.out) == (0, True), result
    assert "id 5" in result.out


def test_a_revision_is_read_with_its_own_specs(versioned: Repository) -> None:
    versioned.write("specs/all.yaml", SPECS.replace('"{subject}"', '"Sort this: {subject}"'))
    versioned.write("specs/tickets.csv", make_table(list(range(30))))

    found = json.loads(versioned.run("data", "diff", "HEAD:tickets", "tickets", "--json").out)

    assert (found["edited"], found["added"], found["removed"]) == (30, 0, 0)


def test_a_hook_or_filter_of_the_repository_is_not_run(versioned: Repository) -> None:
    """A repository may come from an untrusted source, so the programs that it names are not started."""
    marker = versioned.root / "ran"
    for setting in ("core.fsmonitor", "filter.x.smudge", "filter.x.process", "core.pager", "diff.external"):
        git(versioned.root, "config", setting, f"touch {marker}; cat")
    versioned.write(".gitattributes", "* filter=x\n")

    assert versioned.run("data", "diff", "HEAD:tickets", "tickets").code == 0
    assert not marker.exists()


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("nowhere:tickets", "git knows no such revision"),
        ("--help:tickets", "No such option"),
        ("HEAD:nothing", "the specs name no dataset nothing; they name tickets"),
        ("HEAD:specs/none.csv", "git holds no file specs/none.csv"),
        ("HEAD:../outside.csv", "leads out of the repository"),
        ("HEAD:specs/big.jsonl", "only a pointer of Git LFS"),
        (":tickets", "write REVISION:NAME"),
        ("unheard-of", "the specs name no dataset unheard-of"),
    ],
)
def test_an_argument_that_is_not_a_version_is_reported(versioned: Repository, version: str, message: str) -> None:
    answer = versioned.run("data", "diff", version, "tickets")

    assert answer.code == 64
    assert message in answer.err


def test_a_file_that_cannot_be_read_is_invalid(repository: Repository) -> None:
    repository.write("old.jsonl", "not json\n")
    repository.write("new.jsonl", '{"prompt":"a","completion":"b"}\n')

    result = repository.run("data", "diff", "old.jsonl", "new.jsonl")

    assert (result.code, "old.jsonl:1" in result.err) == (3, True)


KEY, CARD, ADDRESS = "s" + "k-proj-" + "Ab3dE6gH9jK2mN5pQ8sT1vW4" * 2, "4242 4242 4242 4242", "jane.doe@somewhere.net"
HIDDEN = (KEY, KEY[10:40], CARD, "4242 4242", "42424242", ADDRESS, "jane.doe")


def test_what_the_checks_mask_is_masked_in_every_output(tickets: Repository) -> None:
    """A key, a card and an address in an edited, an added and a moved row, in a cell and in the id of a row."""
    rows = [f"{n},message {n} of order{n * 7},{CATEGORIES[n % 3]}" for n in range(30)]
    rows[7] = f"7,use {KEY} and pay {CARD} 12/27 cvc 123,other"
    rows += [f"{ADDRESS},write to {ADDRESS},billing", f"41,{KEY},other", f"{CARD.replace(' ', '')},a card,other"]
    tickets.write("specs/tickets.csv", "\n".join(["ticket_id,subject,category", *rows, ""]))
    validated = tickets.run("validate", "--deep")
    outputs = {
        "plan": tickets.run("plan").out,
        "data diff": tickets.run("data", "diff", "service:tickets", "tickets", "--samples", "50").out,
        "data diff --json": tickets.run("data", "diff", "service:tickets", "tickets", "--json", "--samples", "50").out,
        "data show": tickets.run("data", "show", "tickets", "--row", "8").out,
        "data sample": tickets.run("data", "sample", "tickets", "-n", "50").out,
        "data sample --json": tickets.run("data", "sample", "specs/tickets.csv", "-n", "50", "--json").out,
        "data stats": tickets.run("data", "stats", "tickets").out,
        "validate": "".join((validated.out, validated.err)),
    }
    for name in ("json", "markdown", "html", "sarif"):
        assert tickets.run("plan", "--format", f"{name}={name}.out").code == 0
        outputs[name] = tickets.read(f"{name}.out")
    assert tickets.run("plan", "--out", "saved.plan").code == 0
    outputs["saved plan"] = tickets.read("saved.plan")
    outputs["show"] = tickets.run("show", "saved.plan").out
    shown = {name: [part for part in HIDDEN if part in text] for name, text in outputs.items()}
    assert not any(shown.values()), shown
    assert "a payment card …42" in outputs["plan"]
    assert "an e-mail address" in outputs["data diff"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", "".join(f"ask {at} {KEY},pay {CARD},z\n" for at in range(12))),
        ("rows.jsonl", "".join(json.dumps({"foo": f"{KEY} {at}", "bar": ADDRESS}) + "\n" for at in range(12))),
        ("named.csv", f"q,{ADDRESS}\n" + "".join(f"ask {at},{KEY}\n" for at in range(12))),
    ],
)
def test_samples_in_the_hints_of_prepare_are_masked(repository: Repository, name: str, content: str) -> None:
    repository.write(name, content)
    result = repository.run("prepare", name)
    assert result.code == 3
    assert not [part for part in (*HIDDEN, KEY[:16]) if part in result.out + result.err]
