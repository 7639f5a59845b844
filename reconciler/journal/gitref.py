"""Notes in a commit that one ref points to, moved by compare-and-swap: for pipelines that share only git.

    read     ask for the ref; fetch its commit; its tree holds one file for each note
    write    make the new tree and a commit without a parent; move the ref if it still is where it was read
    lost     another run was faster, or the reply was lost: read again

The ref is in the remote `origin` if there is one, else in this repository. A missing ref is an empty journal. Every
commit bears the name of its run and a random word, so no two commits are equal.
"""

import random
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import msgspec

from reconciler.domain.errors import JournalError, UsageError
from reconciler.domain.identity import Stamp
from reconciler.domain.ports import Intent
from reconciler.foundation.git import Git, GitError, GitMissingError
from reconciler.journal.note import MOST_BYTES, JournalNote, note_name, read_note, write_note

REMOTE = "origin"
TRY_SECONDS = 60.0
UNMOVED_TRIES = 4
"""How often a write may fail while the ref stays where it is, before the error of git is believed."""

_ONLY_OBJECTS = (
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-filter",
    "--no-prune",
    "--no-recurse-submodules",
)
"""Fetch objects, and change nothing else. They are small, so all of them come at once."""

_NOTHING_ELSE = ("--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no")

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 2.0


T = TypeVar("T")


class _NotMovedError(GitError):
    """The ref could not be read, or not be moved from `commit`."""

    def __init__(self, why: str, commit: str) -> None:
        self.commit = commit
        super().__init__(why)


class _State(msgspec.Struct, frozen=True):
    """The commit of the ref, empty when there is none, and its tree: names to objects, stamps to intents."""

    commit: str = ""
    objects: Mapping[str, str] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    notes: Mapping[Stamp, Intent] = msgspec.field(default_factory=lambda: MappingProxyType({}))


class GitJournal:
    """The journal of one project on one service, behind a git ref. Safe to use from several threads and processes."""

    def __init__(
        self,
        git: Git,
        ref: str,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        try_seconds: float = TRY_SECONDS,
    ) -> None:
        self._git = git
        self._ref = ref
        self._clock = clock
        self._sleep = sleep
        self._try_seconds = try_seconds
        self._is_shared = _has_remote(git)

    def open_intents(self) -> tuple[Intent, ...]:
        return self._persist(lambda: tuple(self._read().notes.values()))

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        def attempt() -> Intent:
            state = self._read()
            current = state.notes.get(intent.stamp)
            if current is not None and current != instead_of:
                return current
            content = self._git.word("hash-object", "-w", "--stdin", given=write_note(JournalNote(intent)))
            self._move(state, {**state.objects, note_name(intent.stamp): content}, intent.owner)
            return intent

        return self._persist(attempt)

    def clear(self, intent: Intent) -> None:
        def attempt() -> None:
            state = self._read()
            if state.notes.get(intent.stamp) == intent:
                name = note_name(intent.stamp)
                self._move(state, {each: at for each, at in state.objects.items() if each != name}, intent.owner)

        self._persist(attempt)

    def is_abandoned(self, intent: Intent) -> bool:
        return False

    def _persist(self, attempt: Callable[[], T]) -> T:
        """Try again while other runs move the ref.

        Raises: JournalError when it stays impossible, or other runs were faster until the time was over
        """
        deadline, wait_seconds = self._clock() + self._try_seconds, _FIRST_WAIT
        commit, tries = "", 0
        while True:
            try:
                return attempt()
            except GitError as error:
                before, commit = commit, error.commit if isinstance(error, _NotMovedError) else ""
                tries = tries + 1 if commit == before else 1
                if tries >= UNMOVED_TRIES or self._clock() >= deadline:
                    raise self._unusable(str(error)) from error
            # Runs that failed at the same moment must not try again at the same moment.
            self._sleep(random.uniform(wait_seconds / 2, wait_seconds))  # noqa: S311 (nothing secret about it)
            wait_seconds = min(wait_seconds * 2, _LONGEST_WAIT)

    def _unusable(self, why: str) -> JournalError:
        where = f"{self._ref} at {REMOTE}" if self._is_shared else self._ref
        return JournalError(
            f"the journal {where} cannot be used: {why}; nothing was sent",
            f"check that this machine may read and write {self._ref}, and run again",
        )

    def _read(self) -> _State:
        commit = self._where()
        if not commit:
            return _State()
        try:
            if self._is_shared:
                # The ref may have moved since. Then another commit comes.
                self._git.run("fetch", *_ONLY_OBJECTS, REMOTE, self._ref)
            return self._load(commit)
        except GitError as error:
            raise _NotMovedError(str(error), commit) from error

    def _where(self) -> str:
        """Return the commit of the ref now; empty when there is no ref."""
        asking = ("ls-remote", REMOTE) if self._is_shared else ("for-each-ref", "--format=%(objectname)%09%(refname)")
        lines = self._git.run(*asking, self._ref).decode("utf-8", "replace").splitlines()
        return next((name for name, _, ref in (line.partition("\t") for line in lines) if ref == self._ref), "")

    def _load(self, commit: str) -> _State:
        objects: dict[str, str] = {}
        notes: dict[Stamp, Intent] = {}
        for entry in self._git.run("ls-tree", "-z", "-l", commit).decode("utf-8", "replace").split("\0")[:-1]:
            facts, _, name = entry.partition("\t")
            _, kind, at, size = facts.split()
            where = f"{self._ref}:{name}"
            if kind != "blob" or int(size) > MOST_BYTES:
                raise self._foreign(where)
            intent = read_note(self._git.run("cat-file", "blob", at), where).intent
            if note_name(intent.stamp) != name:
                raise self._foreign(where)
            objects[name], notes[intent.stamp] = at, intent
        return _State(commit, objects, notes)

    def _foreign(self, where: str) -> JournalError:
        ref = f"git push {REMOTE} :{self._ref}" if self._is_shared else f"git update-ref -d {self._ref}"
        return JournalError(
            f"{where} is not a note; nothing was sent",
            f"when no run is active any more, remove the ref with {ref}, and run again",
        )

    def _move(self, state: _State, objects: Mapping[str, str], owner: str) -> None:
        """Move the ref to the given notes if it still is where it was read. Without notes, delete it.

        Raises: _NotMovedError when it did not move, or that is unknown; reading again shows it
        """
        try:
            commit = self._commit(objects, owner) if objects else ""
            if self._is_shared:
                lease = f"--force-with-lease={self._ref}:{state.commit}"
                self._git.run("push", "--porcelain", *_NOTHING_ELSE, lease, REMOTE, f"{commit}:{self._ref}")
            elif commit:
                self._git.run("update-ref", "--no-deref", self._ref, commit, state.commit)
            else:
                self._git.run("update-ref", "--no-deref", "-d", self._ref, state.commit)
        except GitError as error:
            raise _NotMovedError(str(error), state.commit) from error

    def _commit(self, objects: Mapping[str, str], owner: str) -> str:
        entries = "".join(f"100644 blob {at}\t{name}\0" for name, at in sorted(objects.items()))
        tree = self._git.word("mktree", "-z", given=entries.encode())
        return self._git.word("commit-tree", tree, given=f"{owner} {secrets.token_hex(8)}\n".encode())


def open_git(workspace: Path, environ: Mapping[str, str]) -> Git:
    """Return git for the repository that holds the journal.

    Raises: UsageError when there is no git program
    """
    try:
        return Git(workspace, environ)
    except GitMissingError as error:
        raise UsageError(f"--journal git: {error}") from error


def _has_remote(git: Git) -> bool:
    try:
        git.word("rev-parse", "--git-dir")
    except GitError as error:
        raise UsageError(f"--journal git: {git.directory} is in no repository that can be used: {error}") from error
    try:
        return git.has_remote(REMOTE)
    except GitError as error:
        raise JournalError(f"the remotes of {git.directory} cannot be read: {error}; nothing was sent") from error
