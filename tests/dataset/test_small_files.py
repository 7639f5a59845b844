"""Every small file gets its verdict, its cause and its hint; and the hint, applied as written, gives the right rows."""

from pathlib import Path

import pytest

from .row_cases import ROWS
from .small_files import SmallFile, check_small_file

CASES = [*ROWS]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_small_file_gets_its_verdict_and_its_hint_leads_to_the_right_rows(case: SmallFile, tmp_path: Path) -> None:
    check_small_file(case, tmp_path)


def test_the_ids_of_small_files_are_different() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
