"""Notes in a commit that one ref points to, moved by compare-and-swap: for pipelines that share only git.

    read     ask for the ref; fetch its commit; its tree holds one file for each note
    write    make the new tree and a commit without a parent; move the ref if it still is where it was read
    lost     another run was faster, or the reply was lost: read again

The ref is in the remote `origin` if there is one, else in this repository. A missing ref is an empty journal. Every
commit bears the name of its run and a random word, so no two commits are equal.
"""

import random
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import msgspec

from reconciler.domain.errors import JournalError, UsageError
from reconciler.domain.identity import Stamp
from reconciler.domain.ports import Intent
from reconciler.foundation.git import Git, GitError, GitMissingError
from reconciler.journal.note import MOST_BYTES, JournalAccount, JournalNote, note_name, read_note, write_note

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

_SERVICE = re.compile(r"[a-z0-9-]+")

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 2.0


T = TypeVar("T")


class _NotMovedError(GitError):
    """The ref could not be read, or not be moved from `commit`."""

    def __init__(self, why: str, commit: str) -> None:
        self.commit = commit
        super().__init__(why)


class _State(msgspec.Struct, frozen=True):
    """The commit of the ref, empty when there is none, and its tree: names to objects, names to notes.

    Shape:  `older` are refs of versions before, by name, whose notes are here too; the next write removes these refs
    """

    commit: str = ""
    objects: Mapping[str, str] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    notes: Mapping[str, JournalNote] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    older: Mapping[str, str] = msgspec.field(default_factory=lambda: MappingProxyType({}))


class GitJournal:
    """The journal of one project, behind a git ref. Safe to use from several threads and processes.

    Shape:  `account` is whose jobs are created: notes of accounts that are certainly others are passed over, and stay;
            `older` is a pattern of the refs of versions before, whose notes are taken over
    """

    def __init__(
        self,
        git: Git,
        ref: str,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        try_seconds: float = TRY_SECONDS,
        account: JournalAccount = JournalAccount(),  # noqa: B008 (immutable)
        older: str = "",
    ) -> None:
        self._git = git
        self._ref = ref
        self._clock = clock
        self._sleep = sleep
        self._try_seconds = try_seconds
        self._account = account
        self._older = older
        self._is_shared = _has_remote(git)

    def open_intents(self) -> tuple[Intent, ...]:
        return tuple(note.intent for note in self.notes() if not note.account.is_foreign(self._account))

    def notes(self) -> tuple[JournalNote, ...]:
        """Return every note, of any run and any account."""
        return self._persist(lambda: tuple(self._read().notes.values()))

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        def attempt() -> Intent:
            state = self._read()
            counting = self._counting(state, intent.stamp)
            others = [note.intent for note in counting.values() if note.intent != instead_of]
            kept = {name: at for name, at in state.objects.items() if name not in counting or others}
            if others:
                # Several accounts may be ours while the service does not say which: each is taken over by itself.
                kept = {name: at for name, at in kept.items() if not self._is_note(state, name, instead_of)}
                if kept != state.objects:
                    self._move(state, kept, intent.owner)
                return others[0]
            content = write_note(JournalNote(intent, account=self._account))
            written = self._git.word("hash-object", "-w", "--stdin", given=content)
            self._move(state, {**kept, note_name(intent.stamp, self._account): written}, intent.owner)
            return intent

        return self._persist(attempt)

    def clear(self, intent: Intent) -> None:
        def attempt() -> None:
            state = self._read()
            counting = self._counting(state, intent.stamp)
            kept = {
                name: at
                for name, at in state.objects.items()
                if name not in counting or counting[name].intent != intent
            }
            if kept != state.objects:
                self._move(state, kept, intent.owner)

        self._persist(attempt)

    def _counting(self, state: _State, stamp: Stamp) -> Mapping[str, JournalNote]:
        """Return the notes of a stamp that may be about jobs of our account."""
        of_stamp = ((name, note) for name, note in state.notes.items() if note.intent.stamp == stamp)
        return {name: note for name, note in of_stamp if not note.account.is_foreign(self._account)}

    def _is_note(self, state: _State, name: str, intent: Intent | None) -> bool:
        note = state.notes[name]
        return note.intent == intent and not note.account.is_foreign(self._account)

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
        refs = self._where()
        commit, older = refs.pop(self._ref, ""), refs
        try:
            if self._is_shared and (commit or older):
                # A ref may have moved since. Then another commit comes.
                self._git.run("fetch", *_ONLY_OBJECTS, REMOTE, *([self._ref] if commit else []), *older)
            state = _State(commit, older=older)
            for ref, at in [*older.items(), *([(self._ref, commit)] if commit else [])]:
                objects, notes = self._load(ref, at)
                # What this version wrote counts before what was taken over.
                state = _State(commit, {**state.objects, **objects}, {**state.notes, **notes}, older)
            return state
        except GitError as error:
            raise _NotMovedError(str(error), commit) from error

    def _where(self) -> dict[str, str]:
        """Return the commits of the ref and of the older ones now, by ref; none for a ref that is not there."""
        asking = ("ls-remote", REMOTE) if self._is_shared else ("for-each-ref", "--format=%(objectname)%09%(refname)")
        patterns = [self._ref, *([self._older] if self._older else [])]
        lines = self._git.run(*asking, *patterns).decode("utf-8", "replace").splitlines()
        found = ((ref, name) for name, _, ref in (line.partition("\t") for line in lines))
        return {ref: name for ref, name in found if ref == self._ref or (self._older and self._is_older(ref))}

    def _is_older(self, ref: str) -> bool:
        before, _, after = self._older.partition("*")
        middle = ref.removeprefix(before).removesuffix(after)
        return f"{before}{middle}{after}" == ref and _SERVICE.fullmatch(middle) is not None

    def _load(self, ref: str, commit: str) -> tuple[dict[str, str], dict[str, JournalNote]]:
        objects: dict[str, str] = {}
        for entry in self._git.run("ls-tree", "-z", "-l", commit).decode("utf-8", "replace").split("\0")[:-1]:
            facts, _, name = entry.partition("\t")
            _, kind, at, size = facts.split()
            if kind == "blob" and not size.isdecimal():
                # The repository lost the object; git writes BAD for its size.
                raise GitError(f"git ls-tree: the object {at} of {ref}:{name} is not there")
            if kind != "blob" or int(size) > MOST_BYTES:
                raise self._foreign(ref, name)
            objects[name] = at
        notes: dict[str, JournalNote] = {}
        for name, content in zip(objects, self._contents(tuple(objects.values())), strict=True):
            note = read_note(content, f"{ref}:{name}", self._removal(ref))
            if note_name(note.intent.stamp, note.account) != name:
                raise self._foreign(ref, name)
            notes[name] = note
        return objects, notes

    def _contents(self, objects: Sequence[str]) -> Iterator[bytes]:
        """Yield what objects hold, in their order.

        Raises: GitError when one is not there
        Cost:   one git command, however many there are
        """
        asked = "".join(f"{at}\n" for at in objects).encode()
        written, begins = self._git.run("cat-file", "--batch", given=asked) if objects else b"", 0
        for at in objects:
            ends = written.find(b"\n", begins)
            facts = written[begins : max(ends, begins)].decode("utf-8", "replace").split()
            if len(facts) != 3 or facts[:2] != [at, "blob"]:
                raise GitError(f"git cat-file: object {at} cannot be read")
            begins = ends + 1 + int(facts[2])
            yield written[ends + 1 : begins]
            begins += 1

    def _foreign(self, ref: str, name: str) -> JournalError:
        return JournalError(f"{ref}:{name} is not a note; nothing was sent", self._removal(ref))

    def _removal(self, ref: str) -> str:
        """Return how a ref is removed that holds what is no note. A note in a ref is no file that could be deleted."""
        command = f"git push {REMOTE} :{ref}" if self._is_shared else f"git update-ref -d {ref}"
        return (
            "a run that was killed may still have a create on its way: wait ten minutes, look with 'reconciler jobs'"
            f" for a job that no plan names; only then remove the ref, with all notes in it: {command}, and run again"
        )

    def _move(self, state: _State, objects: Mapping[str, str], owner: str) -> None:
        """Move the ref to the given notes if it still is where it was read. Without notes, delete it.

        Raises: _NotMovedError when it did not move, or that is unknown; reading again shows it
        """
        try:
            commit = self._commit(objects, owner) if objects else ""
            (self._push if self._is_shared else self._update)(state, commit)
        except GitError as error:
            raise _NotMovedError(str(error), state.commit) from error

    def _push(self, state: _State, commit: str) -> None:
        own = [f"{commit}:{self._ref}"] if commit or state.commit else []
        at = {self._ref: state.commit, **state.older}
        leases = [f"--force-with-lease={ref}:{before}" for ref, before in at.items()]
        # Notes that are taken over are never in both places or in none.
        together = ["--atomic"] if state.older else []
        changes = [*own, *(f":{ref}" for ref in state.older)]
        self._git.run("push", "--porcelain", *_NOTHING_ELSE, *together, *leases, REMOTE, *changes)

    def _update(self, state: _State, commit: str) -> None:
        changes = [f"delete {ref} {at}" for ref, at in state.older.items()]
        if commit and state.commit:
            changes.append(f"update {self._ref} {commit} {state.commit}")
        elif commit:
            changes.append(f"create {self._ref} {commit}")
        elif state.commit:
            changes.append(f"delete {self._ref} {state.commit}")
        self._git.run("update-ref", "--no-deref", "--stdin", given="".join(f"{each}\n" for each in changes).encode())

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
