"""A cached file agrees with its name or is fetched again, and the size of the cache is limited."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.dataset.row_diff import FileCache
from reconciler.domain.errors import DeniedError, MalformedError
from reconciler.domain.identity import Digest


class Service:
    """Returns one content, and counts the requests."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked = 0

    @property
    def digest(self) -> Digest:
        return Digest("v1", hashlib.sha256(self.content).hexdigest()[:12])

    def fetch(self) -> Iterator[bytes]:
        self.asked += 1
        yield self.content[:3]
        yield self.content[3:]


def test_a_file_is_fetched_once(tmp_path: Path) -> None:
    service, cache = Service(b"some rows\n"), FileCache(tmp_path / "files")

    paths = {cache.get_file(service.digest, 10, service.fetch) for _ in range(3)}

    assert [path.read_bytes() for path in paths] == [b"some rows\n"]
    assert service.asked == 1


@pytest.mark.parametrize("spoilt", [b"", b"other row\n", b"some rows\nand more\n"])
def test_a_spoilt_file_is_fetched_again(tmp_path: Path, spoilt: bytes) -> None:
    service, cache = Service(b"some rows\n"), FileCache(tmp_path / "files")
    path = cache.get_file(service.digest, 10, service.fetch)
    path.write_bytes(spoilt)

    assert cache.get_file(service.digest, 10, service.fetch).read_bytes() == b"some rows\n"
    assert service.asked == 2


@pytest.mark.parametrize("sent", [b"", b"other row\n", b"some rows\nand more\n"])
def test_a_file_with_another_digest_is_refused_and_not_stored(tmp_path: Path, sent: bytes) -> None:
    wanted = Service(b"some rows\n").digest

    with pytest.raises(MalformedError, match="not what its name and size say"):
        FileCache(tmp_path / "files").get_file(wanted, 10, Service(sent).fetch)

    assert list((tmp_path / "files").iterdir()) == []


def test_an_endless_file_is_read_no_further_than_its_size(tmp_path: Path) -> None:
    drawn = 0

    def endless() -> Iterator[bytes]:
        nonlocal drawn
        while True:
            drawn += 1
            yield b"x" * 10

    with pytest.raises(MalformedError):
        FileCache(tmp_path).get_file(Digest("v1", "0" * 12), 25, endless)

    assert drawn == 3


def test_a_failed_fetch_leaves_nothing_behind(tmp_path: Path) -> None:
    def denied() -> Iterator[bytes]:
        yield b"some"
        raise DeniedError("no", status=403)

    with pytest.raises(DeniedError):
        FileCache(tmp_path / "files").get_file(Digest("v1", "0" * 12), 10, denied)

    assert list((tmp_path / "files").iterdir()) == []


def test_the_least_recently_used_file_is_removed_first(tmp_path: Path) -> None:
    """The newest file stays, even if it alone exceeds the limit of the cache."""
    cache = FileCache(tmp_path / "files", most_bytes=25)
    services = [Service(word * 10) for word in (b"a", b"b", b"c")]
    kept = []
    for at, service in enumerate(services):
        kept.append(cache.get_file(service.digest, 10, service.fetch))
        os.utime(kept[-1], (at, at))
    cache.get_file(services[0].digest, 10, services[0].fetch)
    fourth = Service(b"d" * 10)
    kept.append(cache.get_file(fourth.digest, 10, fourth.fetch))

    assert [path.exists() for path in kept] == [True, False, False, True]
    large = Service(b"e" * 100)
    assert cache.get_file(large.digest, 100, large.fetch).exists()


def test_its_parent_directory_is_created_first(tmp_path: Path) -> None:
    made = []
    service = Service(b"some rows\n")

    FileCache(tmp_path / "home" / "files", lambda: made.append(True)).get_file(service.digest, 10, service.fetch)

    assert made == [True]
