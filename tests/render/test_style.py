"""Whether to use colour: the flag, NO_COLOR, FORCE_COLOR, CLICOLOR, TERM and the stream decide, in this order."""

import pytest

from reconciler.render import colour_wanted
from reconciler.render.text import Style


@pytest.mark.parametrize(
    ("environ", "is_terminal", "flag", "wanted"),
    [
        ({}, True, None, True),
        ({}, False, None, False),
        ({"NO_COLOR": "1"}, True, None, False),
        ({"NO_COLOR": ""}, True, None, True),
        ({"NO_COLOR": "0"}, True, None, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, None, False),
        ({"FORCE_COLOR": "1"}, False, None, True),
        ({"FORCE_COLOR": ""}, False, None, False),
        ({"CLICOLOR_FORCE": "1"}, False, None, True),
        ({"CLICOLOR_FORCE": "0"}, False, None, False),
        ({"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, False, None, True),
        ({"CLICOLOR": "0"}, True, None, False),
        ({"CLICOLOR": "1"}, True, None, True),
        ({"CLICOLOR": "1"}, False, None, False),
        ({"TERM": "dumb"}, True, None, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, None, True),
        ({"TERM": "xterm"}, True, None, True),
        ({"FORCE_COLOR": "1"}, True, False, False),
        ({"NO_COLOR": "1"}, False, True, True),
    ],
)
def test_flag_environment_and_terminal_decide_about_colour(
    environ: dict[str, str], is_terminal: bool, flag: bool | None, wanted: bool
) -> None:
    assert colour_wanted(environ, is_terminal, flag) is wanted


def test_without_colour_text_stays_as_it_is() -> None:
    assert Style(False).symbol("+", "x") == "x"
    assert Style(True).symbol("+", "x") == "\x1b[32mx\x1b[0m"
    assert Style(True).symbol(" ", "x") == "x"
    assert Style(True).red("") == ""


@pytest.mark.parametrize(("word", "code"), [("succeeded", "32"), ("failed", "31"), ("running", "33"), ("odd", "33")])
def test_a_status_has_its_colour(word: str, code: str) -> None:
    assert Style(True).status(word, word) == f"\x1b[{code}m{word}\x1b[0m"
