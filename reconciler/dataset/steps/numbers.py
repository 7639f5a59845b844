"""Numbers in cells of text: plain as in JSON, or written as in English or on most of the European continent.

    english     1,234.5    1'234.5    5 %    $12
    european    1.234,5    1 234,5    5 %    12 €

A form is used only when the spec names it: `1,234` is a thousand and more in one, and little above one in the other.
"""

import re
from decimal import Decimal

from reconciler.dataset.mapping import value_to_text
from reconciler.dataset.strict_json import parse_number
from reconciler.domain.prepare import Numbers

_SPACES = " \u00a0\u202f"
_SIGNED = re.compile(
    rf"(?P<sign>[-+]?)[$€£¥{_SPACES}]*(?P<digits>[0-9.,'’{_SPACES}]*[0-9])[$€£¥{_SPACES}]*(?P<percent>%?)"
)
_FORMS = {
    Numbers.ENGLISH: (re.compile(rf"[0-9]{{1,3}}(?:[,'’{_SPACES}][0-9]{{3}})+(?:\.[0-9]+)?|[0-9]*\.?[0-9]+"), "."),
    Numbers.EUROPEAN: (re.compile(rf"[0-9]{{1,3}}(?:[.'’{_SPACES}][0-9]{{3}})+(?:,[0-9]+)?|[0-9]*,?[0-9]+"), ","),
}
_LONGEST = 100


class OtherNotationError(ValueError):
    """A cell that is a number in a notation which the spec has not named; `forms` are those that it can be."""

    def __init__(self, text: str, forms: frozenset[Numbers]) -> None:
        self.text = text
        self.forms = forms
        super().__init__(text)


class OtherNotations:
    """Counts the cells of one step that are numbers in another notation."""

    def __init__(self) -> None:
        self.count = 0
        self._example = ""
        self._has_percent = False
        self._forms = frozenset(Numbers)

    def add(self, error: OtherNotationError) -> None:
        self.count += 1
        self._example = self._example or error.text
        self._has_percent = self._has_percent or "%" in error.text
        self._forms = self._forms & error.forms or error.forms

    def describe(self, column: str) -> tuple[str, str]:
        """Return what is wrong, and the field that mends it."""
        noun = "1 cell is a number" if self.count == 1 else f"{self.count} cells are numbers"
        fields = [f"`numbers: {form}`" for form in sorted(self._forms)]
        what = f"{noun} in a notation that the step does not name, such as `{self._example}` in `{column}`"
        share = "; `5 %` is then 0.05, so write its numbers as parts of 1" if self._has_percent else ""
        return what, f"add {' or '.join(fields)} to the step{share}"


def read_number(value: object, notation: Numbers | None) -> int | Decimal | None:
    """Return the number that a cell holds; None when it holds none.

    Raises: OtherNotationError for a number in a notation that is not named
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    text = value_to_text(value).strip()
    if notation is None or not isinstance(value, str):
        try:
            return parse_number(text)
        except ValueError:
            pass
    elif (number := _read_form(text, notation)) is not None:
        return number
    forms = frozenset(form for form in Numbers if form is not notation and _read_form(text, form) is not None)
    if forms:
        raise OtherNotationError(text, forms)
    return None


def _read_form(text: str, notation: Numbers) -> Decimal | None:
    form, point = _FORMS[notation]
    found = _SIGNED.fullmatch(text) if len(text) <= _LONGEST else None
    if not found or not form.fullmatch(found["digits"]):
        return None
    digits = re.sub(rf"[^0-9{re.escape(point)}]", "", found["digits"]).replace(point, ".")
    number = Decimal(f"{found['sign']}{digits}")
    return number / 100 if found["percent"] else number
