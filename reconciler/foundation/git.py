"""Run git commands that start no hook, monitor, filter or prompt, each with a deadline. Errors speak of git only."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

CALL_SECONDS = 30.0

_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "protocol.ext.allow=never",
    "credential.interactive=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
# Git sets these while a hook runs. They would lead to another repository than the one of the directory.
_OTHER_REPOSITORY = frozenset(
    {
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_COMMON_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_GRAFT_FILE",
        "GIT_SHALLOW_FILE",
        "GIT_REPLACE_REF_BASE",
    }
)
_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GCM_INTERACTIVE": "never",
    "LC_ALL": "C",
}
_AUTHOR = "reconciler"
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


class GitError(Exception):
    """A git command failed or did not end. What it did before that is unknown."""


class GitMissingError(GitError):
    """The git program cannot be run."""


class GitTimeoutError(GitError):
    """A git command did not end in time, and was killed."""


class Git:
    """The repository around a directory. Only for plumbing commands: the index and the work tree are never touched.

    Raises: GitMissingError when there is no git program
    """

    def __init__(self, directory: Path, environ: Mapping[str, str], call_seconds: float = CALL_SECONDS) -> None:
        program = shutil.which("git", path=environ.get("PATH"))
        if program is None:
            raise GitMissingError("git is missing: there is no git program in PATH")
        self._command = (program, "--no-pager", *(word for setting in _SETTINGS for word in ("-c", setting)))
        self.directory = directory
        self._call_seconds = call_seconds
        self._environ = {
            **{name: value for name, value in environ.items() if name not in _OTHER_REPOSITORY},
            **_QUIET,
            **{f"GIT_{role}_NAME": _AUTHOR for role in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{role}_EMAIL": f"{_AUTHOR}@localhost" for role in ("AUTHOR", "COMMITTER")},
        }

    def run(self, *arguments: str, given: bytes = b"", out: BinaryIO | None = None) -> bytes:
        """Run one command. Return what it wrote, or nothing when that goes into the open file `out`.

        Raises: GitError with the line of git's output that says why
        """
        # The last option before the command is always a word of git's own, such as --literal-pathspecs.
        name = next((word for word in arguments if not word.startswith("-")), "")
        try:
            # In a session of its own, git has no terminal to ask on, and Ctrl-C does not interrupt it in the middle.
            process = subprocess.Popen(  # noqa: S603 (no shell, and every argument is ours)
                [*self._command, *arguments],
                cwd=self.directory,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=out or subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise GitMissingError(f"git {name} cannot be run: {error.strerror}") from error
        with process:
            try:
                written, errors = process.communicate(given, timeout=self._call_seconds)
            except subprocess.TimeoutExpired as error:
                _kill_group(process)
                raise GitTimeoutError(f"git {name} did not end within {self._call_seconds:g} seconds") from error
            except BaseException:
                _kill_group(process)
                raise
        if process.returncode:
            why = _reason(errors) or _reason(written or b"") or f"exit code {process.returncode}"
            raise GitError(f"git {name}: {why}")
        return written or b""

    def word(self, *arguments: str, given: bytes = b"") -> str:
        """Run one command that writes one word, such as the name of an object. Return the word."""
        return self.run(*arguments, given=given).decode("ascii", "replace").strip()

    def has_remote(self, name: str) -> bool:
        """Return whether the repository has a remote of that name.

        Raises: GitError when there is no repository
        """
        return name in self.run("remote").decode("utf-8", "replace").splitlines()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End a git command and its child processes, which would keep its pipes open."""
    if os.name == "nt":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _reason(output: bytes) -> str:
    """Return the most useful line of git's output, without credentials."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    marked = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote:"))]
    return _CREDENTIALS.sub("", (marked or lines or [""])[0])
