"""Versions of a dataset for tests of row diffs."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from reconciler.dataset import write_canonical_line
from reconciler.dataset.canonical import make_batch
from reconciler.dataset.row_diff import compare_versions, open_uploaded_version, spool_version
from reconciler.domain.row_diff import RowChange, RowDiff, RowSample
from reconciler.domain.spec import Format

Rows = Sequence[object]


def lines(rows: Rows) -> list[bytes]:
    """Return the canonical lines of rows."""
    return [write_canonical_line(row, Format.CHAT) for row in rows]


def compare(
    before: Rows, after: Rows, *, id_path: str = "", most_samples: int = 100, files: tuple[Path, ...] = ()
) -> RowDiff:
    """Return the difference between some rows, or files of rows, and others."""
    with ExitStack() as stack:
        old = (
            open_uploaded_version(files, id_path=id_path)
            if files
            else spool_version([make_batch("old.jsonl", 1, lines(before))] if before else [], id_path=id_path)
        )
        new = spool_version([make_batch("new.jsonl", 1, lines(after))] if after else [], id_path=id_path)
        return compare_versions(
            stack.enter_context(old), stack.enter_context(new), "old.jsonl", most_samples=most_samples
        )


def counts(diff: RowDiff) -> tuple[int, int, int, int]:
    """Return the numbers of rows added, removed, edited and moved."""
    return diff.added, diff.removed, diff.edited, diff.moved


def samples(diff: RowDiff, change: RowChange) -> list[RowSample]:
    """Return the samples of one kind."""
    return [sample for sample in diff.samples if sample.change is change]


def ticket(number: int, text: str = "", answer: str = "billing") -> dict[str, object]:
    """Return a row that resembles no other one."""
    text = text or f"ticket {number} about order{number * 7} by customer{number * 13} in city{number * 17}"
    return {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]}


def write_lines(path: Path, rows: Rows) -> Path:
    """Write rows as they are uploaded."""
    path.write_bytes(b"".join(lines(rows)))
    return path
