"""The spec that import writes reads rows of another form by the steps that prepare and validate name for them."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from reconciler.dataset import measure
from reconciler.domain.spec import Format
from reconciler.specfile import ImportedModel, import_spec_text, read_specs
from reconciler.workflow.import_job import ImportDraft

Row = dict[str, Any]

IMPORTED = ImportedModel(name="theirs", job="ftjob-1", model=None, base="some-base", training="theirs-data")  # type: ignore[arg-type]  # an id


def turns(key: str, role: str, text: str, names: tuple[str, str], at: int, **more: object) -> Row:
    pairs = zip(names, (f"q{at}", f"a{at}"), strict=True)
    return {key: [{role: name, text: said} for name, said in pairs], **more}


def draft_text(root: Path, row: Callable[[int], Row]) -> str:
    """Download 12 rows as import does, and return the spec that it writes for them."""
    content = "".join(json.dumps(row(at)) + "\n" for at in range(12)).encode()
    setting = SimpleNamespace(root=root / "specs", workspace=root)
    place = SimpleNamespace(setting=setting, specs=SimpleNamespace(datasets=()))
    draft = ImportDraft(place=place, workspace=root, target=root / "specs/theirs.yaml")  # type: ignore[arg-type]  # what gather needs of it
    job = SimpleNamespace(training_file="file-1", validation_file="file-2")
    provider = SimpleNamespace(content=lambda _: iter((content,)))
    return import_spec_text(draft.gather(IMPORTED, job, provider))  # type: ignore[arg-type]  # likewise


@pytest.mark.parametrize(
    ("row", "steps"),
    [
        (lambda at: turns("conversations", "from", "value", ("human", "gpt"), at), [{"convert": {"from": "sharegpt"}}]),
        (lambda at: {"instruction": f"q{at}", "input": "", "output": f"a{at}"}, [{"convert": {"from": "alpaca"}}]),
        (
            lambda at: turns(
                "messages", "role", "content", ("user", "assistant"), at, system=[{"type": "text", "text": "s"}]
            ),
            [{"convert": {"from": "anthropic"}}],
        ),
    ],
)
def test_rows_of_another_form_are_read_by_the_steps_of_their_form(
    tmp_path: Path, row: Callable[[int], Row], steps: list[object]
) -> None:
    text = draft_text(tmp_path, row)
    datasets = [each for each in yaml.safe_load_all(text) if each["kind"] == "Dataset"]
    assert [each["prepare"] for each in datasets] == [steps, steps]
    assert "# 12 of the first 12 rows are " in text
    (tmp_path / "specs/theirs.yaml").write_text(text, encoding="utf-8")
    for spec in read_specs(tmp_path / "specs", tmp_path).datasets:
        found = measure(spec, tmp_path)
        assert (found.format, found.training.rows) == (Format.CHAT, 12)


def test_columns_become_a_mapping(tmp_path: Path) -> None:
    dataset = next(yaml.safe_load_all(draft_text(tmp_path, lambda at: {"question": f"q{at}", "answer": f"a{at}"})))
    assert (dataset["prompt"], dataset["completion"]) == ("{question}", "{answer}")


@pytest.mark.parametrize(
    "row",
    [
        lambda at: turns("messages", "role", "content", ("user", "assistant"), at),
        lambda at: {"prompt": f"q{at}", "completion": f"a{at}"},
        lambda at: {"x": at},
    ],
)
def test_rows_of_the_api_and_unknown_rows_need_no_line(tmp_path: Path, row: Callable[[int], Row]) -> None:
    assert set(next(yaml.safe_load_all(draft_text(tmp_path, row)))) == {"kind", "name", "source"}
