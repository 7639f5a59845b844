"""Words of a model's own: tokens that mark turns and ends. Within a text they are read as marks, or spelled out.

Source: OpenAI's tiktoken and Harmony response format; the model cards of Llama 3, Qwen and Phi
"""

import re

# Seen as bytes first: the bar is rare, and looking for one byte costs next to nothing.
_BAR, _OPEN = b"|", b"<|"
_TOKEN = re.compile(r"<\|[a-z][a-z0-9_]{1,40}\|>")

HINT = "a model may take it for the end of a turn: cut it out, unless teaching it is the purpose"


def may_have_tokens(lines: bytes) -> bool:
    """Return whether it is worth looking into some lines."""
    return _BAR in lines and _OPEN in lines


def tokens_of(text: str) -> list[str]:
    """Return the reserved tokens that a text spells, each once, in their order."""
    return list(dict.fromkeys(_TOKEN.findall(text)))
