"""Rows that a base cannot learn from are found before anything is uploaded, with the step that mends them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.domain.errors import InputError
from reconciler.workflow import check_specs, locate_setting

MINI, VISION, PLAIN, TURBO = "gpt-4.1-mini-2025-04-14", "gpt-4o-2024-08-06", "babbage-002", "gpt-3.5-turbo"
PAIR = "prepare: [{convert: {from: prompt_completion}}]"
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.test/cat.png"}}


def completion(at: int) -> dict[str, Any]:
    return {"prompt": f"q{at}", "completion": f" text {at}"}


def chat(at: int) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": f"q{at}"}, {"role": "assistant", "content": f"a{at}"}]}


def make_row_with_image(at: int) -> dict[str, Any]:
    parts = [IMAGE, {"type": "text", "text": f"q{at}"}]
    return {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": f"a{at}"}]}


def make_row_with_system(at: int) -> dict[str, Any]:
    return {"messages": [{"role": "system", "content": "You help."}, *chat(at)["messages"]]}


def preference(at: int) -> dict[str, Any]:
    answers = {
        key: [{"role": "assistant", "content": f"{key} {at}"}] for key in ("preferred_output", "non_preferred_output")
    }
    return {"input": {"messages": [{"role": "user", "content": f"q{at}"}]}, **answers}


Row = Callable[[int], dict[str, Any]]


def find(
    root: Path,
    row: Row,
    base: str,
    *,
    dataset: str = "",
    method: str = "supervised",
    table: bool = False,
) -> list[tuple[str, str, str]]:
    """Return the rule, the text and the hint of each error."""
    provider = "openai-legacy" if base == "davinci" else "openai"
    specs = root / "specs"
    specs.mkdir(exist_ok=True)
    (specs / "rows.jsonl").write_text("".join(json.dumps(row(at)) + "\n" for at in range(12)), encoding="utf-8")
    cells = [f"{each['prompt']},{each['completion']}" for each in map(row, range(12))] if table else []
    (specs / "rows.csv").write_text("\n".join(["prompt,completion", *cells, ""]), encoding="utf-8")
    documents = (
        f"kind: Dataset\nname: rows\nsource: rows.{'csv' if table else 'jsonl'}\n{dataset}\n",
        f"kind: Model\nname: m\ntraining: rows\nbase: {base}\nprovider: {provider}\nmethod: {method}\n",
    )
    (specs / "all.yaml").write_text("---\n".join(documents), encoding="utf-8")
    try:
        check_specs(locate_setting(specs, {"RECONCILER_HOME": str(root / "home")}))
    except InputError as error:
        return [(each.rule, str(each), each.hint) for each in error.problems]
    return []


@pytest.mark.parametrize("base", [MINI, "gpt-4o-mini-2024-07-18", TURBO, f"ft:{MINI}:org:name:id"])
def test_completion_rows_for_a_base_of_chat_are_an_error_with_the_step_to_chat(tmp_path: Path, base: str) -> None:
    ((rule, text, hint),) = find(tmp_path, completion, base)
    assert rule == "service.format"
    assert f"its rows are prompts and completions, and {base} learns from conversations" in text
    assert "convert: {from: prompt_completion}" in hint
    assert "babbage-002" in hint
    assert not find(tmp_path, completion, base, dataset=PAIR)
    assert not find(tmp_path, completion, base, dataset='prompt: "{prompt}"\ncompletion: "{completion}"')


def test_chat_rows_for_a_base_of_plain_text_are_an_error(tmp_path: Path) -> None:
    ((rule, text, hint),) = find(tmp_path, chat, PLAIN)
    assert rule == "service.format"
    assert f"its rows are conversations, and {PLAIN} learns from prompts and completions" in text
    assert not find(tmp_path, chat, PLAIN, dataset="prepare: [{convert: {from: chat, to: completion}}]")
    assert "convert: {from: chat, to: completion}" in hint
    mapping = 'prompt: "{prompt}"\ncompletion: "{completion}"'
    ((rule, _, hint),) = find(tmp_path, completion, PLAIN, dataset=mapping)
    assert rule == "service.format"
    assert "`format: completion`" in hint
    assert not find(tmp_path, completion, PLAIN, dataset=f"format: completion\n{mapping}")


def test_a_method_that_a_base_does_not_know_is_an_error_with_the_bases_that_do(tmp_path: Path) -> None:
    ((rule, text, hint),) = find(tmp_path, preference, TURBO, method="dpo")
    assert (rule, "method: gpt-3.5-turbo does not learn by dpo" in text) == ("service.method", True)
    assert MINI in hint
    assert not find(tmp_path, preference, MINI, method="dpo")


def test_images_for_a_base_that_does_not_see_are_an_error_with_the_bases_that_do(tmp_path: Path) -> None:
    ((rule, text, hint),) = find(tmp_path, make_row_with_image, MINI)
    assert (rule, "its rows hold 12 images" in text) == ("service.images", True)
    assert hint == f"the bases that see images are {VISION}, gpt-4o"
    assert not find(tmp_path, make_row_with_image, VISION)


@pytest.mark.parametrize(("row", "method"), [(chat, "supervised"), (completion, "supervised"), (preference, "dpo")])
def test_a_base_without_rules_takes_any_rows(tmp_path: Path, row: Row, method: str) -> None:
    assert not find(tmp_path, row, "a-base-of-tomorrow", method=method)


MAPPED = 'prompt: "{prompt}"\ncompletion: "{completion}"\n'
MESSAGES = 'messages: [{role: user, content: "{prompt}"}, {role: assistant, content: "{completion}"}]\n'
SYSTEM = MESSAGES.replace("[", "[{role: system, content: You help.}, ")
TWICE = MESSAGES.replace("]", ", {role: user, content: more}, {role: assistant, content: no}]")
FORMS = {
    "chat": (chat, ""),
    "chat-with-a-system-turn": (make_row_with_system, ""),
    "pairs": (completion, ""),
    "columns": (completion, MAPPED),
    "columns-as-chat": (completion, f"format: chat\n{MAPPED}"),
    "columns-as-pairs": (completion, f"format: completion\n{MAPPED}"),
    "columns-with-a-system-text": (completion, f"system: You help.\n{MAPPED}"),
    "columns-with-a-system-text-as-pairs": (completion, f"format: completion\nsystem: You help.\n{MAPPED}"),
    "turns": (completion, MESSAGES),
    "turns-with-a-system-text": (completion, SYSTEM),
    "turns-as-pairs": (completion, f"format: completion\n{MESSAGES}"),
    "two-exchanges": (completion, TWICE),
}
REFUSED = {
    ("two-exchanges", PLAIN): "hold one question and one answer: use a Dataset of such rows",
    ("two-exchanges", "davinci"): "hold one question and one answer: use a Dataset of such rows",
}


def follow(hint: str, dataset: str) -> str:
    """Return the fields of a Dataset after the first of the ways that a hint names."""
    first = hint.partition("; or")[0]
    for name in re.findall(r"remove `(\w+)`", first):
        dataset = re.sub(rf"(?m)^{name}: .*\n", "", dataset)
    for name, value in re.findall(r"[`'](format|prompt|completion): ([^`']*)[`']", first):
        dataset = re.sub(rf"(?m)^{name}: .*\n", "", dataset) + f"{name}: {value}\n"
    for step in re.findall(r"`(convert: [^`]*)`", first):
        dataset += f"prepare: [{{{step}}}]\n"
    return dataset


@pytest.mark.parametrize("base", [MINI, TURBO, PLAIN, "davinci"])
@pytest.mark.parametrize("form", FORMS)
def test_hints_lead_from_each_form_to_rows_of_the_base_or_to_a_refusal(tmp_path: Path, form: str, base: str) -> None:
    row, dataset = FORMS[form]
    seen = []
    for _ in range(4):
        found = find(tmp_path, row, base, dataset=dataset)
        if not found:
            assert (form, base) not in REFUSED
            return
        ((_, text, hint),) = found
        assert dataset not in seen, text
        seen.append(dataset)
        if refusal := REFUSED.get((form, base)):
            assert refusal in hint
            return
        dataset = follow(hint, dataset)
    raise AssertionError(seen)


def test_a_table_of_prompts_that_is_read_as_chat_gets_the_format_as_its_hint(tmp_path: Path) -> None:
    dataset = "format: chat\n"
    ((_, _, hint),) = find(tmp_path, completion, PLAIN, dataset=dataset, table=True)
    assert not find(tmp_path, completion, PLAIN, dataset=follow(hint, dataset), table=True)
