"""The recorded runs of the old tool: its input, its output, and the files that it wrote."""

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from reconciler.prepare_data.compat import run_legacy_prepare

DATA = Path(__file__).parent.parent.parent / "data"
HERE = DATA / "legacy-prepare"
TIME = re.compile(r"approximately take [0-9.]+ [a-z]+ to train")


@dataclass(frozen=True)
class Case:
    """One recorded run."""

    home: Path
    id: str
    input: str
    argument: str
    exit: int
    crashed: bool
    stdin: str | None
    preexisting: dict[str, str]
    outputs: tuple[str, ...]

    @property
    def out(self) -> str:
        return (self.home / "expected" / self.id / "stdout.txt").read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return (self.home / "expected" / self.id / "stderr.txt").read_text(encoding="utf-8")

    @property
    def files(self) -> dict[str, bytes]:
        return {Path(name).name: (self.home / name).read_bytes() for name in self.outputs}

    def lay_out(self, folder: Path) -> None:
        """Write the files that the run found into an empty directory."""
        source = self.home / self.input
        if self.input and source.exists():
            shutil.copy(source, folder / self.argument)
        for name, text in self.preexisting.items():
            (folder / name).write_text(text, encoding="utf-8")

    def left_in(self, folder: Path) -> dict[str, bytes]:
        """Return the files in the directory that did not exist before."""
        known = {self.argument, *self.preexisting}
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name not in known}


@dataclass(frozen=True)
class Ran:
    """The output of our run."""

    code: int
    out: str
    err: str


def cases(home: Path = HERE) -> list[Case]:
    """Return every recorded run of a directory."""
    found = json.loads((home / "index.json").read_text(encoding="utf-8"))["cases"]
    return [
        Case(
            home=home,
            id=each["id"],
            input=each.get("input") or "",
            argument=each["argument"],
            exit=each["exit"],
            crashed=each["crashed"],
            stdin=each.get("stdin"),
            preexisting=each.get("preexisting") or {},
            outputs=tuple(output["file"] for output in each["outputs"]),
        )
        for each in found
    ]


def elsewhere() -> list[Case]:
    """Return recorded runs from outside the repository; none when their directory is not named."""
    named = os.environ.get("RECONCILER_LEGACY_CASES", "")
    return cases(Path(named)) if named else []


def run(file: str, typed: str | None = None) -> Ran:
    """Prepare a file of the working directory as the old tool did."""
    out: list[str] = []
    err: list[str] = []
    lines = iter(typed.splitlines()) if typed is not None else iter(())
    ask = None if typed is None else lambda: next(lines, None)
    code = run_legacy_prepare(file, out.append, err.append, ask)
    return Ran(code, "".join(out), "".join(err))
