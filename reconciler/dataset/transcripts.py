"""Texts that mark whose turn it is themselves: conversations written as one text, for models that read plain text.

A chat model gets its turns apart. Such a text in one of them is trained on with its marks, as the user's words.

Source: Anthropic's text completions, the Stanford Alpaca template, and the chat templates of Qwen, Llama and Mistral
"""

import re

_MARKS = (
    ("`Human:` and `Assistant:`", re.compile(r"(?:\A|\n)[ \t]*Human:"), re.compile(r"\n[ \t]*Assistant:")),
    ("`### Instruction:` and `### Response:`", re.compile(r"(?:\A|\n)### Instruction"), re.compile(r"\n### Response")),
)
_TOKENS = (
    ("`<|im_start|>` and `<|im_end|>`", "<|im_start|>"),
    ("`<|start_header_id|>`", "<|start_header_id|>"),
    ("`<start_of_turn>`", "<start_of_turn>"),
    ("`[INST]` and `[/INST]`", "[/INST]"),
)
WRITE_TURNS = (
    'write each row as its turns, without these marks: {"messages": [{"role": "user", "content": …}, '
    '{"role": "assistant", "content": …}]}'
)
_BYTES = (b"Assistant:", b"### Response")


def may_mark_turns(lines: bytes) -> bool:
    """Return whether lines can hold texts that mark turns by words; fast, for every line of every dataset."""
    return any(mark in lines for mark in _BYTES)


def find_turn_words(text: str) -> str:
    """Return the words by which a text marks its turns; empty where it does not.

    Shape:  a text begins with a turn or ends where the answer would; one that only quotes a talk does neither
    """
    plain = text.strip()
    begins = plain.startswith(("Human:", "### Instruction", "Below is an instruction"))
    ends = plain.endswith(("Assistant:", "### Response:", "### Response"))
    if not (begins or ends):
        return ""
    for name, asked, answered in _MARKS:
        first = asked.search(text)
        if first and answered.search(text, first.end()):
            return name
    return ""


def find_turn_marks(text: str) -> str:
    """Return the words or tokens by which a text marks its turns; empty where it does not."""
    return find_turn_words(text) or next((name for name, token in _TOKENS if token in text), "")
