"""Measuring datasets: digests, splits, counts, and the same bytes again for the upload."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.dataset import choose_part, decode_json, measure, open_lines, write_canonical_line
from reconciler.domain.desired import Dataset, DatasetMeasure, Part
from reconciler.domain.errors import InputError, Severity
from reconciler.domain.identity import Digest
from reconciler.domain.spec import DatasetSpec, Format

from .factories import SPEC_PLACE, a_chat, a_spec, chats, jsonl, measured, only, problems, problems_of, rules, write
from .test_canonical import TEXT

MESSAGE = st.tuples(TEXT.filter(bool), TEXT.filter(str.strip))
ROWS = st.lists(MESSAGE, min_size=10, max_size=14).map(lambda pairs: [a_chat(*pair) for pair in pairs])


def side(spec: DatasetSpec, result: DatasetMeasure, part: Part = Part.TRAINING) -> Dataset:
    measure_of_part = result.training if part is Part.TRAINING else result.validation
    assert measure_of_part
    return Dataset(spec=spec, part=part, format=result.format, measure=measure_of_part)


def test_the_digest_is_the_sha256_of_the_lines_that_are_sent(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(12))))
    result = measure(spec, tmp_path)
    sent = b"".join(open_lines(side(spec, result), tmp_path))
    assert sent == b"".join(write_canonical_line(row, Format.CHAT) for row in chats(12))
    assert result.training.digest == Digest("v1", hashlib.sha256(sent).hexdigest())
    assert (result.training.rows, result.training.size_bytes) == (12, len(sent))
    assert (result.format, result.validation, result.warnings) == (Format.CHAT, None, ())


def other_spelling(rows: list[dict[str, object]], seed: int) -> bytes:
    """Return the same rows in the spelling of another program."""
    keys_turned = [dict(reversed(row.items())) for row in rows]
    lines = [
        json.dumps(row, ensure_ascii=bool(seed & 1), separators=(" , ", " : ") if seed & 2 else None)
        for row in keys_turned
    ]
    text = ("\r\n" if seed & 4 else "\n").join(lines) + ("\n" if seed & 8 else "")
    return (b"\xef\xbb\xbf" if seed & 16 else b"") + text.encode()


@given(ROWS, st.integers(0, 31))
@settings(max_examples=60, deadline=None)
def test_spelling_makes_no_difference_to_a_digest(rows: list[dict[str, object]], seed: int) -> None:
    with TemporaryDirectory() as directory:
        plain = measured(Path(directory), jsonl(rows))
        assert measured(Path(directory), other_spelling(rows, seed)).training == plain.training


@given(ROWS, st.data())
@settings(max_examples=60, deadline=None)
def test_another_order_or_another_text_is_another_digest(rows: list[dict[str, object]], data: st.DataObject) -> None:
    order = data.draw(st.permutations(rows))
    at = data.draw(st.integers(0, len(rows) - 1))
    edited = [*rows]
    edited[at] = a_chat(rows[at]["messages"][0]["content"] + data.draw(st.sampled_from(" .x\n")), "y")  # type: ignore[index]
    with TemporaryDirectory() as directory:
        plain = measured(Path(directory), jsonl(rows)).training.digest
        assert (measured(Path(directory), jsonl(order)).training.digest == plain) == (order == rows)
        assert (measured(Path(directory), jsonl(edited)).training.digest == plain) == (edited == rows)


def test_a_split_sends_every_row_to_one_side_and_keeps_the_order(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(300))), share=0.25)
    result = measure(spec, tmp_path)
    assert result.validation
    sides = {part: list(open_lines(side(spec, result, part), tmp_path)) for part in Part}
    lines = {part: b"".join(blocks).splitlines(keepends=True) for part, blocks in sides.items()}
    rows = [write_canonical_line(row, Format.CHAT) for row in chats(300)]
    assert sorted(lines[Part.TRAINING] + lines[Part.VALIDATION]) == sorted(rows)
    assert all([row for row in rows if row in set(part)] == part for part in lines.values())
    assert 50 < result.validation.rows < 100
    for part, measure_of_part in ((Part.TRAINING, result.training), (Part.VALIDATION, result.validation)):
        assert measure_of_part.digest.hex == hashlib.sha256(b"".join(lines[part])).hexdigest()


@given(st.lists(MESSAGE, unique=True, min_size=2, max_size=30), st.integers(0, 29), st.floats(0, 1))
@settings(max_examples=100)
def test_a_new_row_never_moves_an_old_one(pairs: list[tuple[str, str]], new: int, share: float) -> None:
    """A row's side depends on the row alone; a larger share only adds rows."""
    from xxhash import xxh3_64_intdigest

    keys = {pair: xxh3_64_intdigest(write_canonical_line(a_chat(*pair), Format.CHAT)) for pair in pairs}
    with TemporaryDirectory() as directory:
        before = pairs[:new] + pairs[new + 1 :]
        for some in (before, pairs):
            spec = a_spec(write(Path(directory), "rows.jsonl", jsonl(a_chat(*pair) for pair in some)), share=share)
            held = {pair for pair in some if choose_part(keys[pair], share) is Part.VALIDATION}
            if held:
                result = measure(spec, Path(directory), minimum=0)
                assert result.validation
                assert (result.training.rows, result.validation.rows) == (len(some) - len(held), len(held))
            else:
                wrong = [each for each in problems_of(spec, Path(directory)) if each.severity is Severity.ERROR]
                assert set(rules(wrong)) <= {"split.empty-side", "rows.too-few"}
    assert all(
        choose_part(key, min(1.0, share + 0.1)) is Part.VALIDATION
        for key in keys.values()
        if choose_part(key, share) is Part.VALIDATION
    )


def test_equal_rows_are_on_the_same_side(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(100) * 2)), share=0.3)
    result = measure(spec, tmp_path)
    assert result.validation
    assert result.validation.rows % 2 == result.training.rows % 2 == 0


def test_a_side_without_rows_is_a_problem(tmp_path: Path) -> None:
    found = problems(tmp_path, jsonl(chats(20)), share=1e-9)
    assert only(found, "split.empty-side").where == SPEC_PLACE
    assert "larger" in found[0].hint
    found = problems(tmp_path, jsonl(chats(20)), share=1.0)
    assert "20 on the other" in only(found, "rows.too-few").what


def test_ten_examples_are_the_least(tmp_path: Path) -> None:
    assert measured(tmp_path, jsonl(chats(10))).training.rows == 10
    problem = only(problems(tmp_path, jsonl(chats(9))), "rows.too-few")
    assert (problem.where, problem.severity) == (SPEC_PLACE, Severity.ERROR)
    assert "9 examples" in problem.what


def test_a_dataset_that_only_validates_may_be_smaller(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(1))))
    assert measure(spec, tmp_path, minimum=1).training.rows == 1


def test_wrong_rows_are_not_reported_as_missing(tmp_path: Path) -> None:
    found = problems(tmp_path, jsonl(chats(9)) + b"nonsense\n")
    assert rules(found) == ["json.syntax"]


def test_repeats_are_counted_and_the_first_is_shown(tmp_path: Path) -> None:
    rows = chats(12)
    content = jsonl(rows) + json.dumps(rows[3], indent=None).encode() + b"\n\n" + jsonl(rows[1:3]) + jsonl([rows[3]])
    warning = only(measured(tmp_path, content).warnings, "rows.duplicate")
    assert warning.where.line == 13
    assert warning.what == "4 rows repeat earlier ones; this one is the same as rows.jsonl:4"
    assert warning.severity is Severity.WARNING


def test_repeats_are_found_across_files(tmp_path: Path) -> None:
    write(tmp_path, "one.jsonl", jsonl(chats(12)))
    write(tmp_path, "two.jsonl", jsonl([a_chat("other"), *chats(1)]))
    warning = only(measure(a_spec("one.jsonl", "two.jsonl"), tmp_path).warnings, "rows.duplicate")
    assert (str(warning.where), warning.what) == (
        "two.jsonl:2",
        "1 row repeats an earlier one; this one is the same as one.jsonl:1",
    )


def test_a_thousand_warnings_of_one_cause_are_one_with_the_number_of_rows(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "assistant", "content": f"a{at}"}]} for at in range(1000)]
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(rows)))
    warnings = measure(spec, tmp_path).warnings
    assert rules(warnings) == ["chat.no-user"]
    assert warnings[0].what.endswith("(in 1000 rows: lines 1, 2, 3 and 997 more)")


def test_findings_of_different_causes_are_shown_as_fifty_and_a_count(tmp_path: Path) -> None:
    rows = [{**a_chat(f"a{at}", f"b{at}"), f"key{at}": at} for at in range(60)]
    found = [each for each in problems(tmp_path, jsonl(rows)) if each.severity is Severity.ERROR]
    assert rules(found) == ["chat.unknown-key"] * 50


def test_up_to_three_findings_of_a_cause_are_shown_one_by_one(tmp_path: Path) -> None:
    def bad(count: int) -> bytes:
        return jsonl([{**a_chat(f"a{at}", f"b{at}"), **({"note": 1} if at < count else {})} for at in range(12)])

    assert [each.where.line for each in problems(tmp_path, bad(3))] == [1, 2, 3]
    (one,) = problems(tmp_path, bad(4))
    assert one.what == "an unknown key (in 4 rows: lines 1, 2, 3 and 1 more)"


def test_the_stated_format_is_checked_against_the_rows(tmp_path: Path) -> None:
    found = problems(tmp_path, jsonl(chats(12)), format=Format.COMPLETION)
    assert rules(found) == ["format.other"]
    assert "12 of 12 rows are chat" in found[0].what
    assert "`format: chat`" in found[0].hint
    assert not problems(tmp_path, jsonl(chats(12)), format=Format.CHAT)


def test_rows_without_a_key_of_the_stated_format_are_checked_one_by_one(tmp_path: Path) -> None:
    found = problems(tmp_path, jsonl([{"question": "q", "id": at} for at in range(12)]), format=Format.COMPLETION)
    assert set(rules(found)) == {"completion.prompt", "completion.completion", "completion.unknown-key"}


def test_progress_reports_the_bytes_read_at_most_once_a_mebibyte(tmp_path: Path) -> None:
    content = jsonl(chats(30_000))
    reported: list[int] = []
    measure(a_spec(write(tmp_path, "rows.jsonl", content)), tmp_path, progress=reported.append)
    assert reported == [(at + 1) << 20 for at in range(len(content) >> 20)]


def test_blocks_are_whole_lines_of_about_a_mebibyte(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(40_000))))
    blocks = list(open_lines(side(spec, measure(spec, tmp_path)), tmp_path))
    assert len(blocks) > 2
    assert all(block.endswith(b"\n") for block in blocks)
    assert all((1 << 20) <= len(block) < (1 << 20) + 200 for block in blocks[:-1])
    assert decode_json(blocks[1].splitlines()[0])


@pytest.mark.parametrize("content", [jsonl(chats(13)), jsonl(chats(11)), jsonl(chats(12)) + b"nonsense\n", b""])
def test_rows_that_changed_after_they_were_measured_are_never_sent_completely(tmp_path: Path, content: bytes) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(12))))
    dataset = side(spec, measure(spec, tmp_path))
    write(tmp_path, "rows.jsonl", content)
    with pytest.raises(InputError):
        list(open_lines(dataset, tmp_path))


def test_a_missing_dataset_is_reported_when_it_is_opened(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(12))))
    dataset = side(spec, measure(spec, tmp_path))
    (tmp_path / "rows.jsonl").unlink()
    with pytest.raises(InputError) as caught:
        list(open_lines(dataset, tmp_path))
    assert rules(caught.value.problems) == ["source.missing"]


def test_rows_of_lines_load_no_workbook_library(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", jsonl(chats(12)))
    code = (
        "import sys; from pathlib import Path; from reconciler.dataset import measure\n"
        "from reconciler.domain.errors import Place; from reconciler.domain.spec import DatasetSpec\n"
        "measure(DatasetSpec(name='rows', place=Place(file='x'), sources=('rows.jsonl',)), Path(sys.argv[1]))\n"
        "print('msgspec' in sys.modules, 'python_calamine' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True False"
