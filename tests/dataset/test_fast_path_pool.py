"""Worker processes: the same results in the same order, even if a worker is killed; none runs on afterwards."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.dataset import Source
from reconciler.dataset.fast_path.decode import plain_block
from reconciler.dataset.fast_path.pool import BlockPool, WorkerProcess, open_pool
from reconciler.domain.spec import Format

from .factories import a_chat, jsonl, write

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers read files in the way of Unix")

BLOCKS = [jsonl(a_chat(f"question {block} {at}") for at in range(200))[:-1] for block in range(30)]
BLOCKS[11] += b"\nnonsense"
EXPECTED = [(block, plain_block(block, Format.CHAT)) for block in BLOCKS]


def plain(found: tuple[bytes | None, object]) -> tuple[bytes | None, object]:
    """Return the result of a block, with its keys as a list."""
    block, answer = found
    return block, None if answer is None else (answer[0], list(answer[1]))  # type: ignore[index] # a pair, if it is


@pytest.fixture
def source(tmp_path: Path) -> Source:
    name = write(tmp_path, "-rows.jsonl", b"\n".join(BLOCKS) + b"\n")
    return Source(name, tmp_path / name)


def is_running(worker: WorkerProcess) -> bool:
    return worker.exit_code is None


def wait_until_ready(pool: BlockPool) -> None:
    """Ask each worker once and wait for its answer, so that it is as quick as this process."""
    for worker in pool.workers:
        worker.ask(0, len(BLOCKS[0]))
        assert worker.answer()


@pytest.mark.parametrize("workers", [0, 2])
def test_any_number_of_helpers_gives_the_same_in_the_same_order(source: Source, workers: int) -> None:
    with open_pool(source, Format.CHAT, at=0, workers=workers) as pool:
        wait_until_ready(pool)
        assert list(map(plain, pool.work(iter(BLOCKS)))) == list(map(plain, EXPECTED))
        assert all(is_running(worker) for worker in pool.workers)
        workers_then = tuple(pool.workers)
    assert len(workers_then) == workers
    assert not any(is_running(worker) for worker in workers_then)


def test_a_helper_gives_the_result_of_this_process(source: Source) -> None:
    with open_pool(source, Format.CHAT, at=0, workers=1) as pool:
        (worker,) = pool.workers
        at = 0
        for block, found in EXPECTED[:13]:
            worker.ask(at, len(block))
            assert plain((block, worker.answer())) == plain((block, found))
            at += len(block) + 1


def test_a_text_after_a_byte_order_mark_is_read_from_its_start(tmp_path: Path) -> None:
    source = Source("rows.jsonl", tmp_path / write(tmp_path, "rows.jsonl", b"\xef\xbb\xbf" + b"\n".join(BLOCKS)))
    with open_pool(source, Format.CHAT, at=3, workers=1) as pool:
        (worker,) = pool.workers
        worker.ask(pool.at, len(BLOCKS[0]))
        assert plain((BLOCKS[0], worker.answer())) == plain(EXPECTED[0])
        assert list(map(plain, pool.work(iter(BLOCKS)))) == list(map(plain, EXPECTED))


@pytest.mark.parametrize("after", [0, 9])
def test_a_killed_helper_changes_no_result(source: Source, after: int) -> None:
    def blocks(pool: BlockPool) -> Iterator[bytes]:
        for at, block in enumerate(BLOCKS):
            if at == after:
                pool.workers[0].kill()
            yield block

    with open_pool(source, Format.CHAT, at=0, workers=1) as pool:
        wait_until_ready(pool)
        assert list(map(plain, pool.work(blocks(pool)))) == list(map(plain, EXPECTED))
        assert not pool.workers


def test_after_a_skipped_line_helpers_are_not_used(source: Source) -> None:
    with open_pool(source, Format.CHAT, at=0, workers=1) as pool:
        wait_until_ready(pool)
        given: list[bytes | None] = [*BLOCKS[:3], None, *BLOCKS[:3]]
        assert [block for block, _ in pool.work(iter(given))] == given
        assert pool.workers[0].asked == 0


def test_a_file_that_was_replaced_is_is_not_answered(source: Source) -> None:
    worker = WorkerProcess(source, Format.CHAT, state=(1, 2, 3))
    try:
        with pytest.raises(EOFError):
            worker.answer()
    finally:
        worker.close()


def test_an_interrupt_of_the_terminal_does_not_reach_helpers_and_none_stays(source: Source) -> None:
    gathered: list[WorkerProcess] = []

    def interrupted() -> None:
        with open_pool(source, Format.CHAT, at=0, workers=1) as pool:
            wait_until_ready(pool)
            gathered.extend(pool.workers)
            gathered[0].send(signal.SIGINT)
            wait_until_ready(pool)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not is_running(gathered[0])


def test_a_module_in_the_working_directory_is_not_imported(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "msgspec.py", "open('taken', 'w')")
    write(tmp_path, "reconciler/__init__.py", "open('taken', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    with open_pool(source, Format.CHAT, at=0, workers=1) as pool:
        wait_until_ready(pool)
    assert not (tmp_path / "taken").exists()


def test_small_files_are_read_without_helpers(source: Source) -> None:
    with open_pool(source, Format.CHAT, at=0) as pool:
        assert not pool.workers
