"""Records what an apply changed in models.lock.yaml: as a commit, or as a pull request where that is refused.

    python3 record.py --lock DIRECTORY --to PATH-IN-THE-REPOSITORY --branch BRANCH

The directory holds the lock file as it was in the commit that was applied, and as the apply left it. The difference is
merged onto the lock file of the branch as it is now, and pushed only if the branch has not moved since; an entry that
the branch has changed meanwhile stays. The commit changes this one file. GitHub starts no workflow for a push with
GITHUB_TOKEN, and the workflow's own path filter leaves lock files out, so it does not start itself again.
"""

import argparse
import base64
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from comment import say
from hub import Hub, HubError, shown
from locks import AFTER, NEWEST, NOW, LockFile, LockFileError, Merged, merge, read_lock_file, write_lock_file

MAX_LOCK_BYTES = 16 * 1024 * 1024
ATTEMPTS = 3
NAME, MAIL = "github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"
# Each environment of a project has a lock of its own.
_LOCK_NAME = re.compile(r"models(\.[a-z0-9-]+)?\.lock\.yaml")
_RUN = re.compile(r"^Run: (.*) ([0-9]{1,18})$", re.MULTILINE)
SUBJECT = "models.lock.yaml: record which models answer"
AUTHOR = ("-c", f"user.name={NAME}", "-c", f"user.email={MAIL}", "-c", "commit.gpgSign=false")


class Git:
    """The repository that was checked out; its hooks and helpers are not run."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {**environ, **_authorised(environ), "GIT_TERMINAL_PROMPT": "0"}

    def __call__(self, *arguments: str, may_fail: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run git.

        Raises: HubError when it fails and may not
        """
        fixed = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "safe.bareRepository=explicit")
        done = subprocess.run(  # noqa: S603 -- arguments are a list, no shell reads them
            ["git", *fixed, *arguments],  # noqa: S607 -- the runner's git
            env=self._environ,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode and not may_fail:
            raise HubError(f"git {arguments[0]}: {shown(done.stderr.strip())}")
        return done


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Record the lock; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lock", required=True)
    parser.add_argument("--to", required=True, type=PurePosixPath)
    parser.add_argument("--branch", required=True)
    asked = parser.parse_args(arguments)
    if not asked.lock:
        # The output of an apply that changed no lock file is empty.
        say("notice", "the apply names no lock file that it changed; there is nothing to record")
        return 0
    try:
        lock = Path(asked.lock).absolute()
        to = _enter_repository(Git(environ), asked.to)
        say("notice", record(Git(environ), environ, lock, to, asked.branch))
    except (HubError, LockFileError, OSError) as error:
        say("error", str(error))
        return 1
    return 0


def _enter_repository(git: Git, to: PurePosixPath) -> PurePosixPath:
    """Go to the top of the repository that a lock file lies in; return its path there.

    A workflow may check out into a directory of the workspace.
    """
    if to.is_absolute() or ".." in to.parts:
        return to
    near = next(each for each in Path(to).parents if each.is_dir())
    found = git("-C", str(near), "rev-parse", "--show-prefix", "--show-toplevel", may_fail=True)
    if found.returncode:
        return to
    prefix, top = found.stdout.splitlines()
    inside = PurePosixPath(prefix) / Path(to).relative_to(near)
    os.chdir(top)
    return inside


def record(git: Git, environ: Mapping[str, str], lock: Path, to: PurePosixPath, branch: str) -> str:
    """Bring what changed in a lock file into a branch; return what was done.

    Raises: HubError when neither the push nor the pull request is allowed, or the branch has changed the same entries
    """
    if not lock.exists():
        return "no apply has run to its end; there is nothing to record"
    if not lock.is_dir():
        raise HubError(f"{lock.name} is one file: pass the directory that the output lock of the apply names")
    if to.is_absolute() or ".." in to.parts or not _LOCK_NAME.fullmatch(to.name):
        raise HubError(f"{shown(str(to))} is no place for a lock file")
    before, after = (_read(lock / f"{name}.lock.yaml") for name in ("before", "after"))
    if (place := _read(lock / "path")) != str(to):
        raise HubError(
            f"the apply changed {shown(place)}, and root and environment of this step name {to}; give it those of the"
            " apply"
        )
    if before == after:
        _warn_of_open_one(environ, to, branch)
        return f"the apply changed nothing in {to}; there is nothing to record"
    if git("check-ignore", "--quiet", "--", str(to), may_fail=True).returncode == 0:
        return f"{to} is ignored in this repository, so it is not recorded"
    if not after.strip():
        # An apply writes the head of a lock file also where no model is left.
        raise HubError("the lock file after the apply is empty, so it was cut; nothing is recorded: run apply again")
    change = (_parse(before, "the lock file before the apply"), _parse(after, "the lock file after the apply"))
    for _ in range(ATTEMPTS):
        found = _merged(git, change, to, branch)
        said = _push(git, environ, found.file, change, to, branch)
        if said and found.conflicts:
            raise HubError(
                f"{', '.join(sorted(set(found.conflicts)))}: {branch} has another entry in {to} than the commit"
                f" that was applied, so its own stays; run apply on the newest commit of {branch}. Otherwise: {said}"
            )
        if said:
            return said
    raise HubError(f"{branch} moved {ATTEMPTS} times while {to} was being recorded; run this job again")


def _merged(git: Git, change: tuple[LockFile, LockFile], to: PurePosixPath, branch: str) -> Merged:
    """Take the newest state of the branch into the work tree; return its lock file with the change in it."""
    git("fetch", "--quiet", "--depth=1", "origin", f"refs/heads/{branch}")
    git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
    target = Path(to)
    if any(each.is_symlink() for each in (target, *target.parents)):
        raise HubError(f"{to} is a link, or lies behind one")
    return merge(*change, _parse(_read(target) if target.exists() else "", f"{to} on {branch}"))


def _push(
    git: Git,
    environ: Mapping[str, str],
    file: LockFile,
    change: tuple[LockFile, LockFile],
    to: PurePosixPath,
    branch: str,
) -> str:
    """Commit and push a lock file; return what was done, or nothing when the branch has moved."""
    if not _commit(git, write_lock_file(file), to, f"{SUBJECT} [skip ci]"):
        return f"{to} is as it was; there is nothing to record"
    pushed = git("push", "--porcelain", "origin", f"HEAD:refs/heads/{branch}", may_fail=True)
    if pushed.returncode == 0:
        return f"{to} was recorded on {branch}"
    if "rejected]" in pushed.stdout:
        base, head = git("rev-parse", "HEAD^"), git("ls-remote", "origin", f"refs/heads/{branch}")
        # A server may notice only when it takes the commit that the branch has moved meanwhile.
        if base.stdout.strip() != head.stdout.partition("\t")[0]:
            return ""
        return _ask_for(git, Hub(environ), file, to, branch, _run_of(environ))
    raise HubError(f"git push: {shown(pushed.stderr.strip())}")


def _commit(git: Git, text: str, to: PurePosixPath, subject: str, *more: str) -> bool:
    """Commit the lock file; whether there was anything to commit."""
    target = Path(to)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8", newline="\n")
    git("add", "--", str(to))
    if not more and git("diff", "--cached", "--quiet", "--", str(to), may_fail=True).returncode == 0:
        return False
    git(*AUTHOR, "commit", "--quiet", "--no-verify", *more, "--message", subject, "--", str(to))
    return True


def _ask_for(git: Git, hub: Hub, file: LockFile, to: PurePosixPath, branch: str, run: str) -> str:
    """Push to a branch of our own and open a pull request for it, or add to the one that is open.

    What an open one asks for already is kept, unless a later run of the workflow found something else.

    """
    own = _own_branch(to, branch)
    opened = _find_open(hub, own, branch)
    fetched = git("fetch", "--quiet", "--depth=2", "origin", f"refs/heads/{own}", may_fail=True)
    lease = git("rev-parse", "FETCH_HEAD").stdout.strip() if fetched.returncode == 0 else ""
    kept = list[str]()
    if opened and lease:
        earlier, pending = (_parse(_show(git, f"FETCH_HEAD{up}:{to}"), f"{to} on {own}") for up in ("^", ""))
        before = _run_in(git("log", "-1", "--format=%B", "FETCH_HEAD").stdout)
        winner = _find_winner(before, run)
        merged = merge(earlier, pending, file, winner=winner)
        if winner == AFTER:
            kept = sorted({key[0] for key, entry in file.entries.items() if merged.file.entries.get(key) != entry})
            run = before
        file = merged.file
    # The checks that protect a branch must run on what is asked for, so here the commit does not skip them.
    _commit(git, write_lock_file(file), to, f"{SUBJECT}\n\n{run}", "--amend")
    git("push", "--quiet", f"--force-with-lease=refs/heads/{own}:{lease}", "origin", f"HEAD:refs/heads/{own}")
    if opened and kept:
        return f"pull request {opened['number']} has the entries of a later apply for {', '.join(kept)}; they stay"
    if opened:
        return f"{branch} is protected; pull request {opened['number']} has the new {to}"
    body = f"`{to}` says which models answer after the last apply. {branch} is protected, so it comes this way."
    made = hub.post("/pulls", {"title": f"Record {to}", "head": own, "base": branch, "body": body})
    return f"{branch} is protected; pull request {made['number']} was opened for {to}"


def _own_branch(to: PurePosixPath, branch: str) -> str:
    """Return the name of the branch that asks; each environment has its own, so that none replaces another's."""
    environment = to.name.removeprefix("models").removesuffix(".lock.yaml").replace(".", "-")
    return "reconciler/" + re.sub(r"[^A-Za-z0-9]+", "-", f"lock-{branch}-{to.parent}{environment}").strip("-")


def _find_open(hub: Hub, own: str, branch: str) -> dict[str, Any] | None:
    return next(iter(hub.every("/pulls", state="open", head=f"{hub.owner}:{own}", base=branch)), None)


def _warn_of_open_one(environ: Mapping[str, str], to: PurePosixPath, branch: str) -> None:
    """Say that the pull request of an earlier apply still waits: what it asks for may be no longer wanted."""
    try:
        opened = _find_open(Hub(environ), _own_branch(to, branch), branch)
    except HubError:
        # A job that never asks for a pull request may not be allowed to look for one.
        return
    if opened:
        say("warning", f"pull request {opened['number']} of an earlier apply is still open; close it if {to} is right")


def _run_of(environ: Mapping[str, str]) -> str:
    """Return the line that names a run of a workflow; its number stays the same when it is run again."""
    workflow = " ".join(environ.get("GITHUB_WORKFLOW", "").split())
    return f"Run: {workflow} {environ.get('GITHUB_RUN_NUMBER', '')}".strip()


def _run_in(message: str) -> str:
    found = _RUN.search(message)
    return found[0] if found else ""


def _find_winner(pending: str, run: str) -> str:
    """Return whose entries stay: those of the later run of a workflow, else those whose jobs finished last."""
    one, other = (_RUN.fullmatch(each) for each in (pending, run))
    if one is None or other is None or one[1] != other[1]:
        return NEWEST
    return AFTER if int(one[2]) > int(other[2]) else NOW


def _show(git: Git, name: str) -> str:
    return git("show", name, may_fail=True).stdout


def _parse(text: str, what: str) -> LockFile:
    try:
        return read_lock_file(text)
    except LockFileError as error:
        raise HubError(f"{what} is not as reconciler writes it ({error}); mend it, and run this again") from error


def _read(lock: Path) -> str:
    if lock.is_symlink() or not lock.is_file():
        raise HubError(f"{lock.name} is no regular file")
    with lock.open("rb") as file:
        content = file.read(MAX_LOCK_BYTES + 1)
    if len(content) > MAX_LOCK_BYTES:
        raise HubError(f"{lock.name} has more than {MAX_LOCK_BYTES} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise HubError(f"{lock.name} is not UTF-8") from error


def _authorised(environ: Mapping[str, str]) -> dict[str, str]:
    """Hand the token to git for GitHub's address only, by the environment: arguments can be read by everybody."""
    token, server = environ.get("GITHUB_TOKEN"), environ.get("GITHUB_SERVER_URL")
    if not (token and server):
        return {}
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{server}/.extraheader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
