"""The page about preparing data: made of the schema, of the steps as they run on small rows, and of the rules."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.dataset.row_checks import RULES
from reconciler.domain.prepare import Form
from reconciler.specfile import read_specs
from tests.acceptance.test_docs import golden

from .factories import done

ROOT = Path(__file__).parents[3]
DEFINITIONS: dict[str, Any] = json.loads((ROOT / "schemas/spec.schema.json").read_text(encoding="utf-8"))["$defs"]
STEPS: dict[str, Any] = DEFINITIONS["step"]["properties"]

HEAD = """# Preparing data

A dataset's `prepare` says what is done to its rows before they are checked, digested and sent. It is written in the
spec, so it is reviewed with it and repeated by everybody alike:

```yaml
kind: Dataset
name: support
source: data/support.csv
prepare:
  - rename: {question: prompt, answer: completion}
  - drop_empty: [prompt, completion]
  - deduplicate: true
```

Rows are read from the sources, one after the other, as one stream; the steps run in the order they are written; then
weights repeat or thin out the rows of each source; then the mapping (`prompt`, `completion`, `messages`) makes rows in
the API's form, and the checks look at those. One row is in memory at a time, whatever the size of the files, except
where a step says otherwise. A step changes the digest of a dataset only when it changes the rows.

A step that names a column which no row has is an error at the step's line. A step that drops rows tells how many.
Steps that change texts write a number, true or false as text first; what is missing, null, a list or an object stays.

How people of the old `prepare_data` find their way is in [another page](preparing-data-legacy.md).
"""
RULES_HEAD = """## Rules

What the checks ask of files and rows, by the id that stands in `--json` output and in annotations. All are errors that
stop a run, with file and line, unless it says otherwise.
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
    "drop_long": [*PAIRS, {"prompt": "Why is that so, and since when?", "completion": "Nobody knows."}],
    "filter": [{"stars": "5", "language": "en"}, {"stars": "2", "language": "fr"}, {"stars": "4", "language": "de"}],
    "sample": [{"n": at} for at in range(1, 9)],
    "limit": [{"n": at} for at in range(1, 5)],
    "join_messages": TWICE,
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
    Form.CHAT: {"messages": [{"role": "human", "value": "Why?"}, {"role": "bot", "value": "So."}]},
}


def resolved(node: Mapping[str, Any]) -> dict[str, Any]:
    """A part of the schema with what it refers to."""
    if "$ref" not in node:
        return dict(node)
    return {
        **resolved(DEFINITIONS[node["$ref"].rpartition("/")[2]]),
        **{key: node[key] for key in node if key != "$ref"},
    }


def flow(value: object) -> str:
    """A value as YAML on one line, texts in quotes where they need them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w -]*[\w]|[A-Za-z]", value)
    return str(value) if plain else json.dumps(value, ensure_ascii=False)


def lines(rows: list[Any]) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def example(name: str, said: object, workspace: Path) -> str:
    """A step as it is written, and what it makes of small rows: read, built and run."""
    text = f"- {name}: {flow(said)}"
    spec = workspace / "d.yaml"
    spec.write_text(f"kind: Dataset\nname: d\nsource: x.jsonl\nprepare:\n  {text}\n", encoding="utf-8")
    (found,) = read_specs(workspace, workspace).datasets
    rows = ROWS[name] if name != "convert" else [FORMS[Form(dict(said)["from"])]]  # type: ignore[call-overload]  # as the schema says
    after = done(rows, *(each.operation for each in found.prepare))
    return f"```yaml\n{text}\n```\n\n```json\n{lines(rows)}```\n\nbecomes\n\n```json\n{lines(after)}```"


def examples(name: str) -> list[object]:
    """The examples of the schema; for conversions, one of each form besides."""
    found: list[object] = list(resolved(STEPS[name])["examples"])
    if name == "convert":
        shown = {example["from"] for example in found if isinstance(example, dict)}
        found += [{"from": str(form)} for form in FORMS if form not in shown]
    return found


def table(fields: Mapping[str, Any]) -> str:
    """The fields of a step or a source, as a table."""
    rows = []
    for name, node in fields.items():
        field = resolved(node)
        default = f" Default: `{json.dumps(field['default'])}`." if "default" in field else ""
        shown = flow(field["examples"][0]).replace("|", "\\|")
        rows.append(f"| `{name}` | {field['description']}{default} | `{shown}` |")
    return "\n".join(["| field | means | example |", "|---|---|---|", *rows])


def section(name: str, workspace: Path) -> Iterator[str]:
    step = resolved(STEPS[name])
    yield f"### {name}"
    yield step["description"]
    if "properties" in step:
        yield table(step["properties"])
    for said in examples(name):
        yield example(name, said, workspace)


def page(workspace: Path) -> str:
    sources = {name.removeprefix("source_"): part for name, part in DEFINITIONS.items() if name.startswith("source_")}
    parts = [HEAD.rstrip(), "## Steps", *(part for name in STEPS for part in section(name, workspace))]
    parts += ["## Sources", SOURCES.strip(), table(sources)]
    parts += [RULES_HEAD.rstrip(), "| rule | means |\n|---|---|"]
    return "\n\n".join(parts) + "\n" + "".join(f"| `{rule}` | {RULES[rule]} |\n" for rule in sorted(RULES))


SOURCES = """
`source` is a file, a glob, a mapping that says more of them, or a list of such. A weight is counted after the steps, so
that no step undoes it; copies of a row stand side by side, and always on one side of a split.

```yaml
source:
  - data/tickets.csv
  - {path: data/old/*.csv, weight: 0.5, delimiter: ";", encoding: latin-1}
  - {path: data/hard-cases.xlsx, weight: 3, sheet: Cases}
```
"""


def test_the_page_is_made_of_the_schema_the_steps_and_the_rules(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert golden("docs/preparing-data.md", text) == text


def test_the_sources_of_the_page_can_be_read(tmp_path: Path) -> None:
    (written,) = re.findall(r"```yaml\n(.*?)```", SOURCES, re.DOTALL)
    (tmp_path / "d.yaml").write_text(f"kind: Dataset\nname: d\n{written}", encoding="utf-8")
    (found,) = read_specs(tmp_path, tmp_path).datasets
    assert len(found.sources) == 3
    (shown,) = re.findall(r"```yaml\n(.*?)```", HEAD, re.DOTALL)
    (tmp_path / "d.yaml").write_text(shown, encoding="utf-8")
    assert len(read_specs(tmp_path, tmp_path).datasets[0].prepare) == 3


@pytest.mark.parametrize("name", STEPS)
def test_the_first_example_of_each_step_does_something(name: str, tmp_path: Path) -> None:
    before, after = re.findall(r"```json\n(.*?)```", example(name, examples(name)[0], tmp_path), re.DOTALL)
    assert before != after
    assert after
