"""Trees of spec files for tests, and their problems."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.domain.errors import InputError, Problem
from reconciler.domain.spec import Specs
from reconciler.providers import PROFILE_NAMES
from reconciler.specfile import read_specs

DATASET = """\
kind: Dataset
name: tickets
source: data/tickets.csv
prompt: "{body}"
completion: "{category}"
"""
MODEL = """\
kind: Model
name: triage
base: gpt-4.1-mini-2025-04-14
training: tickets
"""


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a root, byte for byte."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def specs_of(root: Path, files: dict[str, str | bytes]) -> Specs:
    """Read the specs of a tree that is its own workspace."""
    return read_specs(write(root, files), root, profiles=PROFILE_NAMES)


def problems_of(root: Path, files: dict[str, str | bytes]) -> tuple[Problem, ...]:
    """Return all problems of a tree; none when it is valid."""
    try:
        specs_of(root, files)
    except InputError as error:
        return error.problems
    return ()


def problem_lines(root: Path, *documents: str) -> list[str]:
    """Return the problems of documents in one file as lines, without the file's name."""
    found = problems_of(root, {"s.yaml": "---\n".join(documents)})
    return [str(problem).removeprefix("s.yaml:") for problem in found]
