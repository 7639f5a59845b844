"""Files with arbitrary bytes and names give problems or a measure, and nothing else."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.dataset.readers import READERS
from reconciler.domain.errors import Problem
from reconciler.domain.spec import ColumnMapping

from .factories import a_chat, jsonl, problems
from .fuzz import can_be_read, lines

PIECES = st.sampled_from(
    [
        *(
            b"prompt",
            b"completion",
            b",",
            b"\t",
            b'"',
            b"\n",
            b"\r",
            b"\r\n",
            b"{",
            b"}",
            b"[",
            b"]",
            b":",
            b"\\",
            b"\x00",
        ),
        *(
            b"\xff",
            b"\xef\xbb\xbf",
            b"\\ud800",
            b"NaN",
            b"1e999",
            b"-",
            b'{"messages":[',
            b'{"role":"user"}',
            "é".encode(),
        ),
        *(
            jsonl([a_chat()]),
            b'{"prompt":"a","completion":"b"}\n',
            b"PK\x03\x04",
            b"PK\x05\x06" + bytes(18),
            b" ",
            b"x",
        ),
    ]
)
GARBAGE = st.lists(PIECES | st.binary(max_size=8), max_size=30).map(b"".join)


@given(GARBAGE, st.sampled_from(sorted(READERS)), st.booleans(), st.sampled_from([0.0, 0.5]))
@settings(max_examples=400, deadline=None)
def test_no_bytes_raise_anything_but_problems(content: bytes, extension: str, mapped: bool, share: float) -> None:
    mapping = ColumnMapping(prompt="{prompt}", completion="{completion} {other}") if mapped else None
    with TemporaryDirectory() as directory:
        found = problems(Path(directory), content, f"rows{extension}", mapping=mapping, share=share)
    assert all(isinstance(problem, Problem) and problem.what and problem.rule for problem in found)
    assert all(str(problem).encode() for problem in found), "a message that cannot be printed"


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b'"' * 1_000_000,
        b"\x00" * 1_000_000,
        b"\\" * 1_000_000,
        b"," * 1_000_000,
        b"9" * 1_000_000,
        b'{"' + b"a" * 1_000_000 + b'": 1, "' + b"a" * 1_000_000 + b'": 1}',
        b"{" + b",".join(b'"%d":1' % (at % 99_999) for at in range(100_000)) + b"}",
        b'[{"messages":[' + b"[" * 60 + b"]" * 60 + b"]}]",
    ],
)
@pytest.mark.parametrize("extension", sorted(READERS))
def test_large_garbage_is_bounded(tmp_path: Path, content: bytes, extension: str) -> None:
    found = problems(tmp_path, content, f"rows{extension}")
    assert found
    assert all(len(str(problem)) < 5000 for problem in found)


def test_a_share_of_a_million_broken_rows_gives_findings_and_nothing_else() -> None:
    read = sum(map(can_be_read, lines(2_000, seed=7)))
    assert 100 < read < 1_000, "the rows are too broken, or not broken enough, to find anything"
