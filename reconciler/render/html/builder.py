"""HTML elements and the document around them. Every text becomes harmless here; only what was built here is markup.

A document stands alone: it has no script, it fetches nothing, and a policy in its head forbids both.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path

from reconciler.render.sanitize import html_text

_EMPTY = frozenset({"meta", "rect"})


class Html(str):
    """Markup that was built here; every text in it is harmless already."""

    __slots__ = ()


Inside = Html | str


def html_document(title: str, body: Html) -> str:
    """Return a whole document, ended by a newline."""
    style, policy = _style()
    head = join(
        element("meta", charset="utf-8"),
        # The policy comes first, so that it holds for everything after it.
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", style),
        between="\n",
    )
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


@cache
def _style() -> tuple[Html, str]:
    """Return the style sheet, and the policy that allows this style and nothing else."""
    css = Path(__file__).with_name("page.css").read_text("utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return Html(css), f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"


def element(tag: str, /, *inside: Inside, **attributes: str) -> Html:
    """Return an element with its content.

    Shape:  an attribute's `_` becomes a hyphen, and one at the end is dropped (`class_`); an attribute with an empty
            value is left out
    """
    named = {key.removesuffix("_").replace("_", "-"): value for key, value in attributes.items() if value}
    shown = "".join(f' {name}="{html_text(value)}"' for name, value in named.items())
    if tag in _EMPTY:
        return Html(f"<{tag}{shown}>" if tag == "meta" else f"<{tag}{shown}/>")
    return Html(f"<{tag}{shown}>{join(*inside)}</{tag}>")


def join(*inside: Inside, between: str = "") -> Html:
    """Return several pieces one after another."""
    return Html(between.join(part if isinstance(part, Html) else html_text(part) for part in inside))


def html_table(caption: str, head: tuple[str, ...], rows: list[tuple[Inside, ...]], class_: str = "") -> Html:
    """Return a table; the first cell of a row is its heading. A wide table scrolls by itself, by keyboard too."""
    cells = [
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows
    ]
    body = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *(element("th", each, scope="col") for each in head))),
        element("tbody", *cells),
        class_=class_,
    )
    return element("div", body, class_="wide", role="region", tabindex="0", aria_label=caption)


def collapse(title: Inside, *inside: Html, is_open: bool = False) -> Html:
    """Return long content behind a title that opens it."""
    return element("details", element("summary", title), *inside, open="open" if is_open else "")


def section(anchor: str, title: str, *inside: Html) -> Html:
    """Return a part of the page, with the anchor that the list of parts links to."""
    return element("section", element("h2", title), *inside, id=anchor)
