"""Regular expressions from specs, matched in time that grows linearly with the text, whatever the expression.

Python's engine tries every way to match, so `(a|a)*b` on forty letters ends after hours. RE2 never goes back. It cannot
look ahead or behind, or refer to a group: an expression that does is refused, with the place.

Expressions are written and mean as in Python's `re`, with one difference: `\\b` and `\\B` know words of ASCII letters,
digits and underscores only. An expression is translated where the two write one thing in different ways.
"""

import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

_MEMORY_BYTES = 8 << 20
_LONGEST = 10_000
_FREE_SECONDS = 10.0
_SECONDS_PER_CHARACTER = 1e-6
_SHOWN = 60
_IN_PYTHON = "write it in the syntax of Python's re module, without what looks ahead or behind or refers to a group"
_LINEAR = "expressions are matched in linear time, which rules this out: write it without"

_GROUP = re.compile(
    r"\(\?(?:P<\w+>|(?P<comment>\#)[^)]*\)|(?P<on>[aiLmsux]*)(?:-(?P<off>[imsx]+))?(?P<end>[:)])|(?P<other>P=|<?[=!]|>|\())"
)
_REPEAT = re.compile(r"\{(?P<least>\d*)(?P<upto>,(?P<most>\d*))?\}")
_ESCAPE = re.compile(
    r"\\(?:x(?P<x>..)|u(?P<u>.{4})|U(?P<U>.{8})|N\{(?P<name>[^}]*)\}|(?P<octal>0[0-7]{0,2}|[1-3][0-7]{2})"
    r"|(?P<group>[1-9]\d?)|(?P<letter>.))",
    re.DOTALL,
)
_NAMES = {
    "P=": "a reference to a group",
    "(": "a condition on a group",
    "=": "a look-ahead",
    "!": "a look-ahead",
    "<=": "a look-behind",
    "<!": "a look-behind",
    ">": "an atomic group",
}
_CLASSES = {
    "d": r"\p{Nd}",
    "w": r"\p{L}\p{N}_",
    "s": r"\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}",
}
_ASCII_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t-\r\x{20}"}
_CONTROLS = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


class ExpressionError(ValueError):
    """An expression that cannot be read, or that cannot be matched in linear time.

    Shape:  `what` says what is wrong and at which character, `hint` what to write
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class Expression:
    """An expression that is ready to be matched."""

    def __init__(self, pattern: str, compiled: Any, *, may_end_before_line_break: bool) -> None:
        self.pattern = pattern
        self._compiled = compiled
        self._may_end_early = may_end_before_line_break

    def search(self, text: str) -> bool:
        """Return whether the expression matches somewhere in a text."""
        data = _encode(text)
        if self._compiled.search(data) is not None:
            return True
        # In Python, `$` also stands before a line break at the end.
        return self._may_end_early and data.endswith(b"\n") and self._compiled.search(data[:-1]) is not None

    def fullmatch(self, text: str) -> bool:
        """Return whether the expression matches a whole text."""
        return self._compiled.fullmatch(_encode(text)) is not None


class SlowExpressionError(ExpressionError):
    """Expressions that take too long for the texts of one run."""


class MatchingTime:
    """The time that the expressions of one run may take together.

    Matching is linear, but the expression decides the factor: `(?:a?){900}b` takes a thousand times as long as words.

    Shape:  ten seconds, and a microsecond for each character; an ordinary expression takes a hundredth of that
    """

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._left = _FREE_SECONDS

    def search(self, expression: Expression, text: str) -> bool:
        """Return whether an expression matches somewhere in a text.

        Raises: SlowExpressionError, from the text on at which the time is over
        """
        return self._measure(expression.search, expression, text)

    def fullmatch(self, expression: Expression, text: str) -> bool:
        """Return whether an expression matches a whole text.

        Raises: SlowExpressionError, from the text on at which the time is over
        """
        return self._measure(expression.fullmatch, expression, text)

    def _measure(self, match: Callable[[str], bool], expression: Expression, text: str) -> bool:
        if self._left >= 0:
            begun = self._clock()
            is_match = match(text)
            self._left += len(text) * _SECONDS_PER_CHARACTER - (self._clock() - begun)
            if self._left >= 0:
                return is_match
        what = f"matching takes too long; the time was over at this expression: {expression.pattern[:_SHOWN]}"
        raise SlowExpressionError(what, "repeat less inside repetitions, or drop long rows before")


@lru_cache(maxsize=32)
def compile_expression(pattern: str) -> Expression:
    """Return an expression ready to be matched.

    Raises: ExpressionError
    Cost:   at most 8 MiB, and as much again while it is matched; the last few are kept
    """
    if len(pattern) > _LONGEST:
        what = f"this expression has {len(pattern):,} characters, and at most {_LONGEST:,} are matched"
        raise ExpressionError(what, "split it, or list the values: `in` of a filter, `one_of` of `expect`")
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        # ValueError is for a repetition whose number has more digits than Python reads.
        at = f" at character {error.pos + 1}" if isinstance(error, re.error) and error.pos is not None else ""
        reason = error.msg if isinstance(error, re.error) else "it is too large"
        raise ExpressionError(f"this is not a regular expression: {reason}{at}", _IN_PYTHON) from error
    translation = _Translation(pattern)
    text = "".join(translation.pieces())
    # The library is loaded only for specs that hold an expression.
    re2 = import_module("re2")
    options = re2.Options()
    options.max_mem, options.log_errors, options.never_capture = _MEMORY_BYTES, False, True
    try:
        compiled = re2.compile(_encode(text), options)
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else ""
        if "repetition" in reason:
            what, hint = "this expression repeats something more than 1,000 times", "repeat it at most 1,000 times"
        else:
            what, hint = "this expression is too large to be matched", "shorten it, or repeat less inside repetitions"
        raise ExpressionError(what, hint) from error
    return Expression(pattern, compiled, may_end_before_line_break=translation.has_dollar)


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair is no character. It is matched as the character that stands for such halves.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


class _Translation:
    """Reads an expression that Python accepts, and writes it as RE2 reads it."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._flags = frozenset[str]()
        self._outer: list[frozenset[str]] = []
        self.has_dollar = False

    def pieces(self) -> Iterator[str]:
        """Yield the translated expression, piece by piece."""
        may_repeat = False
        while self._at < len(self._pattern):
            start = self._at
            char = self._pattern[start]
            repeat = _REPEAT.match(self._pattern, start) if char == "{" else None
            is_repeat = char in "*+?" or (repeat is not None and repeat[0] != "{}")
            if char == "+" and not may_repeat:
                raise self._refusal("a possessive repetition", start)
            if repeat and is_repeat:
                self._at = repeat.end()
                yield _repetition(repeat)
            else:
                yield self._piece(char)
            # The sign after a repetition changes how that repeats: `*?` is lazy, `*+` possessive.
            may_repeat = not is_repeat

    def _piece(self, char: str) -> str:
        match char:
            case "\\":
                return self._escape(in_class=False)
            case "[":
                return self._class()
            case "(":
                return self._group()
            case ")":
                self._flags = self._outer.pop()
            case "$" if "m" not in self._flags:
                self.has_dollar = True
            case "{" | "}":
                char = f"\\{char}"
            case "#" if "x" in self._flags:
                end = self._pattern.find("\n", self._at)
                self._at = len(self._pattern) if end < 0 else end
                return ""
            case _ if "x" in self._flags and char in " \t\n\r\v\f":
                char = ""
        self._at += 1
        return char

    def _group(self) -> str:
        found = _GROUP.match(self._pattern, self._at)
        if found is None or (found["other"] is None and found["end"] is None and found["comment"] is None):
            # A group, with or without a name: nothing refers to it.
            self._outer.append(self._flags)
            self._at = found.end() if found else self._at + 1
            return "(?:"
        if found["other"]:
            raise self._refusal(_NAMES[found["other"]], self._at)
        self._at = found.end()
        if found["comment"]:
            return ""
        if found["end"] == ":":
            self._outer.append(self._flags)
        self._flags = (self._flags | frozenset(found["on"])) - frozenset(found["off"] or "")
        on, off = ("".join(each for each in found[name] or "" if each in "ims") for name in ("on", "off"))
        flags = on + (f"-{off}" if off else "")
        return f"(?{flags}{found['end']}" if flags or found["end"] == ":" else ""

    def _class(self) -> str:
        start = self._at
        self._at += 2 if self._pattern.startswith("[^", start) else 1
        pieces = [self._pattern[start : self._at]]
        first = self._at
        while self._pattern[self._at] != "]" or self._at == first:
            char = self._pattern[self._at]
            if char == "\\":
                pieces.append(self._escape(in_class=True))
                continue
            self._at += 1
            pieces.append(char if char.isalnum() or char == "-" else _code(ord(char)))
        self._at += 1
        return "".join(pieces) + "]"

    def _escape(self, *, in_class: bool) -> str:
        found = _ESCAPE.match(self._pattern, self._at)
        assert found, "Python has read this escape"
        if found["group"] and not in_class:
            raise self._refusal("a reference to a group", self._at)
        self._at = found.end()
        number = next((found[name] for name in ("x", "u", "U") if found[name]), None)
        if number:
            return _code(int(number, 16))
        if found["name"]:
            return _code(ord(_character(found["name"])))
        if octal := found["octal"] or found["group"]:
            return _code(int(octal, 8))
        letter = found["letter"]
        if letter in "dDwWsS":
            return _class_of(letter, is_ascii="a" in self._flags, in_class=in_class)
        if not in_class and letter in "AbBZz":
            return "\\z" if letter in "Zz" else f"\\{letter}"
        return _code(_CONTROLS.get(letter, ord(letter)))

    def _refusal(self, name: str, at: int) -> ExpressionError:
        return ExpressionError(f"this expression contains {name}, at character {at + 1}", _LINEAR)


def _repetition(found: re.Match[str]) -> str:
    least, most = found["least"] or "0", found["most"]
    return f"{{{int(least)}{f',{most}' if found['upto'] else ''}}}"


def _character(name: str) -> str:
    # Loaded here because almost no expression names a character.
    return str(import_module("unicodedata").lookup(name))


def _code(number: int) -> str:
    return f"\\x{{{number:x}}}"


def _class_of(letter: str, *, is_ascii: bool, in_class: bool) -> str:
    r"""Return the characters of `\d`, `\w`, `\s` or of an opposite as Python has them, for the inside of brackets."""
    if not in_class:
        sign = "^" if letter.isupper() else ""
        return f"[{sign}{(_ASCII_CLASSES if is_ascii else _CLASSES)[letter.lower()]}]"
    if letter.isupper():
        return _ranges(letter, is_ascii)
    return (_ASCII_CLASSES if is_ascii else _CLASSES)[letter]


@cache
def _ranges(letter: str, is_ascii: bool) -> str:
    # An opposite beside other characters in brackets has no shorter form. Rare: reading all characters takes a moment.
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    pattern = re.compile(f"\\{letter}+", re.ASCII if is_ascii else 0)
    return "".join(f"{_code(found.start())}-{_code(found.end() - 1)}" for found in pattern.finditer(every))
