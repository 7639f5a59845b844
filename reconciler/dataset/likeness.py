"""Which known word an author may have meant."""

import difflib
from collections.abc import Collection


def nearest(word: str, known: Collection[str]) -> str | None:
    """Return the known word most like this one, whatever its case; None when none comes near."""
    by_lower = {each.lower(): each for each in sorted(known, reverse=True)}
    # Comparing costs the product of the lengths, and a word may be a whole line by mistake.
    found = difflib.get_close_matches(word.strip().lower()[:100], by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return the question as a hint; empty when nothing comes near."""
    found = nearest(word, known)
    return f"did you mean `{found}`?" if found else ""


def listed(words: Collection[str], most: int = 20) -> str:
    """Name words in a sentence, in the order given, and say how many were left out."""
    shown = [f"`{word[:100]}`" for word in list(words)[:most]]
    rest = len(words) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
