"""Broken rows by the million: whatever a line holds, there are findings or a canonical line, and nothing else.

    python -m tests.dataset.fuzz [--rows 1000000] [--seed 0]

Rows that are right are broken in one to three places: bytes cut, doubled, swapped or replaced by what breaks parsers. A
row that can be read is checked by the rules of every format, written, read again, and written the same.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator

from reconciler.dataset import LineError, decode_json, recognise_format, write_canonical_line
from reconciler.dataset.dataset_checks.example_row import ExampleRow, normalise_text
from reconciler.dataset.row_checks import check_row
from reconciler.dataset.sensitive import find_personal_data
from reconciler.domain.spec import Format
from reconciler.foundation.secret_shapes import find_secrets

_USER, _ANSWER = {"role": "user", "content": "Why is that?\n"}, {"role": "assistant", "content": "So: 4111 é 🙂"}
_TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}}
_CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
_ROWS: tuple[object, ...] = (
    {"messages": [_USER, _ANSWER]},
    {"messages": [{"role": "system", "content": "s"}, _USER, {**_ANSWER, "weight": 1}], "parallel_tool_calls": False},
    {"messages": [_USER, {"role": "assistant", "tool_calls": [_CALL]}], "tools": [_TOOL]},
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}, _ANSWER]},
    {"prompt": "a@b.cd +1 555 0100 000", "completion": " DE89370400440532013000"},
    {"input": {"messages": [_USER]}, "preferred_output": [_ANSWER], "non_preferred_output": [_ANSWER]},
    {"messages": [_USER], "answer": [1, 2.5, None, {"x": 1e10}]},
)
_LINES = tuple(json.dumps(row, ensure_ascii=at % 2 == 0).encode() for at, row in enumerate(_ROWS))
_PIECES = (
    *rb'{ } [ ] , : " \ \u0000 \ud800 \u00e9 NaN Infinity -0 1e400 1E-9 null true 0 "" [] {} [[[['.split(b" "),
    *rb'"role" "messages" "content" "user" "tool" "weight" "tools" "name" https://'.split(),
    *rb"data:image/png;base64, <|im_end|>".split(),
    *(b"\xff", b"\xc3", b"\xf0\x9f", b"\x00", b"\t", b" "),
)


def lines(count: int, seed: int) -> Iterator[bytes]:
    """Yield so many broken lines, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        line = bytearray(chance.choice(_LINES))
        for _ in range(chance.randint(1, 3)):
            at, length = chance.randrange(len(line) + 1), chance.randint(0, 12)
            match chance.randrange(4):
                case 0:
                    del line[at : at + length]
                case 1:
                    line[at:at] = line[at : at + length]
                case 2:
                    line[at : at + chance.randint(0, 2)] = chance.choice(_PIECES)
                case 3:
                    other = chance.choice(_LINES)
                    line[at : at + length] = other[at : at + 2 * length]
        yield bytes(line)


def can_be_read(line: bytes) -> bool:
    """Return whether a line can be read; any other line has to give a finding.

    Raises: AssertionError, or whatever the code lets through
    """
    try:
        row = decode_json(line)
    except LineError as error:
        return not f"{error.rule} {error.what} {error.hint}".encode()
    found = recognise_format(row)
    for format in Format:  # noqa: A001 (the word of the field)
        for finding in check_row(row, format):
            assert f"{finding.path} {finding.what} {finding.hint}".encode()
        written = write_canonical_line(row, format)
        assert write_canonical_line(decode_json(written), format) == written
    if found and isinstance(row, dict):
        example = ExampleRow(0, 1, row, found)
        assert normalise_text(example.whole).encode(errors="surrogatepass")
        for _, text in (*example.texts, ("", example.question), ("", example.prompt or example.completion or "")):
            assert all(each.masked for each in find_secrets(text))
            assert all(masked for _, masked, _, _ in find_personal_data(text))
    return True


def main(words: list[str]) -> int:
    """Break rows until all are broken; tells how many could still be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(words)
    begun, read = time.process_time(), 0
    for line in lines(options.rows, options.seed):
        try:
            read += can_be_read(line)
        except BaseException:
            print(f"this line does it: {line!r}", file=sys.stderr)
            raise
    print(f"{options.rows} rows, {read} of them readable, {time.process_time() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
