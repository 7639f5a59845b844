"""The page about preparing data, generated from the schema, from steps run on small rows, and from the rules."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.dataset.row_checks import RULES
from reconciler.domain.prepare import Form
from reconciler.specfile import read_specs
from tests.acceptance.test_docs import read_golden

from .factories import run_steps

ROOT = Path(__file__).parents[3]
DEFINITIONS: dict[str, Any] = json.loads((ROOT / "schemas/spec.schema.json").read_text(encoding="utf-8"))["$defs"]
STEPS: dict[str, Any] = DEFINITIONS["step"]["properties"]

HEAD = """# Preparing data

The `prepare` list of a dataset changes its rows before they are checked, digested and uploaded. The list is part of
the spec: it is reviewed with the spec, and every run gives the same rows.

```yaml
kind: Dataset
name: support
source: data/support.csv
prepare:
  - rename: {question: prompt, answer: completion}
  - drop_empty: [prompt, completion]
  - deduplicate: true
```

Rows pass through these stages:

1. The sources are read one after the other, as one stream of rows.
2. The steps of `prepare` run in the order in which they are written.
3. The weight of a source repeats its rows, or leaves some of them out.
4. The mapping (`prompt`, `completion`, `messages`) makes rows in the API's format.
5. The checks look at these rows.

One row is in memory at a time, whatever the size of the files, except where a step says otherwise. A step changes the
digest of a dataset only when it changes the rows.

A step that names a column which no row has is an error, shown at the line of the step. A step that drops rows reports
how many. A step on texts first writes a number, true or false as text; a value that is missing, null, a
list or an object stays.

If you know `openai tools fine_tunes.prepare_data`, read [From prepare_data](preparing-data-legacy.md).
"""
JUDGED = """## Columns that judge an answer

A row with a question, an answer and a `label` or `rating` may be a good example or a bad one. Only its author knows.
So a column that may judge an answer stops `validate`, `plan` and `prepare`, until the spec keeps some rows by a
`filter` and leaves the column out, or only leaves it out. That is one line in a spec; to train on bad answers costs a
job.

The line between such a column and an ordinary one is drawn by its name: a scale may be 1 to 5, A to F, stars, or any
words, and whether 5 or 1 is best stands in no file. Under another name, only words that judge (`good`, `rejected`,
`thumbs up`) in all of its cells do so; a column of 0 and 1 whose name says nothing is named in the hint, and decides
nothing.

- **It judges**, where the name is `label`, `is_good`, `accepted`, `correct`, `toxic` or a similar word for a
  judgement, or ends in `rating`, `grade`, `score`, `reward`, `stars`, `quality`, `feedback` or `votes`, alone or
  after words for the answer, for the judge or for an average: `answer_quality`, `human_rating`, `avg_score`.
- **It does not**, where other words stand before it: a `credit_score` or a `product_rating` measures something else.
  Nor do `category`, `topic`, `difficulty`, `language`, `source` or an id.
- **It is the answer's class**, where each answer always has the same value: a `label` of 1 beside each "yes" says
  nothing new, and is left out with a word.
- **The answer itself** judges nothing: a `label` that is the only answer of the row is what the model learns. Beside
  an answer that is a class, a number or word in another column is a fact about what is classified, and is left out
  with a word; yes or no beside it still judges.

Yes and no, in the words and signs that are known for them (`true`, `0`, `good`, `thumbs_down`), need no question: the
hint keeps the desired answers, or makes pairs of them where a model learns from preferences.
"""
RULES_HEAD = """## Rules

What the checks require of files and rows. The id of a rule appears in `--json` output and in annotations. Every finding
is an error that stops the run and names file and line, unless the table says otherwise. What `reconciler prepare`
finds and has a remedy for is a warning with an id of its own, such as `prepare.common-prompt-suffix`.
"""
QUESTIONS = [{"question": "Why?", "answer": "So."}, {"question": "How?", "answer": "Thus."}]
PAIRS = [{"prompt": "Why?", "completion": "So."}, {"prompt": "How?", "completion": "Thus."}]
MARKED = [{"prompt": "Why?", "completion": "Answer: So. END"}, {"prompt": "How?", "completion": "Thus."}]
HOLES = [
    {"prompt": "Why?", "completion": " "},
    {"prompt": "How?", "completion": "Thus.", "note": ""},
    {"prompt": "When?", "completion": "Now."},
]
SPACED = [{"prompt": " Why?\n", "completion": "So. "}]
USER, ANSWER = {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}
CALL = {"name": "look", "arguments": {"n": 1}}
JPG = "data:image/jpg;base64,/9j/"
TWICE = [{"messages": [{"role": "user", "content": "Hello."}, USER, ANSWER]}]

ROWS: dict[str, list[Any]] = {
    "rename": QUESTIONS[:1],
    "drop_columns": [{"id": 7, "created at": "2026-01-01", **PAIRS[0]}],
    "keep_columns": [{"id": 7, **PAIRS[0]}],
    "set": PAIRS[:1],
    "template": [{"subject": "Card", "body": "It is lost.", "queue": "cards"}],
    "lower_case": PAIRS,
    "strip": SPACED,
    "add_prefix": PAIRS[:1],
    "add_suffix": PAIRS[:1],
    "remove_prefix": MARKED,
    "remove_suffix": MARKED,
    "ensure_leading_space": [PAIRS[0], {"prompt": "How?", "completion": " Thus."}],
    "drop_empty": HOLES,
    "deduplicate": [*PAIRS, {"prompt": "Why?", "completion": "Because."}, PAIRS[1]],
    "drop_long": [*PAIRS, {"prompt": "Why is that so, and since when?", "completion": "The reason is unknown."}],
    "filter": [{"stars": "5", "language": "en"}, {"stars": "2", "language": "fr"}, {"stars": "4", "language": "de"}],
    "sample": [{"n": at} for at in range(1, 9)],
    "limit": [{"n": at} for at in range(1, 5)],
    "join_messages": TWICE,
    "drop_empty_turns": [{"messages": [{"role": "system", "content": ""}, USER, ANSWER]}],
    "drop_turn_keys": [{"messages": [USER, {**ANSWER, "loss": 1}]}],
    "turn_weight": [
        {
            "messages": [
                USER,
                {"role": "assistant", "content": "Hm.", "loss": 0, "masked": 1},
                USER,
                {**ANSWER, "loss": 1},
            ]
        }
    ],
    "mend_calls": [
        {"messages": [USER, {"role": "assistant", "tool_calls": [{"name": "look", "arguments": {"n": 1}}]}]}
    ],
    "mend_images": [
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "data:image/jpg;base64,/9j/"}}],
                },
                ANSWER,
            ]
        }
    ],
    "place_images": [
        {
            "messages": [{"role": "user", "content": "<image>What is it?"}, ANSWER],
            "images": ["https://example.test/cat.png"],
        }
    ],
    "choose_pair": [{"prompt": "Why?", "response_a": "So.", "response_b": "No.", "winner": "b"}],
    "pair_labels": [
        {"prompt": "Why?", "completion": "So.", "label": "good"},
        {"prompt": "Why?", "completion": "No.", "label": "bad"},
        {"prompt": "How?", "completion": "Thus.", "label": "good"},
    ],
}
FORMS: dict[Form, dict[str, Any]] = {
    Form.SHAREGPT: {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]},
    Form.ALPACA: {"instruction": "Add.", "input": "1 and 2", "output": "3"},
    Form.PROMPT_COMPLETION: PAIRS[0],
    Form.ANTHROPIC: {
        "system": "Be brief.",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}, ANSWER],
    },
    Form.VERTEX: {
        "contents": [{"role": "user", "parts": [{"text": "Why?"}]}, {"role": "model", "parts": [{"text": "So."}]}]
    },
    Form.COHERE: {
        "chat_history": [{"role": "USER", "message": "Hello."}, {"role": "CHATBOT", "message": "Yes?"}],
        "message": "Why?",
        "response": "So.",
    },
    Form.DOLLY: {"instruction": "Add.", "context": "1 and 2", "response": "3"},
    Form.BEDROCK: {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": "Why?"}]},
            {"role": "assistant", "content": [{"text": "So."}]},
        ],
    },
    Form.PREFERENCE: {"prompt": "Why?", "chosen": "So.", "rejected": "No."},
    Form.CHAT: {"messages": [{"role": "human", "value": "Why?"}, {"role": "bot", "value": "So."}]},
}


def resolve(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of the schema with its references resolved."""
    if "$ref" not in node:
        return dict(node)
    return {
        **resolve(DEFINITIONS[node["$ref"].rpartition("/")[2]]),
        **{key: node[key] for key in node if key != "$ref"},
    }


def flow(value: object) -> str:
    """Return a value as YAML on one line, with quotes only where a text needs them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w -]*[\w]|[A-Za-z]", value)
    return str(value) if plain else json.dumps(value, ensure_ascii=False)


def lines(rows: list[Any]) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def example(name: str, value: object, workspace: Path) -> str:
    """Return a step as it is written, and the rows before and after it: the step is read, built and run."""
    text = f"- {name}: {flow(value)}"
    spec = workspace / "d.yaml"
    spec.write_text(f"kind: Dataset\nname: d\nsource: x.jsonl\nprepare:\n  {text}\n", encoding="utf-8")
    (found,) = read_specs(workspace, workspace).datasets
    rows = ROWS[name] if name != "convert" else [FORMS[Form(dict(value)["from"])]]  # type: ignore[call-overload]  # as the schema says
    after = run_steps(rows, *(each.operation for each in found.prepare))
    return f"```yaml\n{text}\n```\n\n```json\n{lines(rows)}```\n\nbecomes\n\n```json\n{lines(after)}```"


def examples(name: str) -> list[object]:
    """Return the examples of the schema; for conversions, also one of each form."""
    found: list[object] = list(resolve(STEPS[name])["examples"])
    if name == "convert":
        shown = {example["from"] for example in found if isinstance(example, dict)}
        found += [{"from": str(form)} for form in FORMS if form not in shown]
    return found


def table(fields: Mapping[str, Any]) -> str:
    """Return the fields of a step or a source as a table."""
    rows = []
    for name, node in fields.items():
        field = resolve(node)
        default = f" Default: `{json.dumps(field['default'])}`." if "default" in field else ""
        shown = flow(field["examples"][0]).replace("|", "\\|")
        rows.append(f"| `{name}` | {field['description']}{default} | `{shown}` |")
    return "\n".join(["| field | meaning | example |", "|---|---|---|", *rows])


def section(name: str, workspace: Path) -> Iterator[str]:
    step = resolve(STEPS[name])
    yield f"### {name}"
    yield step["description"]
    if "properties" in step:
        yield table(step["properties"])
    for value in examples(name):
        yield example(name, value, workspace)


def page(workspace: Path) -> str:
    sources = {name.removeprefix("source_"): part for name, part in DEFINITIONS.items() if name.startswith("source_")}
    parts = [HEAD.rstrip(), "## Steps", *(part for name in STEPS for part in section(name, workspace))]
    parts += ["## Sources", SOURCES.strip(), table(sources)]
    parts += [JUDGED.strip()]
    parts += [RULES_HEAD.rstrip(), "| rule | meaning |\n|---|---|"]
    return "\n\n".join(parts) + "\n" + "".join(f"| `{rule}` | {RULES[rule]} |\n" for rule in sorted(RULES))


SOURCES = """
`source` is a file, a glob pattern, a mapping with more fields, or a list of these. Weights apply after the steps, so no
step undoes them. Copies of a row are neighbours, and always on one side of a split. No two entries may find the same
file, except two sheets of one workbook.

```yaml
source:
  - data/tickets.csv
  - {path: data/old/*.csv, weight: 0.5, delimiter: ";", encoding: latin-1}
  - {path: data/hard-cases.xlsx, weight: 3, sheet: Cases}
```
"""


def test_the_page_is_generated_from_the_schema_the_steps_and_the_rules(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert read_golden("docs/preparing-data.md", text) == text


def test_the_sources_of_the_page_can_be_read(tmp_path: Path) -> None:
    (written,) = re.findall(r"```yaml\n(.*?)```", SOURCES, re.DOTALL)
    (tmp_path / "d.yaml").write_text(f"kind: Dataset\nname: d\n{written}", encoding="utf-8")
    (found,) = read_specs(tmp_path, tmp_path).datasets
    assert len(found.sources) == 3
    (shown,) = re.findall(r"```yaml\n(.*?)```", HEAD, re.DOTALL)
    (tmp_path / "d.yaml").write_text(shown, encoding="utf-8")
    assert len(read_specs(tmp_path, tmp_path).datasets[0].prepare) == 3


@pytest.mark.parametrize("name", STEPS)
def test_the_first_example_of_each_step_changes_its_rows(name: str, tmp_path: Path) -> None:
    before, after = re.findall(r"```json\n(.*?)```", example(name, examples(name)[0], tmp_path), re.DOTALL)
    assert before != after
    assert after
