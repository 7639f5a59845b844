"""`serve` refuses what no caller could use, before it opens a store."""

import pytest

from reconciler.cli import exit_codes
from reconciler.cli.app import run


def test_an_empty_key_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--port", "0", "--api-key", ""]) == exit_codes.USAGE
    assert "leave the option out to have one made" in capsys.readouterr().err
