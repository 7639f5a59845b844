"""A service that needs rows in another form: its bytes differ from ours, and our digests stay valid."""

import json
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from reconciler.domain.observed import UsableFiles
from reconciler.domain.ports import Done
from reconciler.providers import HttpProvider, open_provider
from reconciler.providers.http import FileRules
from reconciler.testing import dataset_of, rows_of
from tests.providers.fake_service import FakeService
from tests.toy_service.dialect import DIALECT, TOY
from tests.toy_service.translation import ToyTranslator


def write_pairs(blocks: Iterator[bytes]) -> Iterator[bytes]:
    for line in b"".join(blocks).splitlines():
        row = json.loads(line)
        yield json.dumps([row["prompt"], row["completion"]]).encode() + b"\n"


PAIRS = replace(DIALECT, name="pairs", files=FileRules(encode_rows=write_pairs))
PROFILE = replace(TOY, name="pairs", dialect=f"{__name__}:PAIRS")
ROWS = rows_of("hello")


def opened(service: FakeService) -> HttpProvider:
    transport = ToyTranslator(service.transport)
    return open_provider(PROFILE, project="acme", environ={"TOY_KEY": "key-of-a-test"}, transport=transport)


def test_the_service_gets_its_own_form_and_the_file_name_keeps_our_digest() -> None:
    service, dataset = FakeService(), dataset_of(ROWS)
    sent = opened(service).upload(dataset, iter([ROWS[:50], ROWS[50:]]))
    assert isinstance(sent, Done)
    assert service.contents[sent.value.id].startswith(b'["hello 0 ->", " yes"]\n')
    assert len(service.contents[sent.value.id]) != dataset.measure.size_bytes
    assert sent.value.filename == dataset.stamp.filename


def test_an_uploaded_file_is_found_again_and_not_sent_twice() -> None:
    service, dataset = FakeService(), dataset_of(ROWS)
    sent = opened(service).upload(dataset, iter([ROWS]))
    assert isinstance(sent, Done)
    assert opened(service).find_file(dataset) == sent.value
    assert UsableFiles(opened(service).observe().files).find(*dataset.file_key) == sent.value
    other = dataset_of(rows_of("howdy"))
    assert opened(service).find_file(other) is None
    assert UsableFiles(opened(service).observe().files).find(*other.file_key) is None


def test_rows_that_cannot_be_read_are_not_sent() -> None:
    def breaking() -> Iterator[bytes]:
        yield ROWS
        raise OSError("the disk is gone")

    service = FakeService()
    with pytest.raises(OSError, match="the disk is gone"):
        opened(service).upload(dataset_of(ROWS), breaking())
    assert service.files == {}
    assert service.requests == [], "nothing is sent before all rows are encoded"
