"""Brings a changed models.lock.yaml back into the repository: as a commit, or as a pull request where that is refused.

    python3 record.py --lock FILE --to PATH-IN-THE-REPOSITORY --branch BRANCH

The commit is made on the newest state of the branch and changes this one file. GitHub starts no workflow for a push
with GITHUB_TOKEN, and the workflow's own path filter leaves lock files out, so it does not start itself again.
"""

import argparse
import base64
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from comment import say
from hub import Hub, HubError, shown

MAX_LOCK_BYTES = 16 * 1024 * 1024
ATTEMPTS = 3
NAME, MAIL = "github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"
# Each environment of a project has a lock of its own.
_LOCK_NAME = re.compile(r"models(\.[a-z0-9-]+)?\.lock\.yaml")
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
        fixed = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
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
    parser.add_argument("--lock", required=True, type=Path)
    parser.add_argument("--to", required=True, type=PurePosixPath)
    parser.add_argument("--branch", required=True)
    asked = parser.parse_args(arguments)
    try:
        say("notice", record(Git(environ), environ, asked.lock, asked.to, asked.branch))
    except (HubError, OSError) as error:
        say("error", str(error))
        return 1
    return 0


def record(git: Git, environ: Mapping[str, str], lock: Path, to: PurePosixPath, branch: str) -> str:
    """Bring a lock file into a branch; return what was done.

    Raises: HubError when neither the push nor the pull request is allowed
    """
    if not lock.exists():
        return "no lock file was written; there is nothing to record"
    content = _read(lock)
    if to.is_absolute() or ".." in to.parts or not _LOCK_NAME.fullmatch(to.name):
        raise HubError(f"{shown(str(to))} is no place for a lock file")
    if git("check-ignore", "--quiet", "--", str(to), may_fail=True).returncode == 0:
        return f"{to} is ignored in this repository, so it is not recorded"
    for _ in range(ATTEMPTS):
        if not _committed(git, content, to, branch):
            return f"{to} is as it was; there is nothing to record"
        pushed = git("push", "--porcelain", "origin", f"HEAD:refs/heads/{branch}", may_fail=True)
        if pushed.returncode == 0:
            return f"{to} was recorded on {branch}"
        if "[remote rejected]" in pushed.stdout:
            return _asked_for(git, Hub(environ), to, branch)
        if "[rejected]" not in pushed.stdout:
            raise HubError(f"git push: {shown(pushed.stderr.strip())}")
    raise HubError(f"{branch} moved {ATTEMPTS} times while {to} was being recorded; run this job again")


def _committed(git: Git, content: bytes, to: PurePosixPath, branch: str) -> bool:
    """Commit the lock on the newest state of the branch; whether there was anything to commit."""
    git("fetch", "--quiet", "--depth=1", "origin", f"refs/heads/{branch}")
    git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
    target = Path(to)
    if any(each.is_symlink() for each in (target, *target.parents)):
        raise HubError(f"{to} is a link, or lies behind one")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    git("add", "--", str(to))
    if git("diff", "--cached", "--quiet", "--", str(to), may_fail=True).returncode == 0:
        return False
    git(*AUTHOR, "commit", "--quiet", "--no-verify", "--message", f"{SUBJECT} [skip ci]", "--", str(to))
    return True


def _asked_for(git: Git, hub: Hub, to: PurePosixPath, branch: str) -> str:
    """Push to a branch of our own and open a pull request for it, or refresh the one that is open."""
    # The checks that protect a branch must run on what is asked for, so here the commit does not skip them.
    git(*AUTHOR, "commit", "--quiet", "--amend", "--no-verify", "--message", SUBJECT)
    own = "reconciler/" + re.sub(r"[^A-Za-z0-9]+", "-", f"lock-{branch}-{to.parent}").strip("-")
    git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{own}")
    for each in hub.every("/pulls", state="open", head=f"{hub.owner}:{own}", base=branch):
        return f"{branch} is protected; pull request {each['number']} has the new {to}"
    body = f"`{to}` says which models answer after the last apply. {branch} is protected, so it comes this way."
    made = hub.post("/pulls", {"title": f"Record {to}", "head": own, "base": branch, "body": body})
    return f"{branch} is protected; pull request {made['number']} was opened for {to}"


def _read(lock: Path) -> bytes:
    if lock.is_symlink() or not lock.is_file():
        raise HubError(f"{lock.name} is no regular file")
    with lock.open("rb") as file:
        content = file.read(MAX_LOCK_BYTES + 1)
    if len(content) > MAX_LOCK_BYTES:
        raise HubError(f"{lock.name} has more than {MAX_LOCK_BYTES} bytes")
    return content


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
