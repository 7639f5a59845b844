"""A title above the header of a table: it is the one cause that is named, and the hint works as it stands."""

import re

import pytest

from tests.acceptance.conftest import Repository

ROWS = "question,answer\n" + "".join(f"Where is parcel {number}?,in city {number}\n" for number in range(12))
SPEC = 'kind: Dataset\nname: t\nsource: ../t.csv\nprompt: "{question}"\ncompletion: "{answer}"\n'


@pytest.mark.parametrize(
    "title", ["Tickets of 2024\n", "Tickets of 2024,\n", "Tickets of 2024,\n,\nShared,\n", ",Tickets\n"]
)
def test_a_title_is_the_only_problem_and_its_hint_works(repository: Repository, title: str) -> None:
    repository.write("specs/t.yaml", SPEC)
    repository.write("t.csv", title + ROWS)
    result = repository.run("validate")
    said = " ".join(result.err.split())
    assert result.code == 3
    assert "1 problem; nothing was sent." in said
    removed = re.search(r"remove lines? (\d+)(?: to (\d+))? from the file", said)
    assert removed
    lines = (title + ROWS).splitlines(keepends=True)
    del lines[int(removed[1]) - 1 : int(removed[2] or removed[1])]
    repository.write("t.csv", "".join(lines))
    assert repository.run("validate").out == "Valid: 0 models, 1 dataset, 12 rows.\n"


def test_prepare_names_a_title_too(repository: Repository) -> None:
    repository.write("t.csv", "Tickets of 2024\n" + ROWS)
    assert "remove line 1 from the file" in " ".join(repository.run("prepare", "t.csv").err.split())


@pytest.mark.parametrize("table", ["text\nHello, world\nWell, then\nOh, no\n", "prompt\nHi, you\nHello there\n"])
def test_a_header_of_one_column_above_cells_with_commas_is_no_title(repository: Repository, table: str) -> None:
    repository.write("t.csv", table)
    said = " ".join(repository.run("prepare", "t.csv").err.split())
    assert "into quotes" in said
    assert "remove line" not in said
