"""Which files name a thing on the service."""

from pathlib import Path

import pytest

from reconciler.specfile import find_mentions

MODEL = "ft:gpt-4.1-mini-2025-04-14:acme:triage:Ab12"
THINGS = {MODEL, "ftjob-Abc1", "file-9", "curie:ft-acme:triage-0123456789ab-2023-01-02-03-04-05"}


def write(home: Path, name: str, text: str) -> None:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"base: {MODEL}", MODEL),
        (f'base: "{MODEL}"', MODEL),
        (f"env: [MODEL={MODEL}, OTHER=1]", MODEL),
        (f"# it was {MODEL}.", MODEL),
        (f"model: openai/{MODEL}", MODEL),
        (f"base: {MODEL.upper()}", MODEL),
        ("adopt: {job: ftjob-Abc1, digest: v1:12}", "ftjob-Abc1"),
        ("job: ftjob-Abc1\n<<<<<<< HEAD\n", "ftjob-Abc1"),
        (
            "model: curie:ft-acme:triage-0123456789ab-2023-01-02-03-04-05",
            "curie:ft-acme:triage-0123456789ab-2023-01-02-03-04-05",
        ),
        (f"base: {MODEL}:ckpt-step-7", f"{MODEL}:ckpt-step-7"),
        ("base: gpt-4.1-mini-2025-04-14", None),
        (f"base: {MODEL}x", None),
    ],
)
def test_an_id_is_found_in_any_text(tmp_path: Path, text: str, found: str | None) -> None:
    write(tmp_path, "deploy/values.yml", text)
    files = find_mentions(tmp_path, THINGS, tmp_path / "specs").files
    assert files == ({} if found is None else {found.casefold(): "deploy/values.yml"})


def test_the_lock_files_of_the_root_itself_are_left_out_and_those_of_another_root_count(tmp_path: Path) -> None:
    for name in ("specs/models.lock.yaml", "specs/models.prod.lock.yaml"):
        write(tmp_path, name, f"model: {MODEL}")
    assert find_mentions(tmp_path, THINGS, tmp_path / "specs").files == {}
    write(tmp_path, "specs-b/models.lock.yaml", f"model: {MODEL}")
    assert find_mentions(tmp_path, THINGS, tmp_path / "specs").files == {MODEL.casefold(): "specs-b/models.lock.yaml"}


def test_too_many_files_are_a_doubt_and_no_error(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path, f"{name}.yaml", MODEL)
    found = find_mentions(tmp_path, THINGS, tmp_path / "specs", most=2)
    assert (found.files, "more than 2 files" in found.doubt) == ({}, True)
