"""Whether to use colour, and the few colours there are. Looks at nothing by itself."""

from collections.abc import Mapping

import msgspec


def colour_wanted(environ: Mapping[str, str], is_terminal: bool, flag: bool | None = None) -> bool:
    """Return whether to write colours: the flag, then the environment, then the kind of stream decides.

    Shape:  `flag` is what the command line said, None when it said nothing
    Source: no-color.org, force-color.org and bixense.com/clicolors
    """
    if flag is not None:
        return flag
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR") or environ.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    if environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb":
        return False
    return is_terminal


class Style(msgspec.Struct, frozen=True):
    """Puts colours on text that is laid out already, or leaves it as it is."""

    wanted: bool

    def bold(self, text: str) -> str:
        return self._in("1", text)

    def dim(self, text: str) -> str:
        return self._in("2", text)

    def red(self, text: str) -> str:
        return self._in("31", text)

    def green(self, text: str) -> str:
        return self._in("32", text)

    def yellow(self, text: str) -> str:
        return self._in("33", text)

    def cyan(self, text: str) -> str:
        return self._in("36", text)

    def status(self, word: str, text: str) -> str:
        """Colour a text by the status it tells of: good, bad, or on its way."""
        if word == "succeeded":
            return self.green(text)
        return self.red(text) if word in {"failed", "missing"} else self.yellow(text)

    def symbol(self, symbol: str, text: str) -> str:
        """Colour a text as the action that its symbol stands for."""
        colours = {"+": self.green, "+/-": self.cyan, "~": self.yellow, "-": self.red}
        return colours[symbol](text) if symbol in colours else text

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.wanted and text else text
