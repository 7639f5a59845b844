"""What is on the shelf is what its name says, or it is fetched again; and the shelf does not grow for ever."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.dataset.row_diff import FileCache
from reconciler.domain.errors import DeniedError, MalformedError
from reconciler.domain.identity import Digest


class Service:
    """Gives one content, and counts how often it is asked for."""

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
    service, shelf = Service(b"some rows\n"), FileCache(tmp_path / "files")

    paths = {shelf.get_file(service.digest, 10, service.fetch) for _ in range(3)}

    assert [path.read_bytes() for path in paths] == [b"some rows\n"]
    assert service.asked == 1


@pytest.mark.parametrize("spoilt", [b"", b"other row\n", b"some rows\nand more\n"])
def test_a_spoilt_file_is_fetched_again(tmp_path: Path, spoilt: bytes) -> None:
    service, shelf = Service(b"some rows\n"), FileCache(tmp_path / "files")
    path = shelf.get_file(service.digest, 10, service.fetch)
    path.write_bytes(spoilt)

    assert shelf.get_file(service.digest, 10, service.fetch).read_bytes() == b"some rows\n"
    assert service.asked == 2


@pytest.mark.parametrize("sent", [b"", b"other row\n", b"some rows\nand more\n"])
def test_what_is_not_what_its_name_says_is_refused_and_not_kept(tmp_path: Path, sent: bytes) -> None:
    wanted = Service(b"some rows\n").digest

    with pytest.raises(MalformedError, match="not what its name and size say"):
        FileCache(tmp_path / "files").get_file(wanted, 10, Service(sent).fetch)

    assert list((tmp_path / "files").iterdir()) == []


def test_a_file_without_an_end_is_read_no_further_than_its_size(tmp_path: Path) -> None:
    drawn = 0

    def endless() -> Iterator[bytes]:
        nonlocal drawn
        while True:
            drawn += 1
            yield b"x" * 10

    with pytest.raises(MalformedError):
        FileCache(tmp_path).get_file(Digest("v1", "0" * 12), 25, endless)

    assert drawn == 3


def test_what_fetching_raises_leaves_nothing_behind(tmp_path: Path) -> None:
    def denied() -> Iterator[bytes]:
        yield b"some"
        raise DeniedError("no", status=403)

    with pytest.raises(DeniedError):
        FileCache(tmp_path / "files").get_file(Digest("v1", "0" * 12), 10, denied)

    assert list((tmp_path / "files").iterdir()) == []


def test_what_was_not_used_for_the_longest_makes_room(tmp_path: Path) -> None:
    """The newest stays, even where it alone is more than the shelf should hold."""
    shelf = FileCache(tmp_path / "files", most_bytes=25)
    services = [Service(word * 10) for word in (b"a", b"b", b"c")]
    kept = []
    for at, service in enumerate(services):
        kept.append(shelf.get_file(service.digest, 10, service.fetch))
        os.utime(kept[-1], (at, at))
    shelf.get_file(services[0].digest, 10, services[0].fetch)
    fourth = Service(b"d" * 10)
    kept.append(shelf.get_file(fourth.digest, 10, fourth.fetch))

    assert [path.exists() for path in kept] == [True, False, False, True]
    large = Service(b"e" * 100)
    assert shelf.get_file(large.digest, 100, large.fetch).exists()


def test_the_home_around_it_is_made_first(tmp_path: Path) -> None:
    made = []
    service = Service(b"some rows\n")

    FileCache(tmp_path / "home" / "files", lambda: made.append(True)).get_file(service.digest, 10, service.fetch)

    assert made == [True]
