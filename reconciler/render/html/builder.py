"""Elements of a page. Text is made harmless here, whoever wrote it; only what was built here counts as markup."""

from reconciler.render.sanitize import html_text

_EMPTY = frozenset({"meta", "rect"})


class Html(str):
    """Markup of ours, with every text in it already harmless."""

    __slots__ = ()


Inside = Html | str


def element(tag: str, /, *inside: Inside, **attributes: str) -> Html:
    """Return an element with what is inside of it.

    Shape:  an attribute's `_` is a hyphen, and one at the end is dropped (`class_`); an empty value leaves the
            attribute out
    """
    stated = "".join(f' {_attribute_name(key)}="{html_text(value)}"' for key, value in attributes.items() if value)
    if tag in _EMPTY:
        return Html(f"<{tag}{stated}>" if tag == "meta" else f"<{tag}{stated}/>")
    return Html(f"<{tag}{stated}>{join(*inside)}</{tag}>")


def join(*inside: Inside, between: str = "") -> Html:
    """Return several things one after another."""
    return Html(between.join(part if isinstance(part, Html) else html_text(part) for part in inside))


def html_table(caption: str, head: tuple[str, ...], rows: list[tuple[Inside, ...]], class_: str = "") -> Html:
    """Return a table; the first cell of a row is its heading, and a wide one scrolls by itself, by keyboard too."""
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
    """Return something long under a title that opens it."""
    return element("details", element("summary", title), *inside, open="open" if is_open else "")


def section(anchor: str, title: str, *inside: Html) -> Html:
    """Return a part of the page that the list at its top leads to."""
    return element("section", element("h2", title), *inside, id=anchor)


def _attribute_name(key: str) -> str:
    return key.removesuffix("_").replace("_", "-")
