"""Where this machine keeps our own files: outside of every checkout, because a commit can bring a directory.

RECONCILER_HOME/             when it is set; else, below the user's state directory:
reconciler/intents           the journal, shared by all checkouts
reconciler/applied           which saved plans were applied
reconciler/repositories/KEY  the built-in service and caches of one checkout
"""

import hashlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from reconciler.domain.errors import UnusablePlaceError, UsageError
from reconciler.foundation.git import Git, GitError, GitMissingError
from reconciler.foundation.private import NO_FOLLOW, NotPrivateError, check_private, make_private

HOME_VARIABLE = "RECONCILER_HOME"
OLD_HOME = ".reconciler"
"""Where versions before kept their files, in the checkout."""

_ADVICE = f"set {HOME_VARIABLE} to a directory of your own that can be written"
_BELOW = ("local", "cache", "cache/measures", "cache/files", "journal", "intents", "applied")
_MOVED = ("local", "journal", "applied")


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Our own directories: `directory` for one checkout, `shared` for all checkouts of this user.

    Shape:  both are the same when the operator chose the directory (`is_chosen`)
    """

    directory: Path
    shared: Path
    is_chosen: bool = False


def find_home(workspace: Path, environ: Mapping[str, str]) -> Home:
    """Return where a checkout's files are kept. Nothing is made or read.

    Raises: UsageError when the system names no directory of the user
    """
    if chosen := environ.get(HOME_VARIABLE):
        return Home(directory=Path(chosen), shared=Path(chosen), is_chosen=True)
    shared = _state_directory(environ) / "reconciler"
    return Home(directory=shared / "repositories" / _key(workspace), shared=shared)


def _state_directory(environ: Mapping[str, str]) -> Path:
    if (stated := environ.get("XDG_STATE_HOME")) and Path(stated).is_absolute():
        return Path(stated)
    if sys.platform == "win32":
        if stated := environ.get("LOCALAPPDATA"):
            return Path(stated)
        return _user_directory(environ) / "AppData" / "Local"
    if sys.platform == "darwin":
        return _user_directory(environ) / "Library" / "Application Support"
    return _user_directory(environ) / ".local" / "state"


def _user_directory(environ: Mapping[str, str]) -> Path:
    if stated := environ.get("HOME"):
        return Path(stated)
    try:
        return Path.home()
    except RuntimeError as error:
        raise UsageError(f"the system names no home directory of this user: {_ADVICE}") from error


def _key(workspace: Path) -> str:
    path = os.path.realpath(workspace)
    name = re.sub(r"[^a-z0-9]+", "-", Path(path).name.lower()).strip("-")[:40]
    return f"{name}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:12]}".lstrip("-")


def make_home(home: Path) -> None:
    """Make our own directory, private and ignored by git.

    Raises: OSError, also when a directory in it is a link or belongs to another user
    """
    if home.is_symlink():
        # The operator may choose a link; where it leads is checked as any other directory.
        if not home.exists():
            raise NotPrivateError("it is a link to a place that does not exist", home)
        home = home.resolve()
    make_private(home)
    for name in _BELOW:
        check_private(home / name)
    with suppress(FileExistsError):
        descriptor = os.open(home / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW, 0o600)
        with open(descriptor, "wb") as file:
            file.write(b"*\n")


def require_home(home: Path) -> None:
    """Make our own directory where a command cannot work without it.

    Raises: UnusablePlaceError when it cannot be made or is not ours alone
    """
    try:
        make_home(home)
    except OSError as error:
        raise UnusablePlaceError.of_directory(str(home), error, _ADVICE) from error


def is_home_private(home: Home, workspace: Path, environ: Mapping[str, str]) -> bool:
    """Return whether our own directory, as far as it is there, may be believed."""
    try:
        _check_inside(home.directory, workspace, environ)
        check_private(home.directory.resolve())
        for name in _BELOW:
            check_private(home.directory / name)
    except (OSError, UnusablePlaceError):
        return False
    return True


def check_home(home: Home, workspace: Path, environ: Mapping[str, str]) -> None:
    """Check that our own directory holds nothing that a commit brought, and that nothing was left in the old place.

    Raises: UnusablePlaceError with what to move or to set
    Cost:   starts git when the directory is inside the checkout
    """
    _check_inside(home.directory, workspace, environ)
    for place in {home.directory, home.shared}:
        if place.is_symlink() and not place.exists():
            raise UnusablePlaceError(f"{place} is a link to {place.readlink()}, which does not exist: {_ADVICE}")
    if not home.is_chosen:
        _check_old(workspace / OLD_HOME, home.directory)


def _check_inside(home: Path, workspace: Path, environ: Mapping[str, str]) -> None:
    """Check our own directory where it is inside the checkout of the specs, or inside any other repository."""
    real, checkout = Path(os.path.abspath(home)), Path(os.path.realpath(workspace))
    outer = Path(os.path.realpath(real.parent)) / real.name
    around = next((each for each in outer.parents if os.path.lexists(each / ".git")), None)
    try:
        # By its name as well: a link on the way may have come with a commit, wherever it leads.
        for path, root in ((outer, checkout), (outer, around or checkout), (real, Path(os.path.abspath(workspace)))):
            if path.is_relative_to(root):
                below = path.relative_to(root).parts
                for count in range(1, len(below) + 1):
                    check_private(root.joinpath(*below[:count]))
    except OSError as error:
        raise UnusablePlaceError.of_directory(str(home), error, _ADVICE) from error
    if around is not None:
        _check_untracked(outer, around, environ)


def _check_untracked(home: Path, repository: Path, environ: Mapping[str, str]) -> None:
    name = "/".join(home.relative_to(repository).parts)
    try:
        is_tracked = Git(repository, environ).run("ls-files", "-z", "--", f":(icase,top){name}") != b""
    except GitMissingError as error:
        raise UnusablePlaceError(
            f"{home} is inside a repository, and without git it cannot be known whether a commit brought it: install"
            f" git, or set {HOME_VARIABLE} to a directory outside of {repository}"
        ) from error
    except GitError:
        # Not a repository that git knows, so nothing in it is tracked.
        return
    if is_tracked:
        raise UnusablePlaceError(
            f"{home} is tracked by git, and what a commit brings is not believed as our own state: take it out of the"
            f" repository with git rm -r --cached, or set {HOME_VARIABLE} to a directory outside of {repository}"
        )


def _check_old(old: Path, home: Path) -> None:
    if not os.path.lexists(old):
        return
    try:
        check_private(old)
    except NotPrivateError as error:
        if any(os.path.lexists(home / name) for name in _MOVED):
            return
        raise UnusablePlaceError(
            f"{old} is no longer used, and {error.strerror}: if it is yours, set {HOME_VARIABLE} to the directory it"
            f" stands for; if not, remove it with {_removal(old)}"
        ) from error
    left = [name for name in _MOVED if not os.path.lexists(home / name) and _holds_state(old / name)]
    if left:
        raise UnusablePlaceError(
            f"{old} holds state of an earlier version ({', '.join(left)}). State in a checkout is no longer believed,"
            " because a commit can bring it. If it is yours, move it when nothing runs:"
            f" {_move(old, left, home)}  If it is not, remove it: {_removal(old)}"
        )


def _holds_state(place: Path) -> bool:
    """Return whether there is anything that counts, by names alone: nothing is opened, and no link is followed."""
    if place.name == "local":
        return os.path.lexists(place / "service.db")
    found = _file_names(place)
    return any(name.endswith(".json") for name in found) if place.name == "journal" else any(True for _ in found)


def _file_names(place: Path) -> Iterator[str]:
    for _, _, names in os.walk(place):
        yield from names


def _move(old: Path, names: list[str], home: Path) -> str:
    if os.name == "nt":
        made = subprocess.list2cmdline(["mkdir", str(home)])
        moves = (subprocess.list2cmdline(["move", str(old / name), str(home / name)]) for name in names)
        return " & ".join([made, *moves])
    sources = shlex.join(str(old / name) for name in names)
    return f"mkdir -p {shlex.quote(str(home))} && mv {sources} {shlex.quote(str(home))}/"


def _removal(old: Path) -> str:
    return f'rmdir /s "{old}"' if os.name == "nt" else f"rm -r {shlex.quote(str(old))}"
