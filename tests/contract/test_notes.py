"""Notes on a service: the same promises of the one in memory and of the built-in one, through its real application."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.domain.observed import FileId
from reconciler.domain.ports import Done, Notes, Refused
from reconciler.providers import open_provider
from reconciler.service import ServiceSettings, open_service
from reconciler.testing import MemoryProvider
from tests.contract.services import PROJECT
from tests.service.service_fixtures import ECHO, dismiss

NAME = "reconciler-note.822b33ad87c1.model.triage.json"


@pytest.fixture(params=["memory", "local"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Notes]:
    if request.param == "memory":
        yield MemoryProvider()
        return
    store = tmp_path / "store"
    app = open_service(store, ServiceSettings(engines=ECHO))
    with open_provider("local", project=PROJECT, environ={}, app=app) as provider:
        yield provider
    dismiss(store)


def test_a_note_is_left_listed_and_taken_away(service: Notes) -> None:
    assert service.notes() == ()
    left = service.leave_note(NAME, b"{}", 3600)
    assert isinstance(left, Done)
    assert left.value.name == NAME
    assert service.notes() == (left.value,)
    assert isinstance(service.remove_note(left.value.id), Done)
    assert service.notes() == ()


def test_a_note_that_is_gone_counts_as_taken_away(service: Notes) -> None:
    assert isinstance(service.remove_note(FileId("file-nothing")), Done)


def test_each_note_is_a_file_of_its_own(service: Notes) -> None:
    ids = {left.value.id for _ in range(2) if isinstance(left := service.leave_note(NAME, b"{}", 3600), Done)}
    assert {note.id for note in service.notes()} == ids
    assert len(ids) == 2


def test_a_note_goes_by_itself_and_is_no_dataset(tmp_path: Path) -> None:
    store = tmp_path / "store"
    app = open_service(store, ServiceSettings(engines=ECHO))
    with open_provider("local", project=PROJECT, environ={}, app=app) as provider:
        left = provider.leave_note(NAME, b"{}", 3600)
        assert isinstance(left, Done)
        held = provider.file(left.value.id)
        assert (held.purpose, held.stamp) == ("user_data", None)
        assert held.created_at is not None
        assert held.expires_at == held.created_at + 3600
        assert provider.observe().files == ()
        assert isinstance(provider.leave_note(NAME, b"{}", 60), Refused), "shorter than the service takes"
    dismiss(store)
