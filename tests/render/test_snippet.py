"""A snippet contains untrusted text as text alone, whatever the model is called and whatever the prompt is."""

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


def prompts() -> st.SearchStrategy[SnippetPrompt]:
    return st.builds(
        SnippetPrompt, model=ANYTHING, prompt=ANYTHING, system=st.none() | ANYTHING, is_completion=st.booleans()
    )


@given(prompts())
def test_the_shell_sees_one_argument(prompt: SnippetPrompt) -> None:
    text = snippet_text(SnippetLanguage.CURL, prompt, HERE)
    assert text.isascii()
    command = text[text.index("curl ") :].replace("\\\n", " ")
    words = shlex.split(command)
    assert words[words.index("--data-raw") + 1 :] == [words[-1]]
    assert json.loads(words[-1]) == prompt.body


@given(prompts())
def test_python_sees_literals(prompt: SnippetPrompt) -> None:
    text = snippet_text(SnippetLanguage.PYTHON, prompt, HERE)
    assert text.isascii()
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    (create,) = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "create"]
    given_values = {keyword.arg: ast.literal_eval(keyword.value) for keyword in create.keywords}
    assert given_values == prompt.body
    assert len(ast.parse(text).body) == 5, "no text became a statement"


@given(prompts())
def test_javascript_sees_json(prompt: SnippetPrompt) -> None:
    text = snippet_text(SnippetLanguage.NODE, prompt, HERE)
    assert text.isascii()
    (literal,) = re.findall(r"^    body: JSON\.stringify\((.*)\),$", text, re.MULTILINE)
    assert json.loads(literal) == prompt.body
    assert len(text.splitlines()) == 18


@given(prompts(), st.sampled_from(SnippetLanguage))
def test_no_line_is_a_command_to_a_ci_runner(prompt: SnippetPrompt, language: SnippetLanguage) -> None:
    text = snippet_text(language, prompt, HERE)
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


@pytest.mark.parametrize("language", SnippetLanguage)
def test_the_key_is_a_variable_and_the_address_may_be_one(language: SnippetLanguage) -> None:
    prompt = SnippetPrompt(model="m", prompt="p")
    with_address = snippet_text(language, prompt, HERE)
    assert "SOME_KEY" in with_address
    assert "SOME_URL" in with_address
    assert "https://api.example.test/v1" in with_address
    without = snippet_text(
        language, prompt, SnippetTarget(url_variable="SOME_URL", key_variable="SOME_KEY", note=("Hi.",))
    )
    assert "http" not in without.replace("httpx", "")
    assert without.splitlines()[0] in {"# Hi.", "// Hi."}
