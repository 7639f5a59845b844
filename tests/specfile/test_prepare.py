"""`prepare` and the terms of sources: the values that they give, and each mistake with its place."""

from pathlib import Path

import pytest

from reconciler.dataset.recognise import write_steps_inline
from reconciler.domain.errors import Place
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    ChoosePair,
    Convert,
    Deduplicate,
    DropColumns,
    DropEmpty,
    DropEmptyTurns,
    DropLong,
    DropTurnKeys,
    EnsureLeadingSpace,
    FillTemplate,
    Filter,
    Form,
    JoinMessages,
    KeepColumns,
    Limit,
    LowerCase,
    MendCalls,
    MendImages,
    Numbers,
    Operation,
    PairLabels,
    PlaceImages,
    RemovePrefix,
    RemoveSuffix,
    Rename,
    Sample,
    SetColumns,
    Strip,
    Target,
    TurnWeight,
)
from reconciler.domain.spec import DatasetSpec, Encoding, Terms
from reconciler.specfile.prepare import OPERATIONS
from reconciler.specfile.schema import schema
from tests.specfile.trees import problem_lines, specs_of


def dataset(root: Path, text: str) -> DatasetSpec:
    (found,) = specs_of(root, {"specs/d.yaml": f"kind: Dataset\nname: d\n{text}"}).datasets
    return found


STEPS: list[tuple[str, Operation]] = [
    ("rename: {question: prompt, answer: completion}", Rename((("question", "prompt"), ("answer", "completion")))),
    ("drop_columns: [id, 2024]", DropColumns(("id", "2024"))),
    ("keep_columns: [a b]", KeepColumns(("a b",))),
    ("set: {lang: en, n: 2, yes: true}", SetColumns((("lang", "en"), ("n", 2), ("yes", True)))),
    ('template: {prompt: "{a}\\n{{b}}"}', FillTemplate((("prompt", "{a}\n{{b}}"),))),
    ("lower_case: [a]", LowerCase(("a",))),
    ("strip: [a, b]", Strip(("a", "b"))),
    ('add_prefix: {column: a, text: " "}', AddPrefix("a", " ")),
    ('add_suffix: {column: a, text: "\\n\\n###\\n\\n"}', AddSuffix("a", "\n\n###\n\n")),
    ("remove_prefix: {column: a, text: 3.10}", RemovePrefix("a", "3.10")),
    ("remove_suffix: {column: a, text: END}", RemoveSuffix("a", "END")),
    ("ensure_leading_space: [a]", EnsureLeadingSpace(("a",))),
    ("drop_empty: [a]", DropEmpty(("a",))),
    ("drop_empty: true", DropEmpty()),
    ("deduplicate: [a]", Deduplicate(("a",))),
    ("deduplicate: true", Deduplicate()),
    ("drop_long: {characters: 100.0}", DropLong(characters=100)),
    ("drop_long: {tokens: 5, columns: [a]}", DropLong(tokens=5, columns=("a",))),
    ("filter: {column: a, equals: 3.10}", Filter(column="a", equals=3.1)),
    (
        'filter: {column: a, equals: "3.10", numbers: english}',
        Filter(column="a", equals="3.10", numbers=Numbers.ENGLISH),
    ),
    (
        'filter: {column: a, not_equals: x, in: [1, b], matches: "^a(b+|c)$", min: 1, max: 2.5, present: false}',
        Filter(
            column="a",
            not_equals="x",
            is_in=(1, "b"),
            matches="^a(b+|c)$",
            least=1,
            most=2.5,
            present=False,
        ),
    ),
    ("sample: {rows: 5}", Sample(rows=5)),
    ("sample: {share: 0.5, seed: 3}", Sample(share=0.5, seed=3)),
    ("limit: 7", Limit(7)),
    ("join_messages: true", JoinMessages()),
    ('join_messages: {separator: " "}', JoinMessages(" ")),
    ("drop_empty_turns: [system, user]", DropEmptyTurns(("system", "user"))),
    ("drop_turn_keys: [loss]", DropTurnKeys(("loss",))),
    ("turn_weight: {key: loss}", TurnWeight(key="loss")),
    ("turn_weight: {key: mask, inverted: true}", TurnWeight(key="mask", inverted=True)),
    ("mend_calls: true", MendCalls()),
    ("mend_images: true", MendImages()),
    ("place_images: images", PlaceImages("images")),
    ("choose_pair: {column: w, first: a, second: b}", ChoosePair(column="w", first="a", second="b")),
    ("pair_labels: {column: l, desired: ['true']}", PairLabels(column="l", desired=("true",))),
    ("convert: {from: sharegpt}", Convert(source=Form.SHAREGPT)),
    (
        "convert: {from: chat, to: completion}",
        Convert(source=Form.CHAT, target=Target.COMPLETION),
    ),
]


@pytest.mark.parametrize(("text", "expected"), STEPS)
def test_a_step_is_built_as_stated(tmp_path: Path, text: str, expected: Operation) -> None:
    (found,) = dataset(tmp_path, f"source: x.csv\nprepare:\n  - {text}\n").prepare
    assert found.operation == expected
    assert found.place == Place(file="specs/d.yaml", line=5, column=5)
    assert found.path == f"prepare[0].{text.partition(':')[0]}"


@pytest.mark.parametrize("operation", [operation for _, operation in STEPS])
def test_a_step_that_we_write_is_read_back_as_the_same_step(tmp_path: Path, operation: Operation) -> None:
    (found,) = dataset(tmp_path, f"source: x.csv\n{write_steps_inline([operation])}\n").prepare
    assert found.operation == operation


def test_every_step_of_the_schema_can_be_built_and_is_tested() -> None:
    names = set(schema("spec")["$defs"]["step"]["properties"])
    assert names == set(OPERATIONS) == {text.partition(":")[0] for text, _ in STEPS}
    assert {type(operation) for _, operation in STEPS} == set(Operation.__args__)


def test_every_form_of_the_schema_is_a_form_of_the_code() -> None:
    convert = schema("spec")["$defs"]["step"]["properties"]["convert"]["properties"]
    assert set(convert["from"]["enum"]) == set(Form)
    assert set(convert["to"]["enum"]) == set(Target)
    assert set(schema("spec")["$defs"]["source_encoding"]["enum"]) == set(Encoding)


def test_steps_keep_their_order(tmp_path: Path) -> None:
    found = dataset(tmp_path, "source: x.csv\nprepare:\n  - limit: 2\n  - strip: [a]\n  - limit: 1\n").prepare
    assert [(each.operation, each.place.line) for each in found] == [(Limit(2), 5), (Strip(("a",)), 6), (Limit(1), 7)]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("dedupe: true", "5:5  prepare[0].dedupe: unknown field, did you mean 'deduplicate'?"),
        ("limit: 0", "5:12  prepare[0].limit: must be a whole number of at least 1, is 0"),
        ("limit: 1\n    strip: [a]", "5:5  prepare[0]: must be a mapping with the name of one step, is a mapping"),
        ("join_messages", "5:5  prepare[0]: must be a mapping with the name of one step, is 'join_messages'"),
        (
            "join_messages: false",
            "5:20  prepare[0].join_messages: must be true, or a mapping with a separator, is false",
        ),
        ("drop_empty: false", "5:17  prepare[0].drop_empty: must be true, or a list of different columns, is false"),
        ("strip: []", "5:12  prepare[0].strip: must not be empty"),
        ("strip: [a, a]", "5:12  prepare[0].strip: must be a list of different columns, is a list"),
        ("strip: a", "5:12  prepare[0].strip: must be a list of different columns, is 'a'"),
        ("add_prefix: {colum: a, text: b}", "5:18  prepare[0].add_prefix.colum: unknown field, did you mean 'column'?"),
        ("add_prefix: {column: a}", "5:5  prepare[0].add_prefix.text: this is missing"),
        (
            "drop_long: {columns: [a]}",
            "5:16  prepare[0].drop_long: must be a mapping with either characters or tokens, is a mapping",
        ),
        (
            "sample: {rows: 1, share: 0.1}",
            "5:13  prepare[0].sample: must be a mapping with either rows or a share, is a mapping",
        ),
        ("sample: {share: 1}", "5:21  prepare[0].sample.share: must be a number above 0 and below 1, is 1"),
        (
            "filter: {column: a}",
            "5:13  prepare[0].filter: must be a mapping with a column and at least one condition, is a mapping",
        ),
        (
            "filter: {column: a, min: 3, max: 2}",
            "5:38  prepare[0].filter.max: no number is at least 'min' and at most 'max'",
        ),
        (
            'filter: {column: a, matches: "a("}',
            "5:34  prepare[0].filter.matches: this is not a regular expression: "
            "missing ), unterminated subpattern at character 2",
        ),
        (
            "rename: {a: c, b: c}",
            "5:23  prepare[0].rename.b: two columns cannot both have the name 'c'; 'a' already has it",
        ),
        ('template: {a: "{b"}', "5:19  prepare[0].template.a: a brace is opened and not closed"),
        (
            "convert: {from: share_gpt}",
            "5:21  prepare[0].convert.from: must be sharegpt, alpaca, cohere, dolly, prompt_completion, "
            "anthropic, bedrock, vertex, preference or chat, is 'share_gpt', did you mean 'sharegpt'?",
        ),
    ],
)
def test_a_mistake_in_a_step_is_reported_with_its_place(tmp_path: Path, text: str, mistake: str) -> None:
    found = problem_lines(tmp_path, f"kind: Dataset\nname: d\nsource: x.csv\nprepare:\n  - {text}\n")
    assert [each for each in found if each == mistake or each.startswith(mistake)], found


@pytest.mark.parametrize("pattern", ["a(?=b)", "a(?!b)", r"(a)\1", "(?<=a)b", "a++", "(a{1000}){1000}"])
def test_an_expression_that_cannot_be_matched_in_linear_time_is_refused(tmp_path: Path, pattern: str) -> None:
    step = f"filter: {{column: a, matches: '{pattern}'}}"
    (mistake,) = problem_lines(tmp_path, f"kind: Dataset\nname: d\nsource: x.csv\nprepare:\n  - {step}\n")
    assert mistake.startswith("5:34  prepare[0].filter.matches: this expression ")


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "[(a+)+]+", r"\(a+\)+", "(a*)*", "(a{2}){3}", "(a?b)+"])
def test_expressions_that_python_would_match_slowly_are_accepted(tmp_path: Path, pattern: str) -> None:
    assert dataset(tmp_path, f"source: x.csv\nprepare:\n  - filter: {{column: a, matches: '{pattern}'}}\n").prepare


@pytest.mark.parametrize(
    ("field", "item", "most"),
    [
        ("prepare", "{limit: 5}", 100),
        ("expect", "{min_rows: 5}", 200),
        ("messages", "{role: user, content: '{a}'}", 200),
        ("allow", "{rule: rows.duplicate, reason: on purpose}", 200),
    ],
)
def test_a_list_that_multiplies_the_work_of_each_row_is_bounded(
    tmp_path: Path, field: str, item: str, most: int
) -> None:
    """Thousands of steps would also be nested deeper than the interpreter can go."""
    text = f"kind: Dataset\nname: d\nsource: x.csv\n{field}: [{', '.join([item] * (most + 1))}]\n"
    found = problem_lines(tmp_path, text)
    assert any(each.startswith("4:") and f"must have at most {most} items, has {most + 1}" in each for each in found)


def test_columns_may_have_any_name(tmp_path: Path) -> None:
    """A name that is forbidden as a credential elsewhere is a column here."""
    text = (
        'source: x.csv\nprepare:\n  - rename: {url: prompt}\n  - template: {token: "{host}"}\n  - set: {headers: x}\n'
    )
    assert len(dataset(tmp_path, text).prepare) == 3
    found = problem_lines(tmp_path, "kind: Dataset\nname: d\nsource: x.csv\nprepare:\n  - sample: {tokens: 5}\n")
    assert any("a spec must not say where credentials go" in each for each in found)


def test_a_source_states_how_it_is_read_and_counted(tmp_path: Path) -> None:
    text = """\
source:
  - a.csv
  - {path: ../b.csv, weight: 2, delimiter: ";", encoding: latin-1}
  - {path: "c/*.xlsx", weight: 0.5, seed: 3, sheet: One}
  - path: d.jsonl
"""
    found = dataset(tmp_path, text)
    assert found.sources == ("specs/a.csv", "b.csv", "specs/c/*.xlsx", "specs/d.jsonl")
    assert found.terms == (
        Terms(),
        Terms(weight=2.0, delimiter=";", encoding=Encoding.LATIN_1),
        Terms(weight=0.5, seed=3, sheet="One"),
        Terms(),
    )
    alone = dataset(tmp_path, "source: {path: t.tsv, encoding: utf-16}\n")
    assert (alone.sources, alone.terms) == (
        ("specs/t.tsv",),
        (Terms(encoding=Encoding.UTF_16),),
    )


@pytest.mark.parametrize(
    ("source", "mistake"),
    [
        ("{weight: 2}", "3:1  source.path: this is missing"),
        ("[{path: a.csv, wieght: 2}]", "3:24  source[0].wieght: unknown field, did you mean 'weight'?"),
        ("{path: a.csv, weight: 0}", "3:31  source.weight: must be a number above 0, is 0"),
        (
            "{path: a.csv, encoding: utf16}",
            "3:33  source.encoding: must be utf-8, utf-16, latin-1, windows-1250, ",
        ),
        ("{path: a.jsonl, delimiter: ';'}", "3:25  source.delimiter: only CSV and TSV files have delimiters"),
        ("{path: a.csv, sheet: One}", "3:23  source.sheet: only XLSX files have sheets"),
        ("{path: a.xlsx, encoding: utf-8}", "3:24  source.encoding: a workbook defines its own encoding"),
        ("[a.csv, {path: ./a.csv}]", "3:24  source[1].path: './a.csv' is listed twice, first at 3:10"),
        ("{path: ../a.csv}", "3:16  source.path: '../a.csv' leads out of the repository"),
        ("[{path: b.xlsx, sheet: A}, {path: b.xlsx, sheet: A}]", "3:43  source[1].path: 'b.xlsx' is listed twice"),
        ("[{path: b.xlsx, sheet: A}, {path: b.xlsx, sheet: B}]", ""),
        ("{path: a.jsonl, quote: none}", "3:25  source.quote: only CSV and TSV files have quotes"),
        ("{path: a.csv, header: false}", "3:23  source.header: without a header, the columns have no names"),
        ("[{path: a.csv, header: false, columns: [x]}, {path: b.tsv, header: true}]", ""),
        ("{path: a.csv, header: 'http://x'}", "3:23  source.header: a spec must not say where credentials go"),
        ("{path: a.jsonl, columns: [x]}", "3:25  source.columns: only tables have columns"),
        ("[[a.csv]]", "3:10  source[0]: must be a file, or a mapping with a path, is a list"),
        ("{path: 3}", ""),
    ],
)
def test_a_mistake_in_a_source_is_reported_with_its_place(tmp_path: Path, source: str, mistake: str) -> None:
    found = problem_lines(tmp_path, f"kind: Dataset\nname: d\nsource: {source}\n")
    assert [each for each in found if each.startswith(mistake)] if mistake else not found, found


def test_a_text_that_is_too_long_is_no_other_kind_of_value(tmp_path: Path) -> None:
    steps = f"source: d.csv\nprepare: [{{filter: {{column: a, matches: {'ab' * 300}}}}}]\n"
    (line,) = problem_lines(tmp_path, f"kind: Dataset\nname: d\n{steps}")
    assert "prepare[0].filter.matches: must be text of at most 500 characters, is 'abab" in line
