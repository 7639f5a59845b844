"""Habits of the old tool beyond the recorded runs; each was seen in openai 0.28.1 with pandas 1.5.3."""

import json
import random
from pathlib import Path

import pytest
from openpyxl import Workbook

from reconciler.prepare_data.compat import find_common_prefix, find_common_suffix, shuffle, write_new_files
from tests.prepare_data.compat.cases import run

HEADER = "prompt,completion\n"
BODY = "".join(f"question {number} {letter} ->, answer {letter}.\n" for number, letter in enumerate("abcdefgh"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pairs(file: str) -> list[tuple[str, str]]:
    """The rows of a prepared file."""
    rows = [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]
    return [(row["prompt"], row["completion"]) for row in rows]


def last(name: str, content: str | bytes) -> tuple[str, str]:
    """Prepare a file and give its last row."""
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert run(name).code == 0
    return pairs(f"{Path(name).stem}_prepared.jsonl")[-1]


def test_the_shuffle_is_numpys() -> None:
    assert shuffle(10) == [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]
    assert shuffle(0) == []
    assert shuffle(1) == [0]
    assert sorted(shuffle(1500)) == list(range(1500))


def test_numpy_itself_agrees_with_the_shuffle() -> None:
    numpy = pytest.importorskip("numpy")
    for count in (2, 3, 64, 65, 1001):
        assert shuffle(count) == list(numpy.random.RandomState(42).permutation(count))


@pytest.mark.parametrize("word", ["NA", "null", "nan", "#N/A", "N/A", ""])
def test_words_that_stand_for_nothing_cost_the_row(word: str) -> None:
    assert last("a.csv", f"{HEADER}{BODY}lost ->,{word}\nkept ->, x.\n") == ("kept ->", " x.")
    assert len(pairs("a_prepared.jsonl")) == 9


def test_python_says_none_and_that_is_kept() -> None:
    assert last("a.csv", f"{HEADER}{BODY}kept ->,None\n")[1].startswith(" None")


@pytest.mark.parametrize(
    ("tail", "row"),
    [
        ('ab"c"d ->, "x" y.\n', ('ab"c"d ->', ' "x" y.')),
        ('"ab"cd ->, z"".\n', ("abcd ->", ' z"".')),
        ('"a\r\nb ->", x.\r\n', ("a\r\nb ->", " x.")),
        ("   \n \t \n\nlast ->, q.\n", ("last ->", " q.")),
        ("   led ->,  x.\n", ("   led ->", "  x.")),
    ],
)
def test_cells_of_a_table_are_cut_as_they_were(tail: str, row: tuple[str, str]) -> None:
    assert last("a.csv", HEADER + BODY + tail) == row


def test_one_cell_too_many_from_the_first_row_on_shifts_every_column() -> None:
    text = HEADER + "".join(f"{number},question {number} ->, answer {number}.\n" for number in range(3))
    assert last("a.csv", text) == ("question 2 ->", " 2.")


@pytest.mark.parametrize(
    "content",
    [
        HEADER + BODY + "a,b,c\n",
        HEADER + BODY + '"open, end\n',
        "",
        HEADER.encode() + b"caf\xe9,x\n",
        HEADER + "a\0b,c\n",
    ],
    ids=["longer row", "open quote", "empty", "latin-1", "NUL"],
)
def test_what_is_no_table_is_refused_in_the_old_words(content: str | bytes) -> None:
    Path("a.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    ran = run("a.csv")
    assert (ran.code, ran.out) == (1, "Analyzing...\n")
    assert "does not appear to be in valid CSV format" in ran.err


def test_a_cell_of_ten_megabytes_is_a_cell() -> None:
    long = "x" * 10_000_000
    assert last("a.csv", f"{HEADER}{BODY}{long} ->, y.\nlast ->, z.\n") == ("last ->", " z.")
    assert len(pairs("a_prepared.jsonl")) == 9


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (["1", "2", "3"], ["1", "2", "3"]),
        (["1", "2.5", "3"], ["1.0", "2.5", "3.0"]),
        (["1", "null", "3"], ["1.0", "nan", "3.0"]),
        (["1", "null", "true"], ["1", "None", "True"]),
        (["true", "1", "2.5"], ["True", "1", "2.5"]),
        (["null", '"x"', "[1, null]"], ["None", "x", "[1, None]"]),
        (["-0.7", "0.1", "1e22"], ["-0.7000000000000001", "0.1", "1e+22"]),
        (["NaN", "Infinity", '"x"'], ["nan", "inf", "x"]),
        (['"a\\ud800b"', '"c"', '"d"'], ["ab", "c", "d"]),
    ],
)
def test_json_values_become_text_by_their_column(values: list[str], texts: list[str]) -> None:
    lines = [f'{{"prompt": "question {at} of {at} ->", "completion": {value}}}' for at, value in enumerate(values)]
    Path("a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert run("a.jsonl").code == 0
    assert [completion.strip() for _, completion in pairs("a_prepared.jsonl")] == texts


def test_an_object_of_columns_is_a_table() -> None:
    assert last("a.json", '{"prompt": ["a ->", "b ->"], "completion": {"0": "x", "1": "y"}}') == ("b ->", " y\n")


@pytest.mark.parametrize(
    "content", ["[1, 2]", '{"prompt": "a"}', "{", "[" * 100_000, '{"prompt": ["a"], "completion": []}', "7", "\ufeff[]"]
)
def test_what_is_no_list_of_rows_ends_in_the_old_words(content: str) -> None:
    Path("a.json").write_text(content, encoding="utf-8")
    ran = run("a.json")
    assert ran.code == 1
    assert "Aborting..." in ran.err


def test_long_rows_are_found_by_position_and_dropped_by_label() -> None:
    """After a duplicate was dropped, another row goes than the one that is too long."""
    rows = [{"prompt": f"q {mark} ->", "completion": f" {'x' * size}{mark}."} for mark, size in LONG]
    Path("a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ran = run("a.jsonl")
    assert "The indices of the long examples has changed" in ran.out
    assert max(len(completion) for _, completion in pairs("a_prepared.jsonl")) > 10_000


LONG = (("a", 3), ("a", 3), ("b", 3), ("c", 11_000), ("d", 3), ("e", 3))


def test_a_label_that_is_gone_ends_the_old_tool_and_ours_reports_it() -> None:
    rows = [{"prompt": f"q {mark} ->", "completion": f" {'x' * size}{mark}."} for mark, size in VANISHED]
    Path("a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ran = run("a.jsonl")
    assert ran.code == 1
    assert "KeyError" in ran.err
    assert not Path("a_prepared.jsonl").exists()


VANISHED = (("a", 3), ("b", 11_000), ("c", 3), ("d", 3), ("d", 3), ("e", 11_000))


@pytest.mark.parametrize("extension", ["csv", "txt"])
def test_a_file_without_rows_becomes_an_empty_line(extension: str) -> None:
    Path(f"a.{extension}").write_text(HEADER if extension == "csv" else "", encoding="utf-8")
    assert run(f"a.{extension}").code == 0
    assert Path("a_prepared.jsonl").read_bytes() == b"\n"


def test_cells_of_a_workbook_are_written_as_they_were() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("prompt", "completion"), (1, 2.5), (True, False), ("NA", " x"), (0.25, 1e20), (" a", 3)):
        sheet.append(row)
    book.save("a.xlsx")
    assert run("a.xlsx").code == 0
    made = [
        (prompt.removesuffix(" ->"), completion.removesuffix("\n")) for prompt, completion in pairs("a_prepared.jsonl")
    ]
    expected = [("1", " 2.5"), ("1", " False"), ("", " x"), ("0.25", " 100000000000000000000"), (" a", " 3")]
    assert made == expected


def test_answers_end_before_the_questions() -> None:
    Path("a.csv").write_text(HEADER + BODY.replace(" ->", ""), encoding="utf-8")
    ran = run("a.csv", typed="")
    assert ran.code == 1
    assert "EOFError" in ran.err


@pytest.mark.parametrize("answer", ["no", "", "x"])
def test_only_n_means_no(answer: str) -> None:
    Path("a.csv").write_text(HEADER + BODY.replace(" ->", ""), encoding="utf-8")
    assert run("a.csv", typed=f"{answer}\n" * 9).code == 0
    assert Path("a_prepared.jsonl").exists()


def test_nothing_is_written_over_and_nothing_left_behind(here: Path) -> None:
    (here / "b").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        write_new_files({here / "a": "new", here / "b": "new"})
    assert {path.name: path.read_text(encoding="utf-8") for path in here.iterdir()} == {"b": "mine"}


def test_a_folder_that_takes_no_file_is_reported(here: Path) -> None:
    Path("a.csv").write_text(HEADER + BODY, encoding="utf-8")
    long = Path("x" * 245 + ".csv")
    Path("a.csv").rename(long)
    ran = run(str(long))
    assert ran.code == 1
    assert "cannot be written" in ran.err
    assert [path.name for path in here.iterdir()] == [long.name]


def test_common_affixes_are_those_of_a_search_letter_by_letter() -> None:
    chance = random.Random(7)
    for _ in range(300):
        texts = ["".join(chance.choices("ab", k=chance.randrange(6))) + "b" for _ in range(chance.randrange(1, 5))]
        shortest = min(map(len, texts))
        assert find_common_prefix(texts) == max(
            (texts[0][:size] for size in range(shortest + 1) if len({text[:size] for text in texts}) == 1), key=len
        )
        assert find_common_suffix(texts) == find_common_prefix([text[::-1] for text in texts])[::-1]
