"""Lists whose status or whose end cannot be believed are doubted, and read to an end."""

from collections.abc import Callable

import httpx
import msgspec
import pytest

from reconciler.domain.errors import MalformedError
from reconciler.domain.observed import FileId
from reconciler.providers import HttpProvider, open_provider
from reconciler.providers.http import ListWarnings, paging
from reconciler.providers.http.paging import MOST_LAST_PAGES, walk
from tests.factories import a_model
from tests.providers.fake_service import FakeService
from tests.providers.fakes import Clock
from tests.providers.openai_legacy.fake import OldService

PARTS = (201, 202, 203, 206, 207, 226)
"""Statuses of success that do not say that the answer is all that was asked for."""


def change_status(service: FakeService | OldService, ending: str, status: int) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        answer = service.handle(request)
        if request.method == "GET" and request.url.path.endswith(ending):
            answer.status_code = status
        return answer

    return httpx.MockTransport(handle)


def open_over(transport: httpx.BaseTransport, name: str = "openai") -> HttpProvider:
    clock = Clock()
    environ = {"OPENAI_API_KEY": "key-of-a-test", "OPENAI_API_BASE": "http://127.0.0.1:8000/v1"}
    return open_provider(name, project="acme", environ=environ, transport=transport, clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize("status", PARTS)
@pytest.mark.parametrize(
    ("ending", "what"), [("/files", "files"), ("/fine_tuning/jobs", "jobs"), ("/models", "models")]
)
def test_only_the_status_200_stands_for_a_whole_list(ending: str, what: str, status: int) -> None:
    doubts = open_over(change_status(FakeService(), ending, status)).observe().list_warnings
    assert doubts == (f"the list of {what} came with the status {status}, which may stand for a part",)


@pytest.mark.parametrize("status", PARTS)
def test_a_list_of_jobs_of_another_status_creates_nothing(status: int) -> None:
    provider = open_over(change_status(FakeService(), "/fine_tuning/jobs", status))
    with pytest.raises(MalformedError, match=f"the status {status}"):
        provider.jobs_of(a_model().stamp)
    with pytest.raises(MalformedError, match=f"the status {status}"):
        provider.unmarked_jobs()


@pytest.mark.parametrize("status", PARTS)
@pytest.mark.parametrize(("ending", "what"), [("/files", "files"), ("/fine-tunes", "fine-tunes")])
def test_the_lists_of_an_old_server_count_with_200_only(ending: str, what: str, status: int) -> None:
    doubts = open_over(change_status(OldService(), ending, status), "openai-legacy").observe().list_warnings
    assert f"the list of {what} came with the status {status}, which may stand for a part" in doubts


def test_content_of_another_status_is_not_the_content() -> None:
    service = FakeService()
    file = FileId(service.add_file("notes.txt", b"one\n"))
    with pytest.raises(MalformedError, match="the status 206"):
        list(open_over(change_status(service, "/content", 206)).content(file))


def make_list(
    *, has_more: Callable[[int], bool | None]
) -> tuple[Callable[[str | None], paging.Page], list[str | None]]:
    """Return a list without an end, of ten new entries a page, and the questions that it was asked."""
    asked: list[str | None] = []

    def fetch(after: str | None) -> paging.Page:
        asked.append(after)
        items = tuple((f"{len(asked)}-{place}", msgspec.Raw(b"{}")) for place in range(10))
        return paging.Page(items=items, has_more=has_more(len(asked)))

    return fetch, asked


def test_a_list_whose_every_page_is_the_last_is_read_to_an_end_and_doubted() -> None:
    fetch, asked = make_list(has_more=lambda _: False)
    warnings = ListWarnings()
    assert len(list(walk("jobs", 100, fetch, warnings))) == 10 * MOST_LAST_PAGES
    assert warnings.words == [f"the list of jobs does not end after {10 * MOST_LAST_PAGES} entries"]
    assert len(asked) == MOST_LAST_PAGES


def test_a_list_that_says_by_turns_that_it_ends_is_read_to_an_end_too() -> None:
    fetch, asked = make_list(has_more=lambda page: bool(page % 2))
    warnings = ListWarnings()
    list(walk("jobs", 100, fetch, warnings))
    assert warnings.words == [f"the list of jobs does not end after {20 * MOST_LAST_PAGES} entries"]
    assert len(asked) == 2 * MOST_LAST_PAGES
