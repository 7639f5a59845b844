"""Every wild file: its verdict, cause and hint, and the rows that it gives when the hint is followed to the letter."""

from pathlib import Path

import pytest

from reconciler.domain.errors import Severity

from .cases import WildFile, follow_hint, read_wild
from .json_files import JSON_FILES
from .placeholders import PLACEHOLDERS
from .table_headers import BLANKS, HEADERS
from .tables import TABLES
from .workbooks import WORKBOOKS

FILES: tuple[WildFile, ...] = (*TABLES, *HEADERS, *BLANKS, *PLACEHOLDERS, *WORKBOOKS, *JSON_FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.id)
def test_a_wild_file_has_its_verdict_cause_and_hint(tmp_path: Path, file: WildFile) -> None:
    found, rows = read_wild(tmp_path, file.name, file.content, file.fields)
    wanted = file.found
    if wanted is None:
        assert [str(each) for each in found if each.severity is not Severity.INFO] == []
        assert rows == list(file.wanted)
        return
    first = next((each for each in found if (each.rule, each.severity) == (wanted.rule, wanted.severity)), None)
    assert first is not None, [str(each) for each in found]
    assert not wanted.line or first.where.line == wanted.line, str(first)
    assert wanted.cause in first.what
    assert wanted.hint in first.hint
    # One cause is one rule: no consequence of it is reported beside it.
    assert {each.rule for each in found if each.severity is Severity.ERROR} <= {wanted.rule}
    assert bool(rows) is file.is_warning


MENDED = [file for file in FILES if file.found]


@pytest.mark.parametrize("file", MENDED, ids=lambda file: file.id)
def test_the_hint_of_a_wild_file_leads_to_the_rows_that_its_author_means(tmp_path: Path, file: WildFile) -> None:
    found, rows = read_wild(tmp_path / "before", file.name, file.content, file.fields)
    if file.is_warning and file.then is None:
        assert rows == list(file.wanted)
        return
    wanted = file.found
    hint = next(each.hint for each in found if wanted and (each.rule, each.severity) == (wanted.rule, wanted.severity))
    name, fields = follow_hint(hint, file.name, file.fields)
    content = file.content if file.mended is None else file.mended
    then = {**fields, **(file.then or {})}
    name = then["source"] if isinstance(then.get("source"), str) else name
    after, rows = read_wild(tmp_path / "after", name, content, then)
    assert rows == list(file.wanted), [str(each) for each in after]
