"""Choosing a journal: what each kind is opened as, and what is refused before anything is done."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import UsageError
from reconciler.domain.ports import Capabilities, Journal
from reconciler.journal import JournalAccount, JournalKind, JournalScope, check_journal, open_journal
from reconciler.providers import PROFILES, open_provider
from reconciler.testing import MemoryProvider
from tests.journal.stores import BOUNDS, environ, git, note
from tests.simulation import Clock


def used(kind: JournalKind, place: Path, service: MemoryProvider | None = None) -> list[str]:
    """Put a note and look what is there before it is cleared again."""
    clock = Clock()
    git(place, "init", "-q")
    scope = JournalScope(
        account=JournalAccount(organization="org-one"),
        project="acme",
        home=place / "home",
        make_home=lambda: (place / "home").mkdir(exist_ok=True),
        workspace=place,
        environ=environ(place),
    )
    provider = service or MemoryProvider(clock=clock, capabilities=BOUNDS)
    with open_journal(kind, provider, scope, clock=clock, sleep=clock.sleep) as journal:
        opened: Journal = journal
        assert opened.put(note("mine")) == note("mine")
        refs = git(place, "for-each-ref", "--format=%(refname)")
        paths = sorted(path.relative_to(place).as_posix() for path in (place / "home").rglob("*.json"))
        opened.clear(note("mine"))
        return [*refs.split(), *paths]


def test_a_directory_and_a_ref_are_of_one_project_whatever_the_address_of_its_service(tmp_path: Path) -> None:
    (path,) = used(JournalKind.DIRECTORY, tmp_path / "directory")
    assert path.startswith("home/intents/acme/notes/model.")
    assert used(JournalKind.GIT, tmp_path / "git") == ["refs/reconciler/intents/acme"]
    assert used(JournalKind.REMOTE, tmp_path / "remote") == []


def test_a_service_without_notes_that_expire_is_refused() -> None:
    with pytest.raises(UsageError, match=r"profile memory.*RECONCILER_JOURNAL, to directory, or to git"):
        check_journal(JournalKind.REMOTE, MemoryProvider())
    legacy = {"OPENAI_API_BASE": "http://127.0.0.1:1", "OPENAI_API_KEY": "key-of-a-test"}
    with open_provider("openai-legacy", project="acme", environ=legacy) as provider:
        check_journal(JournalKind.DIRECTORY, provider)
        with pytest.raises(UsageError, match="openai-legacy"):
            check_journal(JournalKind.REMOTE, provider)


def test_a_note_that_would_count_too_late_to_send_on_is_refused() -> None:
    late = Capabilities(keeps_notes=True, fresh_seconds=60.0, list_lag_seconds=28.0)
    with pytest.raises(UsageError, match="--bound fresh="):
        check_journal(JournalKind.REMOTE, MemoryProvider(capabilities=late))
    check_journal(JournalKind.REMOTE, MemoryProvider(capabilities=replace(late, list_lag_seconds=27.0)))


@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if profile.capabilities.keeps_notes])
def test_every_profile_that_keeps_notes_has_time_for_them(name: str) -> None:
    check_journal(JournalKind.REMOTE, MemoryProvider(capabilities=PROFILES[name].capabilities))
