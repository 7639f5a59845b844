"""Checks that a dataset's files are tracked by git. A file that git does not track was not reviewed.

A runner's workspace also holds what other steps wrote, credentials among it; a change of a spec could name such a file
and have it uploaded. So an untracked file is an error where a machine works alone, and a warning where a person does:

    RECONCILER_STRICT=1     error
    RECONCILER_STRICT=0     warning
    neither                 error where CI is set, else warning

Without a repository nothing is checked.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.dataset import SourceIndex
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import Specs
from reconciler.foundation.git import Git, GitError

VARIABLE = "RECONCILER_STRICT"
_NO = frozenset({"", "0", "false", "no"})
_NAMES_A_CALL = 500


def find_untracked(
    specs: Specs, workspace: Path, environ: Mapping[str, str], sources: SourceIndex
) -> tuple[Problem, ...]:
    """Return a problem for each dataset with files that git does not track: an error where we are strict.

    Shape:  at the place of the dataset
    Cost:   one call of git for every 500 files
    """
    if not (workspace / ".git").exists():
        return ()
    severity = Severity.ERROR if is_strict(environ) else Severity.WARNING
    files = {spec.name: sources.names(spec) for spec in specs.datasets}
    every = sorted({name for names in files.values() for name in names})
    try:
        known = _find_tracked(every, workspace, environ) if every else frozenset()
    except GitError as error:
        return _report_no_answer(specs, str(error), severity)
    unknown = {name: [file for file in names if file not in known] for name, names in files.items()}
    return tuple(
        Problem(
            where=spec.place,
            path="source",
            what=f"{_list_names(unknown[spec.name])} not tracked by git, so what would be uploaded was not reviewed",
            hint=f"git add it; if an earlier step of this run creates it on purpose, set {VARIABLE}=0",
            rule="source.untracked",
            severity=severity,
        )
        for spec in specs.datasets
        if unknown[spec.name]
    )


def is_strict(environ: Mapping[str, str]) -> bool:
    """Return whether files that git does not track are refused."""
    stated = environ.get(VARIABLE, "").strip().lower()
    return stated not in _NO if stated else environ.get("CI", "").strip().lower() not in _NO


def _find_tracked(names: list[str], workspace: Path, environ: Mapping[str, str]) -> frozenset[str]:
    git = Git(workspace, environ)
    chunks = (names[at : at + _NAMES_A_CALL] for at in range(0, len(names), _NAMES_A_CALL))
    return frozenset(name for chunk in chunks for name in _list_tracked(git, chunk))


def _list_tracked(git: Git, names: list[str]) -> Iterator[str]:
    # With `--full-name`, in the top directory of the tree, the names are returned as they were passed.
    found = git.run("--literal-pathspecs", "ls-files", "-z", "--cached", "--full-name", "--", *names)
    yield from (name.decode("utf-8", "surrogateescape") for name in found.split(b"\0") if name)


def _report_no_answer(specs: Specs, why: str, severity: Severity) -> tuple[Problem, ...]:
    """Return the problem that git did not answer; only where an answer is required."""
    if severity is Severity.WARNING or not specs.datasets:
        return ()
    problem = Problem(
        where=specs.datasets[0].place,
        path="source",
        what=f"git cannot say which files it tracks: {why}",
        hint=f"make git work in this directory (safe.directory, in a container), or set {VARIABLE}=0",
        rule="source.untracked",
    )
    return (problem,)


def _list_names(names: list[str]) -> str:
    more = f" and {len(names) - 1} more are" if len(names) > 1 else " is"
    return f"`{names[0]}`{more}"
