"""A snippet holds what it was given as text, and as nothing else: whatever the model is called, whatever is said."""

import ast
import json
import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render import SnippetLanguage, SnippetPrompt, SnippetTarget, snippet_text

ANYTHING = st.text(max_size=60) | st.text(alphabet="'\"\\`$(){}!#;&|<>\n\r\t\0 :[]\u2028\u202eé", max_size=40)
HERE = SnippetTarget(url_variable="SOME_URL", key_variable="SOME_KEY", base_url="https://api.example.test/v1")


def questions() -> st.SearchStrategy[SnippetPrompt]:
    return st.builds(
        SnippetPrompt, model=ANYTHING, prompt=ANYTHING, system=st.none() | ANYTHING, is_completion=st.booleans()
    )


@given(questions())
def test_the_shell_sees_one_argument(question: SnippetPrompt) -> None:
    text = snippet_text(SnippetLanguage.CURL, question, HERE)
    assert text.isascii()
    command = text[text.index("curl ") :].replace("\\\n", " ")
    words = shlex.split(command)
    assert words[words.index("--data-raw") + 1 :] == [words[-1]]
    assert json.loads(words[-1]) == question.body


@given(questions())
def test_python_sees_literals(question: SnippetPrompt) -> None:
    text = snippet_text(SnippetLanguage.PYTHON, question, HERE)
    assert text.isascii()
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    (create,) = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "create"]
    given_values = {keyword.arg: ast.literal_eval(keyword.value) for keyword in create.keywords}
    assert given_values == question.body
    assert len(ast.parse(text).body) == 5, "nothing was said that became a statement"


@given(questions())
def test_javascript_sees_json(question: SnippetPrompt) -> None:
    text = snippet_text(SnippetLanguage.NODE, question, HERE)
    assert text.isascii()
    (literal,) = re.findall(r"^    body: JSON\.stringify\((.*)\),$", text, re.MULTILINE)
    assert json.loads(literal) == question.body
    assert len(text.splitlines()) == 18


@given(questions(), st.sampled_from(SnippetLanguage))
def test_no_line_is_a_command_to_a_ci_runner(question: SnippetPrompt, language: SnippetLanguage) -> None:
    text = snippet_text(language, question, HERE)
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


@pytest.mark.parametrize("language", SnippetLanguage)
def test_the_key_is_a_variable_and_the_address_may_be_one(language: SnippetLanguage) -> None:
    question = SnippetPrompt(model="m", prompt="p")
    with_address = snippet_text(language, question, HERE)
    assert "SOME_KEY" in with_address
    assert "SOME_URL" in with_address
    assert "https://api.example.test/v1" in with_address
    without = snippet_text(
        language, question, SnippetTarget(url_variable="SOME_URL", key_variable="SOME_KEY", note=("Hi.",))
    )
    assert "http" not in without.replace("httpx", "")
    assert without.splitlines()[0] in {"# Hi.", "// Hi."}
