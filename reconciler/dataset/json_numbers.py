"""Numbers as JSON means them: exact, and one spelling for one value.

A whole number is written out in digits, whatever the source wrote (`1`, `1.0`, `10e-1`). Any other number is
written with its significant digits and no more (`0.1`, `1E-7`). No binary float stands between, so no digit is lost.
"""

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation

MOST_DIGITS = 1000
"""Digits of a number, written out, that are read; no service keeps a hundredth of them."""

_EXACT = Context(prec=2 * MOST_DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN)


def exact(text: str) -> int | Decimal:
    """Read a JSON number.

    Raises: ValueError when it is too long, too large or too small to be meant
    """
    try:
        value = Decimal(text) if len(text) <= MOST_DIGITS else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or (value and abs(value.adjusted()) >= MOST_DIGITS):
        raise ValueError(f"a number of more than {MOST_DIGITS} digits")
    return int(value) if value == value.to_integral_value(context=_EXACT) else value.normalize(_EXACT)
