"""Runs git where nobody's hooks, monitors or prompts come in, each call with a deadline. Knows nothing of notes."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.domain.errors import JournalError, UsageError

CALL_SECONDS = 30.0

_QUIET = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "protocol.ext.allow=never",
    "credential.interactive=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
_ELSEWHERE = frozenset(
    {
        # Set while a hook runs, and they would lead to another repository than the one that was asked for.
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_COMMON_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
    }
)
_WHO = "reconciler"
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


class GitError(Exception):
    """A call of git failed, or had no end; nothing is said of what it did before that."""


class Git:
    """The repository around a directory, for plumbing only: no index and no work tree is ever touched."""

    def __init__(self, directory: Path, environ: Mapping[str, str], call_seconds: float = CALL_SECONDS) -> None:
        found = shutil.which("git", path=environ.get("PATH"))
        if found is None:
            raise UsageError("--journal git needs the git program, and none is in PATH")
        self._program = found
        self._directory = directory
        self._call_seconds = call_seconds
        self._environ = {
            **{name: value for name, value in environ.items() if name not in _ELSEWHERE},
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GCM_INTERACTIVE": "never",
            "LC_ALL": "C",
            **{f"GIT_{role}_NAME": _WHO for role in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{role}_EMAIL": f"{_WHO}@localhost" for role in ("AUTHOR", "COMMITTER")},
        }

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run one command; gives what it wrote.

        Raises: GitError with git's own last words
        """
        command = [self._program, *(word for each in _QUIET for word in ("-c", each)), *arguments]
        try:
            # In a session of its own it has no terminal to ask on, and Ctrl-C does not cut it off in the middle.
            process = subprocess.Popen(  # noqa: S603 (no shell; every argument is ours)
                command,
                cwd=self._directory,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise GitError(f"git {arguments[0]} cannot be run: {error.strerror}") from error
        with process:
            try:
                written, said = process.communicate(given, timeout=self._call_seconds)
            except subprocess.TimeoutExpired as error:
                _end(process)
                raise GitError(f"git {arguments[0]} had no end within {self._call_seconds:g} seconds") from error
            except BaseException:
                _end(process)
                raise
        if process.returncode:
            raise GitError(f"git {arguments[0]}: {_last_words(said) or _last_words(written) or 'failed'}")
        return written

    def word(self, *arguments: str, given: bytes = b"") -> str:
        """Run one command that writes one word, such as the name of an object."""
        return self.run(*arguments, given=given).decode("ascii", "replace").strip()

    def has_remote(self, name: str) -> bool:
        """Return whether the repository knows a remote.

        Raises: UsageError when there is no repository
        """
        try:
            self.run("rev-parse", "--git-dir")
        except GitError as error:
            raise UsageError(
                f"--journal git: {self._directory} is in no repository that can be used: {error}"
            ) from error
        try:
            return name in self.run("remote").decode("utf-8", "replace").splitlines()
        except GitError as error:
            raise JournalError(f"the remotes of {self._directory} cannot be read: {error}; nothing was sent") from error


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a call and what it has called, which would keep its pipes open."""
    if os.name == "nt":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _last_words(said: bytes) -> str:
    """Return the line that says most of what git wrote, without anybody's credentials."""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote:"))]
    return _CREDENTIALS.sub("", (telling or lines or [""])[0])
