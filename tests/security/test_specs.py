"""Specs of an untrusted author: refused with the right reason, quickly, and without another effect."""

import os
import tracemalloc
from pathlib import Path

import pytest

from reconciler.domain.errors import InputError, Problem
from reconciler.providers import PROFILE_NAMES
from reconciler.specfile import read_specs
from tests.security.corpus_reader import cases

CASES = cases("specs")


def refusals(root: Path, text: str | bytes) -> tuple[Problem, ...]:
    """Return the problems of specs/all.yaml with this text."""
    (root / "specs").mkdir(exist_ok=True)
    (root / "specs/all.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_specs(root / "specs", root, profiles=PROFILE_NAMES)
    return caught.value.problems


@pytest.mark.parametrize("name", CASES)
def test_a_spec_is_refused(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    found = refusals(tmp_path, case["text"])
    matching = [problem for problem in found if problem.rule.startswith(case["rule"])]
    assert any(case.get("says", "") in f"{problem.path} {problem.what}" for problem in matching), found
    assert all(problem.where.file == "specs/all.yaml" for problem in found)
    assert not (tmp_path / "owned").exists()


BOMBS: dict[str, bytes] = {
    "deep lists": b"kind: Project\nname: " + b"[" * 100_000,
    "deep mappings": b"{a: " * 50_000,
    "deep blocks": b"".join(b" " * at + b"a:\n" for at in range(1_200)),
    "a file of two megabytes": b"# " + b"x" * 2_000_000,
    "very many documents": b"---\n" * 20_000,
    "very many keys": b"".join(b"k%d: 1\n" % at for at in range(4_000)),
    "one very long key": b"a" * 900_000 + b": 1\n",
    "very many question marks": b"? " * 100_000,
    "a quote that never ends": b'a: "' + b"\\x41" * 200_000,
    "no text at all": bytes(range(256)) * 1_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_bounds(tmp_path: Path, name: str) -> None:
    tracemalloc.start()
    try:
        found = refusals(tmp_path, BOMBS[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 400 * 1024 * 1024
    assert 0 < len(found) <= 51
    assert all(len(problem.what) < 1_000 for problem in found)


@pytest.mark.parametrize("bytes_before", [b"", b"a", b"name: x\n", "é: ".encode()])
def test_an_invalid_byte_is_found_after_a_byte_order_mark(tmp_path: Path, bytes_before: bytes) -> None:
    """The mark is not part of the text and changes no place."""
    plain, marked = (refusals(tmp_path, mark + bytes_before + b"\xef\xc0") for mark in (b"", b"\xef\xbb\xbf"))
    assert [problem.rule for problem in plain] == ["yaml.encoding"]
    assert marked == plain


@pytest.mark.parametrize("way", ["link out", "linked directory out", "pipe", "device", "circle"])
def test_a_spec_file_is_a_regular_file_of_the_repository(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, way: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.yaml").write_text("kind: Project\nname: stolen\n")
    specs = tmp_path / "specs"
    specs.mkdir()
    if way == "link out":
        (specs / "x.yaml").symlink_to(outside / "x.yaml")
    elif way == "linked directory out":
        (specs / "more").symlink_to(outside)
    elif way == "pipe":
        os.mkfifo(specs / "x.yaml")
    elif way == "device":
        (specs / "x.yaml").symlink_to("/dev/zero")
    else:
        (specs / "x.yaml").symlink_to("x.yaml")
    with pytest.raises(InputError) as caught:
        read_specs(specs, tmp_path, profiles=PROFILE_NAMES)
    assert {problem.rule for problem in caught.value.problems} <= {"spec.outside", "spec.unreadable"}
    assert "stolen" not in str([str(problem) for problem in caught.value.problems])
