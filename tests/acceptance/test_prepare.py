"""`reconciler prepare`, as a user types it: by today's rules, as steps for a spec, and as the old tool did."""

import io
import json
import os
import stat
from pathlib import Path

import pytest
from openpyxl import Workbook

from reconciler.dataset import RowReport
from reconciler.dataset.pipeline import read_batches
from reconciler.specfile import read_specs
from tests.acceptance.conftest import CommandResult, Repository
from tests.prepare_data.compat.cases import HERE as RECORDED
from tests.prepare_data.compat.cases import Case, cases

HEADER = "prompt,completion\n"
PLAIN = ("--for", "completion")
BODY = "".join(f"Where is parcel {number}?,It is in city {number * 7}\n" for number in range(12))


def type_input(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Feed lines to the next command on stdin."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def read_document(result: CommandResult) -> str:
    """Return the documents that a command suggests."""
    return result.out.partition("As a spec, with paths relative to the spec's own file:\n\n")[2]


def test_findings_come_with_remedies_and_steps(repository: Repository) -> None:
    rows = BODY.replace("\n", ",7\n") + "Where?,,9\n"
    repository.write("data.csv", f"Prompt,Completion,id\n{rows}")
    result = repository.run("prepare", "data.csv", *PLAIN)
    assert result.code == 0
    assert "[necessary] Rename `Prompt` to `prompt`, `Completion` to `completion`" in result.out
    assert "1 row without `prompt` or `completion`: line 14" in result.out
    assert read_document(result).splitlines() == [
        "kind: Dataset",
        "name: data",
        'source: "data.csv"',
        "format: completion",
        "prepare:",
        '  - rename: {"Prompt": "prompt", "Completion": "completion"}',
        "  - keep_columns: [prompt, completion]",
        "  - drop_empty: [prompt, completion]",
        '  - remove_prefix: {column: prompt, text: "Where is parcel "}',
        '  - remove_prefix: {column: completion, text: "It is in city "}',
        r'  - add_suffix: {column: completion, text: "\n"}',
        "  - ensure_leading_space: [completion]",
    ]
    assert not (repository.root / "data_prepared.jsonl").exists()


MESSY = [
    *({"prompt": f"WHAT IS {number} /TIMES\\ {number}", "completion": number * number} for number in range(14)),
    {"prompt": "WHAT IS 3 /TIMES\\ 3", "completion": 9, "source": "book"},
    {"prompt": "WHAT IS LONG", "completion": "x" * 10_001},
    {"prompt": "WHAT IS NOTHING", "completion": None},
    {"prompt": "WHAT IS MISSING"},
    {"prompt": "WHAT IS \u202e\x1b[2J “THIS”", "completion": "a\tb"},
]
TABLE = HEADER + BODY + 'Where is NA?,NA\n"Two\nlines?","a, b"\nWhere is NA?,NA\nempty,\n'
CLASSES = HEADER + "".join(f"text number {number} ->, {('spam', 'ham')[number % 2]}\n" for number in range(60))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("messy.jsonl", "".join(json.dumps(row) + "\n" for row in MESSY)),
        ("messy.json", json.dumps(MESSY, indent=2)),
        ("table.csv", TABLE),
        ("table.tsv", TABLE.replace(",", "\t")),
        ("classes.csv", CLASSES),
    ],
)
def test_the_steps_in_a_spec_give_the_rows_that_write_gives(repository: Repository, name: str, content: str) -> None:
    """The lines that an apply would upload are the lines of the prepared files."""
    repository.write(name, content)
    asked = repository.run("prepare", name, *PLAIN)
    assert (asked.code, asked.err[:4]) == (0, "Next")
    repository.write("specs/one.yaml", read_document(asked).replace('source: "', 'source: "../'))
    specs = read_specs(repository.root / "specs", repository.root)
    report = RowReport()
    _, runs = read_batches(specs.datasets[0], repository.root, report)
    uploaded = b"".join(run.text for run in runs)
    report.raise_errors()
    assert repository.run("prepare", name, "--write", *PLAIN).code == 0
    written = [path.read_bytes() for path in sorted(repository.root.glob("*_prepared*.jsonl"))]
    assert sorted(b"".join(written).splitlines()) == sorted(uploaded.splitlines())
    assert len(written) == (2 if name.startswith("classes") else 1)
    assert len(written) == 2 or written[0] == uploaded
    assert repository.run("validate", "specs").code == 0


def test_a_new_row_moves_no_other_row_to_the_other_file(repository: Repository) -> None:
    def sides(content: str) -> tuple[set[str], set[str]]:
        for path in repository.root.glob("*.jsonl"):
            path.unlink()
        repository.write("c.csv", content)
        assert repository.run("prepare", "c.csv", "--write", *PLAIN).code == 0
        return (
            set(repository.read("c_prepared_train.jsonl").splitlines()),
            set(repository.read("c_prepared_valid.jsonl").splitlines()),
        )

    training, validation = sides(CLASSES)
    more_training, more_validation = sides(CLASSES.replace(HEADER, f"{HEADER}text of another ->, spam\n"))
    assert training < more_training or validation < more_validation
    assert training <= more_training
    assert validation <= more_validation
    assert len(validation) in range(4, 24)


def test_files_have_the_names_of_the_old_tool_and_none_is_overwritten(repository: Repository) -> None:
    repository.write("data.csv", HEADER + BODY)
    for name in ("data_prepared.jsonl", "data_prepared (1).jsonl", "data_prepared (2).jsonl"):
        assert f"Wrote {name}\n" in repository.run("prepare", "data.csv", "--write", *PLAIN).out
    assert repository.read("data_prepared.jsonl") == repository.read("data_prepared (2).jsonl")


def test_a_prepared_file_needs_no_further_step(repository: Repository) -> None:
    repository.write("data.csv", HEADER + BODY)
    repository.run("prepare", "data.csv", "--write", *PLAIN)
    again = repository.run("prepare", "data_prepared.jsonl", "--write", *PLAIN)
    assert "Nothing to correct." in again.out
    assert "Nothing was written" in again.out
    assert not (repository.root / "data_prepared_prepared.jsonl").exists()


def test_each_suggested_step_is_confirmed_and_may_be_declined(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("data.csv", HEADER + BODY)
    type_input(monkeypatch, "no\nwhat\n\nn\nN\n")
    result = repository.run("prepare", "data.csv", "--interactive", "--json", *PLAIN)
    remedies = json.loads(result.out)["remedies"]
    assert [(each["name"], each["accepted"]) for each in remedies] == [
        ("common_prompt_prefix", False),
        ("common_completion_prefix", True),
        ("common_completion_suffix", False),
        ("completion_space_start", False),
    ]
    assert result.err.count("Type y or n.") == 1


def test_answers_that_end_too_early_are_reported(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write("data.csv", HEADER + BODY)
    type_input(monkeypatch, "y\n")
    result = repository.run("prepare", "data.csv", "--interactive", "--write", *PLAIN)
    assert (result.code, "input ended" in result.err) == (64, True)
    assert not (repository.root / "data_prepared.jsonl").exists()


def test_json_output_is_for_programs(repository: Repository) -> None:
    repository.write("classes.csv", CLASSES)
    report = json.loads(repository.run("prepare", "classes.csv", "--json", "--write", *PLAIN).out)
    assert (report["rows"], report["task"], report["validation_share"]) == (60, "classification", 0.2)
    assert report["written"] == ["classes_prepared_train.jsonl", "classes_prepared_valid.jsonl"]
    assert report["spec"].count("kind: Dataset") == 2


def test_lines_of_text_become_completions_and_have_to_be_written_first(repository: Repository) -> None:
    repository.write("lines.txt", "one\r\ntwo ä\r\n\r\nthree")
    result = repository.run("prepare", "lines.txt", *PLAIN)
    assert 'source: "lines_prepared.jsonl"' in read_document(result)
    repository.run("prepare", "lines.txt", "--write", *PLAIN)
    assert repository.read("lines_prepared.jsonl").splitlines() == [
        '{"prompt":"","completion":" one"}',
        '{"prompt":"","completion":" two ä"}',
        '{"prompt":"","completion":" three"}',
    ]


def test_a_table_without_prompts_is_for_open_ended_generation_and_has_to_be_written_first(
    repository: Repository,
) -> None:
    """In a table an empty cell is a missing value; in a line the prompt is present and empty."""
    repository.write("null.csv", "prompt,completion\n" + "".join(f",text {number}.\n" for number in range(12)))
    result = repository.run("prepare", "null.csv", *PLAIN)
    assert read_document(result).splitlines()[1:3] == ["kind: Dataset", 'name: "null"']
    assert repository.run("prepare", "null.csv", "--write", *PLAIN).code == 0
    repository.write("specs/one.yaml", read_document(result).replace('source: "', 'source: "../'))
    assert repository.run("validate", "specs").out == "Valid: 0 models, 1 dataset, 12 rows.\n"


def test_a_suggested_spec_names_the_file_that_will_be_written(repository: Repository) -> None:
    rows = [{"prompt": f"text number {number} ->", "completion": f" {number % 2}"} for number in range(60)]
    repository.write("lines.json", "".join(json.dumps(row) + "\n" for row in rows))
    asked = json.loads(repository.run("prepare", "lines.json", "--json", *PLAIN).out)["spec"]
    made = json.loads(repository.run("prepare", "lines.json", "--json", "--write", *PLAIN).out)
    assert asked.partition("\n")[2] == made["spec"]
    assert made["written"] == ["lines_prepared_train.jsonl", "lines_prepared_valid.jsonl"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lines.json", '{"prompt":"a ->","completion":" b."}\n{"prompt":"c ->","completion":" d."}\n'),
        ("array.jsonl", '[{"prompt":"a ->","completion":" b."},{"prompt":"c ->","completion":" d."}]'),
    ],
)
def test_json_with_the_wrong_extension_is_read_and_written_with_the_right_one(
    repository: Repository, name: str, content: str
) -> None:
    repository.write(name, content)
    assert repository.run("prepare", name, "--write", *PLAIN).code == 0
    made = repository.read(f"{Path(name).stem}_prepared.jsonl")
    assert made == '{"prompt":"a ->","completion":" b."}\n{"prompt":"c ->","completion":" d."}\n'


def test_a_workbook_is_read_by_its_first_sheet_and_the_second_is_reported(repository: Repository) -> None:
    book = Workbook()
    assert book.active is not None
    for row in (("prompt", "completion"), ("a ->", 1), ("b ->", 2.5)):
        book.active.append(row)
    book.create_sheet("more")
    book.save(repository.root / "book.xlsx")
    result = repository.run("prepare", "book.xlsx", "--write", *PLAIN)
    assert "the workbook has 2 sheets" in result.out
    assert repository.read("book_prepared.jsonl").splitlines()[1] == r'{"prompt":"b ->","completion":" 2.5\n"}'


def test_chats_have_nothing_to_prepare(repository: Repository) -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    repository.write("chat.jsonl", json.dumps({"messages": turns}) + "\n")
    result = repository.run("prepare", "chat.jsonl", "--write", *PLAIN)
    assert result.code == 0
    assert "format: chat" in read_document(result)
    assert [path.name for path in repository.root.iterdir() if path.suffix == ".jsonl"] == ["chat.jsonl"]


def test_escape_sequences_in_rows_are_not_printed(repository: Repository) -> None:
    rows = [{"prompt": f"\x1b[31m\u202e{'x' * 12}{number} ->", "completion": f" {number}."} for number in range(5)]
    repository.write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    for arguments in (("prepare", "a.jsonl", *PLAIN), ("prepare", "a.jsonl", "--compat", "legacy")):
        result = repository.run(*arguments)
        assert result.code == 0
        assert "x" * 12 in result.out
        assert not {"\x1b", "\u202e"} & set(result.out)


BAD: dict[str, tuple[str, bytes, str]] = {
    "latin-1": ("a.csv", b"prompt,completion\ncaf\xe9,x\n", "UTF-8"),
    "utf-16": ("a.csv", "prompt,completion\na,b\n".encode("utf-16"), "UTF-16"),
    "latin-1 text": ("a.txt", b"caf\xe9\n", "UTF-8"),
    "empty table": ("a.csv", b"", "no row"),
    "empty lines": ("a.jsonl", b"", "no row"),
    "header alone": ("a.csv", b"prompt,completion\n", "no row"),
    "one column": ("a.csv", b"prompt\nhello\nthere\n", "no column `completion`"),
    "other columns": ("a.csv", b"alpha,beta\na,b\nc,d\n", 'alpha ("a"), beta ("b")'),
    "NUL": ("a.csv", b"\0" * 64, "zero bytes"),
    "no kind": ("data", b"x", "has no file extension"),
    "other kind": ("a.yaml", b"x", "supported extensions: .csv"),
    "one row": ("a.csv", b"prompt,completion\na,b\n", "only one row"),
    "same prompts": ("a.csv", b"prompt,completion\na,b\na,c\n", "all 2 prompts are the same"),
    "same completions": ("a.csv", b"prompt,completion\na,c\nb,c\n", "all 2 completions are the same"),
    "no completion": ("a.csv", b"prompt,completion\na,\nb,\n", "no row is left"),
    "table as lines": ("a.jsonl", b"prompt,completion\na,b\nc,d\n", "most likely a table"),
    "table as json": ("a.json", b"prompt,completion\na,b\nc,d\n", "1 problem;"),
    "broken line": ("a.jsonl", b'{"prompt":"a","completion":"b"}\n{"prompt":\n', ":2"),
    "not objects": ("a.jsonl", b"1\n2\n", "not an object"),
    "deep": ("a.json", b"[" * 100_000, "a.json"),
    "huge cell": ("a.csv", b"prompt,completion\n" + b"x" * (17 << 20) + b",y\n", "longer than 16 MiB"),
    "no workbook": ("a.xlsx", b"PK\x03\x04nothing", "workbook"),
    "surplus cells": ("a.csv", b"prompt,completion\na,b,c\n", "3 cells"),
    "lfs pointer": ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_refused_by_name_with_a_next_step(repository: Repository, kind: str) -> None:
    name, content, words = BAD[kind]
    repository.write(name, content)
    result = repository.run("prepare", name, "--write", *PLAIN)
    assert result.code == 3, result
    assert name in result.err
    assert words in result.err
    assert "hint:" in result.err or kind == "broken line"
    assert {path.name for path in repository.root.iterdir()} == {name, ".git"}


def test_a_path_that_is_not_a_file_is_refused(repository: Repository) -> None:
    os.mkfifo(repository.root / "pipe.csv")
    (repository.root / "folder.csv").mkdir()
    for name, words in (("pipe.csv", "a pipe"), ("folder.csv", "a directory"), ("gone.csv", "No such file")):
        result = repository.run("prepare", name, *PLAIN)
        assert (result.code, words in result.err) == (3, True)
        old = repository.run("prepare", name, "--compat", "legacy")
        assert (old.code, "does not exist." in old.err) == (1, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_reported(repository: Repository) -> None:
    repository.write("data.csv", HEADER + BODY)
    repository.root.chmod(stat.S_IRUSR | stat.S_IXUSR)
    result = repository.run("prepare", "data.csv", "--write", *PLAIN)
    repository.root.chmod(stat.S_IRWXU)
    assert (result.code, "cannot be written" in result.err) == (3, True)


def test_a_name_that_is_too_long_is_reported(repository: Repository) -> None:
    name = "x" * 245 + ".csv"
    repository.write(name, HEADER + BODY)
    result = repository.run("prepare", name, "--write", *PLAIN)
    assert (result.code, "cannot be written" in result.err) == (3, True)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_compat_legacy_behaves_as_the_old_command(
    repository: Repository, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the command line: the same text on stdout, the same files, the same exit code."""
    case.lay_out(repository.root)
    flags = ["--compat", "legacy"]
    if case.stdin is not None:
        type_input(monkeypatch, case.stdin)
        flags.append("--interactive")
    result = repository.run("prepare", case.argument, *flags)
    assert (result.code, result.out) == (case.exit, case.out)
    assert case.crashed or result.err == case.err
    assert case.left_in(repository.root) == case.files


def test_compat_legacy_takes_no_other_answer_form(repository: Repository) -> None:
    assert repository.run("prepare", "a.csv", "--compat", "legacy", "--json").code == 64
    assert repository.run("prepare", "a.csv", "--compat", "newer").code == 64


def test_the_bugs_of_the_old_tool_are_absent_by_default(repository: Repository) -> None:
    """The inputs are those that the old tool damaged or that made it crash."""
    for name, words in (
        ("missing.jsonl", "without `prompt` or `completion`"),
        ("crash.jsonl", "it stays, because some completions hold nothing else"),
    ):
        repository.write(name, (RECORDED / "inputs" / name).read_bytes())
        result = repository.run("prepare", name, "--write", *PLAIN)
        assert (result.code, words in result.out) == (0, True)
    for path in repository.root.glob("*_prepared.jsonl"):
        completions = [json.loads(line)["completion"].strip() for line in path.read_text("utf-8").splitlines()]
        assert completions
        assert not {"", "nan", "nan."} & set(completions)
    repository.write("array.json", (RECORDED / "inputs/array.json").read_bytes())
    assert "Wrote array_prepared.jsonl" in repository.run("prepare", "array.json", "--write", *PLAIN).out
    repository.write("unicode.jsonl", (RECORDED / "inputs/unicode.jsonl").read_bytes())
    repository.run("prepare", "unicode.jsonl", "--write", *PLAIN)
    assert "\\/" not in repository.read("unicode_prepared.jsonl")


def write_rows(repository: Repository, *rows: object) -> None:
    repository.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def chat_of(*turns: tuple[str, object]) -> dict[str, object]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


FOREIGN: list[tuple[str, list[object], str, str]] = [
    (
        "chat with other words",
        [chat_of(("human", f"q{at}"), ("bot", f"a{at}")) for at in range(12)],
        "convert: {from: chat}",
        '{"messages":[{"role":"user","content":"q0"},{"role":"assistant","content":"a0"}]}',
    ),
    (
        "ShareGPT",
        [
            {"conversations": [{"from": "human", "value": f"q{at}"}, {"from": "gpt", "value": f"a{at}"}]}
            for at in range(12)
        ],
        "convert: {from: sharegpt}",
        '{"messages":[{"role":"user","content":"q0"},{"role":"assistant","content":"a0"}]}',
    ),
    (
        "preference pairs",
        [{"prompt": f"q{at}", "win": f"a{at}", "lose": f"b{at}"} for at in range(12)],
        'rename: {"win": "chosen", "lose": "rejected"}',
        '{"input":{"messages":[{"role":"user","content":"q0"}]},"preferred_output":[{"role":"assistant","content":"a0"}],'
        '"non_preferred_output":[{"role":"assistant","content":"b0"}]}',
    ),
    (
        "unpaired preferences",
        [{"prompt": f"q{at}", "completion": f"a{at}", "label": at % 2 == 0} for at in range(24)],
        'filter: {column: label, equals: "true"}',
        '{"messages":[{"role":"user","content":"q0"},{"role":"assistant","content":"a0"}]}',
    ),
    (
        "a question and an answer",
        [{"id": at, "question": f"q{at}", "answer": f"a{at}"} for at in range(12)],
        'template: {"prompt": "{question}", "completion": "{answer}"}',
        '{"messages":[{"role":"user","content":"q0"},{"role":"assistant","content":"a0"}]}',
    ),
    (
        "chat.empty-turn",
        [chat_of(("system", ""), ("user", f"q{at}"), ("assistant", f"a{at}")) for at in range(12)],
        "drop_empty_turns: [system, developer]",
        '{"messages":[{"role":"user","content":"q0"},{"role":"assistant","content":"a0"}]}',
    ),
]


@pytest.mark.parametrize(("what", "rows", "step", "line"), FOREIGN, ids=[each[0] for each in FOREIGN])
def test_a_form_is_recognised_and_its_steps_give_what_write_gives(
    repository: Repository, what: str, rows: list[object], step: str, line: str
) -> None:
    write_rows(repository, *rows)
    asked = repository.run("prepare", "rows.jsonl")
    assert asked.code == 0, asked.err
    assert what in asked.out
    assert step in asked.out
    assert "Nothing to correct" not in asked.out
    repository.write("specs/one.yaml", read_document(asked).replace('source: "', 'source: "../'))
    assert repository.run("validate", "specs").code == 0
    assert repository.run("prepare", "rows.jsonl", "--write").code == 0
    assert repository.read("rows_prepared.jsonl").splitlines()[0] == line


@pytest.mark.parametrize("form", ["preference", "reinforcement"])
def test_rows_in_the_forms_of_the_api_need_no_steps(repository: Repository, form: str) -> None:
    user = {"messages": [{"role": "user", "content": "q"}]}
    pair = {
        "input": user,
        "preferred_output": [{"role": "assistant", "content": "a"}],
        "non_preferred_output": [{"role": "assistant", "content": "b"}],
    }
    write_rows(repository, *[pair if form == "preference" else {**user, "answer": "x"}] * 12)
    result = repository.run("prepare", "rows.jsonl")
    assert (result.code, f"12 rows of {form}" in result.out) == (0, True)
    assert f"format: {form}" in read_document(result)


def test_what_validate_refuses_prepare_refuses_too(repository: Repository) -> None:
    write_rows(repository, *[chat_of(("user", "q"), ("assistant", " \n"))] * 12)
    result = repository.run("prepare", "rows.jsonl")
    assert result.code == 3
    assert "is only white space" in result.err


def test_a_form_that_only_its_author_can_read_is_a_question(repository: Repository) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "mask": 1}]
    write_rows(repository, *[{"messages": turns}] * 12)
    result = repository.run("prepare", "rows.jsonl")
    assert (result.code, "with `inverted: true`" in result.err) == (3, True)


def test_columns_that_are_not_known_are_shown_with_masked_samples(repository: Repository) -> None:
    write_rows(repository, *[{"alpha": "sk-proj-" + "aB3dE5gH7jK9mN1pQ3sT5vX7" * 2, "beta": "b"}] * 12)
    result = repository.run("prepare", "rows.jsonl")
    assert result.code == 3
    assert "alpha (" in result.err
    assert "aB3dE5gH" not in result.err


def test_the_analysis_comes_before_the_questions(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.write("data.csv", HEADER + BODY + BODY)
    type_input(monkeypatch, "y\n")
    result = repository.run("prepare", "data.csv", "--interactive")
    assert result.code == 0
    assert result.out.index("equal to an earlier row") < result.out.index("Remedies:")


LABELS = "".join(
    json.dumps({"prompt": f"q{at // 2}", "completion": f"a{at}", "label": at % 2 == 0}) + "\n" for at in range(24)
)
"""Answers, each labelled as desired or not, to twelve questions."""
PAIRED = '  - pair_labels: {column: label, desired: ["true"]}\n  - convert: {from: preference}\n'
KEPT = "  - filter: {column: label, equals: "


def test_prepare_makes_pairs_of_labels_for_the_method_that_learns_from_them(repository: Repository) -> None:
    repository.write("labels.jsonl", LABELS)
    result = repository.run("prepare", "labels.jsonl", "--method", "dpo")
    assert result.code == 0, result.err
    assert PAIRED in result.out
    assert "format: preference\n" in result.out
    assert "12 pairs from 24 rows" in result.out
    for flags in ((), ("--method", "supervised")):
        assert KEPT in repository.run("prepare", "labels.jsonl", *flags).out


@pytest.mark.parametrize("source", ["data/labels.jsonl", "data/*.jsonl"])
def test_prepare_takes_the_method_of_the_specs_that_use_the_file(repository: Repository, source: str) -> None:
    model = "kind: Model\nname: m\nbase: gpt-4.1-mini-2025-04-14\ntraining: d\nmethod: dpo\n"
    repository.write("specs/s.yaml", f'kind: Dataset\nname: d\nsource: "{source}"\n---\n{model}')
    for name in ("specs/data/labels.jsonl", "labels.jsonl"):
        repository.write(name, LABELS)
    assert PAIRED in repository.run("prepare", "specs/data/labels.jsonl").out
    assert KEPT in repository.run("prepare", "specs/data/labels.jsonl", "--method", "supervised").out
    assert KEPT in repository.run("prepare", "labels.jsonl").out, "no spec names this file"
    repository.write("specs/s.yaml", "kind: Dataset\nname: [")
    assert KEPT in repository.run("prepare", "specs/data/labels.jsonl").out, "specs with a mistake say nothing"


@pytest.mark.parametrize(
    ("method", "names", "words"),
    [
        ("dpo", ("question", "answer"), "the method of the models learns from preference"),
        ("dpo", ("prompt", "completion"), "the method of the models learns from preference"),
        ("reinforcement", ("question", "answer"), "write each row for a grader"),
    ],
)
def test_rows_that_a_method_cannot_learn_from_are_refused(
    repository: Repository, method: str, names: tuple[str, str], words: str
) -> None:
    repository.write("rows.jsonl", "".join(f'{{"{names[0]}": "q{at}", "{names[1]}": "a{at}"}}\n' for at in range(12)))
    result = repository.run("prepare", "rows.jsonl", "--method", method)
    assert result.code == 3
    assert words in " ".join(result.err.split())


def test_rows_for_a_grader_are_ready_to_be_used(repository: Repository) -> None:
    turn = '{"role": "user", "content": "q"}'
    repository.write("rows.jsonl", "".join(f'{{"messages": [{turn}], "answer": "{at}"}}\n' for at in range(12)))
    result = repository.run("prepare", "rows.jsonl", "--method", "reinforcement")
    assert (result.code, "format: reinforcement\n" in result.out) == (0, True)
