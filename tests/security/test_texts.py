"""The sink: foreign text is readable in every output, and active in none."""

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render import clean
from reconciler.render.sanitize import clean_lines, code_block, html_text, markdown_code, markdown_text
from tests.render.test_sanitize import is_harmless
from tests.security.corpus_reader import cases

TEXTS = {name: case["text"] for name, case in cases("texts").items()}
ANY = st.text(alphabet=st.sampled_from("`~<>&|[]()!#*_@:/\\$-+=.0123456789abgh \n\r\t\x1b\u202e\"'{}^w"), max_size=40)

SEAM = "&#8203;"
TAGS_OF_OURS = ("<span>$</span>", "<code>", "</code>")
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


class Tags(HTMLParser):
    """Collects the tags and the words that a page makes of a text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_comment(self, data: str) -> None:
        self.tags.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.tags.append("declaration")

    def handle_data(self, data: str) -> None:
        self.words += data


def shown(markdown: str) -> str:
    """Return the words that a reader of inert Markdown sees, without escapes, entities and separators."""
    for tag in TAGS_OF_OURS:
        markdown = markdown.replace(tag, tag.removeprefix("<span>").removesuffix("</span>") if "$" in tag else "")
    unescaped = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown.replace(SEAM, ""))
    return html.unescape(unescaped)


def is_inert(markdown: str) -> bool:
    """Return whether one line of Markdown holds only words."""
    words = markdown
    for tag in TAGS_OF_OURS:
        words = words.replace(tag, "§" if "$" in tag else "")
    bare = re.sub(r"\\.", "", words)
    return not (
        re.search(r"[`*_\[\]~|!<>{}^$]", bare)
        or re.search(r"&(?!amp;|lt;|gt;|#8203;|#32;|#124;)", bare)
        or re.search(r"#(?!8203;|32;|124;)", bare)
        or re.search(r"@(?!&#8203;|&#32;|\Z|\s)", words)
        or re.search(r"\\#\w", words)
        or re.search(r"(?i)\bgh-\d", words)
        or re.search(r":[\w/]|(?i:www)\.", words)
        or re.match(r"\s|[-+=>]|\d{1,9}[.)]", words)
    )


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_inert_in_a_terminal_or_log(name: str) -> None:
    assert is_harmless(clean(TEXTS[name]))
    for line in clean_lines(TEXTS[name]).split("\n"):
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "\x1b" not in line


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_inert_in_markdown_and_keeps_its_words(name: str) -> None:
    markdown = markdown_text(TEXTS[name])
    assert is_inert(markdown)
    assert shown(markdown) == clean(TEXTS[name])
    assert "\n" not in markdown


@given(ANY)
def test_any_text_is_inert_in_markdown(text: str) -> None:
    assert is_inert(markdown_text(text))
    assert shown(markdown_text(text)) == clean(text)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_stays_inside_its_code_span(name: str) -> None:
    in_span(TEXTS[name])


@given(ANY)
def test_any_text_stays_inside_its_code_span(text: str) -> None:
    in_span(text)


def in_span(text: str) -> None:
    code = markdown_code(text)
    assert "|" not in code
    assert "<!--" not in code
    if code.startswith("<code>"):
        assert is_inert(code.removeprefix("<code>").removesuffix("</code>") or "x")
        return
    found = SPAN.fullmatch(code)
    assert found, code
    # What a reader sees of a span: one space at each end is taken off, where there is one at both.
    inner = found[2][1:-1] if found[2][0] == found[2][-1] == " " else found[2]
    assert inner.replace("<\\!--", "<!--") == clean(text)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_cannot_end_its_fence(name: str) -> None:
    in_fence(TEXTS[name])


@given(ANY)
def test_no_text_can_end_its_fence(text: str) -> None:
    in_fence(text)


def in_fence(text: str) -> None:
    first, *inside, last = code_block(text, "diff").split("\n")
    ticks = first.removesuffix("diff")
    assert set(ticks) == {"`"}
    assert len(ticks) >= 3
    assert last == ticks
    assert not any(line.strip().startswith(ticks) for line in inside)
    assert not any(line.lstrip().startswith("::") or "##[" in line or "<!--" in line for line in inside)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_only_words_in_html(name: str) -> None:
    in_page(TEXTS[name])


@given(ANY)
def test_any_text_is_only_words_in_html(text: str) -> None:
    in_page(text)


def in_page(text: str) -> None:
    written = html_text(text)
    page = Tags(f'<p title="{written}">{written}</p>')
    assert page.tags == ["p"]
    assert page.words == clean(text)
    assert not set("<>\"'") & set(written)


def test_the_language_of_a_fence_is_a_plain_word() -> None:
    with pytest.raises(ValueError, match="language"):
        code_block("x", "diff\n```")


def test_ordinary_words_stay_readable() -> None:
    assert markdown_text("support triage, 12 rows") == "support triage, 12 rows"
    assert markdown_code("support-triage") == "`support-triage`"
    assert markdown_code("") == "<code>&#32;</code>"
    assert markdown_code("a|b") == "<code>a&#124;b</code>"
    assert code_block("+ a\n- b", "diff") == "```diff\n+ a\n- b\n```"
    assert html_text("a < b") == "a &lt; b"


def test_a_long_text_is_shortened() -> None:
    assert markdown_text("x" * 50, limit=10) == "x" * 9 + "…"
    assert markdown_code("x" * 50, limit=10) == f"`{'x' * 9}…`"
    assert html_text("x" * 50, limit=10) == "x" * 9 + "…"
