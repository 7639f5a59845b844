"""What is wrong with a dataset's rows because of a field points at that field, under the name that its author used."""

from pathlib import Path

import pytest

from reconciler.dataset import measure
from reconciler.domain.errors import InputError, Problem
from tests.specfile.trees import specs_of

ROWS = "text,label\n" + "".join(f"q{at},a{at}\n" for at in range(12))
GAP = ROWS + "only,\n"


def findings(root: Path, fields: str, rows: str = ROWS) -> list[Problem]:
    """Return what measuring a dataset of these fields finds in rows."""
    files: dict[str, str | bytes] = {"s.yaml": f"kind: Dataset\nname: d\n{fields}", "t.csv": rows, "u.csv": rows}
    try:
        return list(measure(specs_of(root, files).datasets[0], root).warnings)
    except InputError as error:
        return list(error.problems)


MAPPED = 'prompt: "{text}"\ncompletion: "{label}"\n'


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ('source: t.csv\nprompt: "{txt}"\ncompletion: "{label}"\n', "s.yaml:4:9  prompt: "),
        ('source: t.csv\nsystem: Answer.\nprompt: "{text}"\ncompletion: "{lbl}"\n', "s.yaml:6:13  completion: "),
        ('source: t.csv\nsystem: "{x}"\nprompt: "{text}"\ncompletion: "{label}"\n', "s.yaml:4:9  system: "),
        ('source: t.csv\nformat: completion\nprompt: "{text}"\ncompletion: "{lbl}"\n', "s.yaml:6:13  completion: "),
        (
            'source: t.csv\nmessages:\n  - {role: user, content: "{txt}"}\n  - {role: assistant, content: "{label}"}\n',
            "s.yaml:5:27  messages[0].content: ",
        ),
        (f"source: [t.csv, nothing.csv]\n{MAPPED}", "s.yaml:3:17  source[1]: there is no file"),
        (f"source: [t.csv, {{path: no/x.csv}}]\n{MAPPED}", "s.yaml:3:24  source[1].path: there is no file"),
        (f"source: {{path: no.csv, weight: 2}}\n{MAPPED}", "s.yaml:3:16  source.path: there is no file"),
        (f"source: no.csv\n{MAPPED}", "s.yaml:3:9  source: there is no file"),
        (f"source: [t.csv, '*.csv']\n{MAPPED}", "s.yaml:3:17  source[1]: `*.csv` finds `t.csv`, which `t.csv`"),
        (f"source: t.csv\n{MAPPED}heldout: [u.csv, j.csv]\n", "s.yaml:6:18  heldout[1]: there is no file"),
        (f"source: t.csv\n{MAPPED}expect:\n  - min_rows: 99\n", "s.yaml:7:5  expect[0].min_rows: "),
        (
            f"source: t.csv\n{MAPPED}allow: [{{rule: rows.alike, reason: some words}}]\n",
            "s.yaml:6:8  allow: `allow` names rows.alike",
        ),
        (f"source: t.csv\n{MAPPED}split: {{validation: 0.000001}}\n", "s.yaml:6:21  split.validation: none of"),
    ],
)
def test_a_finding_points_at_the_field_that_caused_it(tmp_path: Path, fields: str, place: str) -> None:
    found = [str(each) for each in findings(tmp_path, fields)]
    assert [each for each in found if each.startswith(place)], found


def test_a_cell_that_a_template_needs_is_named_as_its_author_named_it(tmp_path: Path) -> None:
    found = [str(each) for each in findings(tmp_path, f"source: t.csv\nsystem: Answer.\n{MAPPED}", GAP)]
    assert found == ["t.csv:14  completion: empty, because the column `label` is"]


def test_a_sheet_that_is_missing_points_at_the_field_that_names_it(tmp_path: Path) -> None:
    from openpyxl import Workbook

    Workbook().save(tmp_path / "b.xlsx")
    for source, place in (
        ("source: {path: b.xlsx, sheet: Rows}\n", "s.yaml:3:31  source.sheet: "),
        ("source: b.xlsx\nsheet: Rows\n", "s.yaml:4:8  sheet: "),
    ):
        found = [str(each) for each in findings(tmp_path, f"{source}{MAPPED}")]
        assert [each for each in found if each.startswith(place)], found


def test_too_few_rows_point_at_the_source(tmp_path: Path) -> None:
    found = findings(tmp_path, f"source: t.csv\n{MAPPED}", "text,label\na,b\n")
    assert str(found[0]).startswith("s.yaml:3:9  source: 1 example")
