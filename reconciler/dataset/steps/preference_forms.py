"""Preference rows from pairs of answers: texts, turns or whole conversations, with the question beside or inside them.

Source: TRL's dataset formats (explicit and implicit prompts), LLaMA-Factory's and ms-swift's descriptions of preference
        data; OpenAI direct preference optimization guide for what is written
"""

import re
from collections.abc import Sequence

from reconciler.dataset.row_checks import JsonObject
from reconciler.dataset.steps.conversion import ConversionError, NoteUnread, build_row, build_tools, read_text
from reconciler.dataset.steps.text_forms import join_texts, normalize_turns, read_history

_ANSWERS = ("chosen", "rejected")
_TURNS = ("messages", "conversations", "conversation")
_SPEAKERS = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant):")
"""How the transcripts of Anthropic's published preference data name who speaks."""
_TEXTS = ("prompt", "question", "instruction", "input")
_KNOWN = ("system", "history", "tools", *_ANSWERS)


def pair_to_preference(row: JsonObject, note: NoteUnread) -> JsonObject:
    """Return a preference row from a question and two answers, `chosen` and `rejected`.

    Shape:  an answer is a text, a turn, or the list of all turns, whose start both share. The question is `prompt` (or
            `instruction` with `input`), as text or turns, or it is `messages`; when those end with an answer, that is
            the chosen one, which may stand in `chosen` too
    """
    note(row, (*_KNOWN, *_question_keys(row)), "")
    before = _read_question(row, note)
    if "chosen" not in row and before and before[-1]["role"] == "assistant":
        chosen = [before.pop()]
    else:
        chosen = _read_answer(row, "chosen", note)
        if before[-1:] == chosen[-1:]:
            # The conversation beside the pair is the chosen one, as UltraFeedback has it.
            before.pop()
    rejected = _read_answer(row, "rejected", note)
    before = _merge(before, chosen[:-1], rejected[:-1])
    if not before:
        raise ConversionError("", "there is no question before the two answers", "rename its column to `prompt`")
    asked = build_row(row.get("system"), before, build_tools(row.get("tools"), "tools"))
    return {"input": asked, "preferred_output": chosen[-1:], "non_preferred_output": rejected[-1:]}


def _question_keys(row: JsonObject) -> tuple[str, ...]:
    # Of several questions one is read, and the others are left out: turns before texts.
    turns = next((key for key in _TURNS if row.get(key)), "prompt" if isinstance(row.get("prompt"), list) else "")
    return (turns,) if turns else _TEXTS


def _read_question(row: JsonObject, note: NoteUnread) -> list[JsonObject]:
    before, keys = list(read_history(row.get("history"))), _question_keys(row)
    if keys != _TEXTS:
        return [*before, *normalize_turns(row[keys[0]], keys[0], note)]
    text = join_texts(row, *_TEXTS)
    return [*before, {"role": "user", "content": text}] if text else before


def _read_answer(row: JsonObject, key: str, note: NoteUnread) -> list[JsonObject]:
    found = row.get(key)
    if isinstance(found, dict):
        found = [found]
    if isinstance(found, list) and found:
        turns = normalize_turns(found, key, note)
    elif isinstance(found, str) and found.lstrip().startswith("Human:"):
        turns = _read_transcript(found)
    else:
        text = read_text(found, key)
        if not text:
            raise ConversionError(key, "is empty" if key in row else f"there is no `{key}`", "drop the row")
        turns = [{"role": "assistant", "content": text}]
    if turns[-1]["role"] != "assistant":
        raise ConversionError(f"{key}[{len(turns) - 1}].role", "the last turn is not the assistant's", "drop the row")
    return turns


def _read_transcript(text: str) -> list[JsonObject]:
    pieces = _SPEAKERS.split(text)[1:]
    roles = {"Human": "user", "Assistant": "assistant"}
    return [
        {"role": roles[speaker], "content": held.strip()}
        for speaker, held in zip(pieces[::2], pieces[1::2], strict=True)
        if held.strip()
    ]


def _merge(before: list[JsonObject], chosen: Sequence[JsonObject], rejected: Sequence[JsonObject]) -> list[JsonObject]:
    # Whole conversations hold the question too; it must be the one that stands beside them.
    if list(chosen) != list(rejected):
        raise ConversionError("rejected", "does not begin with the turns of `chosen`", "drop the row")
    if not chosen or list(chosen) == before:
        return before
    if not before or before == list(chosen[-len(before) :]):
        return list(chosen)
    raise ConversionError("chosen", "begins with other turns than the question beside it", "drop the row")
