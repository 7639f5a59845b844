"""Are a dataset's files part of the repository? What git does not track, nobody has reviewed.

A runner's workspace also holds what other steps have put there, credentials among it; whoever may change a spec
could name such a file, and have it sent. So what is not tracked is refused where a machine works alone, and told
where a person does:

    RECONCILER_STRICT=1     refused
    RECONCILER_STRICT=0     told
    neither                 refused where CI is set, else told

Where there is no repository at all, there is nothing to compare with, and nothing is said.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import Specs
from reconciler.foundation.git import Git, GitError

VARIABLE = "RECONCILER_STRICT"
_NO = frozenset({"", "0", "false", "no"})
_NAMES_A_CALL = 500


def find_untracked(specs: Specs, workspace: Path, environ: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return a problem for each dataset with files that git does not track: an error where we are strict.

    Shape:  each at its dataset's place
    Cost:   one call of git for every 500 files
    """
    from reconciler.dataset import source_names

    if not (workspace / ".git").exists():
        return ()
    severity = Severity.ERROR if is_strict(environ) else Severity.WARNING
    files = {spec.name: source_names(spec, workspace) for spec in specs.datasets}
    every = sorted({name for names in files.values() for name in names})
    try:
        known = _tracked(every, workspace, environ) if every else frozenset()
    except GitError as error:
        return _unanswered(specs, str(error), severity)
    unknown = {name: [file for file in names if file not in known] for name, names in files.items()}
    return tuple(
        Problem(
            where=spec.place,
            path="source",
            what=f"{_listed(unknown[spec.name])} not tracked by git, so nobody has reviewed what would be sent",
            hint=f"git add it; where a step before this one makes it on purpose, set {VARIABLE}=0",
            rule="source.untracked",
            severity=severity,
        )
        for spec in specs.datasets
        if unknown[spec.name]
    )


def is_strict(environ: Mapping[str, str]) -> bool:
    """Return whether files that git does not track are refused."""
    said = environ.get(VARIABLE, "").strip().lower()
    return said not in _NO if said else environ.get("CI", "").strip().lower() not in _NO


def _tracked(names: list[str], workspace: Path, environ: Mapping[str, str]) -> frozenset[str]:
    git = Git(workspace, environ)
    chunks = (names[at : at + _NAMES_A_CALL] for at in range(0, len(names), _NAMES_A_CALL))
    return frozenset(name for chunk in chunks for name in _listed_by(git, chunk))


def _listed_by(git: Git, names: list[str]) -> Iterator[str]:
    # `--full-name` and a workspace that is the top of its tree: names come back as they went.
    found = git.run("--literal-pathspecs", "ls-files", "-z", "--cached", "--full-name", "--", *names)
    yield from (name.decode("utf-8", "surrogateescape") for name in found.split(b"\0") if name)


def _unanswered(specs: Specs, why: str, severity: Severity) -> tuple[Problem, ...]:
    """Say that git could not be asked; of use only where its answer is needed."""
    if severity is Severity.WARNING or not specs.datasets:
        return ()
    problem = Problem(
        where=specs.datasets[0].place,
        path="source",
        what=f"git cannot say which files it tracks: {why}",
        hint=f"see that git works in this directory (safe.directory, in a container), or set {VARIABLE}=0",
        rule="source.untracked",
    )
    return (problem,)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 1} more are" if len(names) > 1 else " is"
    return f"`{names[0]}`{more}"
