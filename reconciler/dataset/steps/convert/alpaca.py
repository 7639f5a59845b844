"""The Alpaca form: an instruction, an input that may be empty, an output; a system text and a history where there are.

Source: the Stanford Alpaca data, and LLaMA-Factory's description of the form
"""

from collections.abc import Iterator

from reconciler.dataset.row_checks.finding import Object
from reconciler.dataset.steps.convert import builders
from reconciler.dataset.steps.convert.builders import ConversionError


def alpaca_to_chat(row: Object) -> Object:
    """Make instruction and input the user's turn, an empty line between them, and the output the assistant's."""
    for key in ("instruction", "output"):
        if key not in row:
            raise ConversionError(key, f"there is no `{key}`", "rename the column that it is in, or drop the row")
    asked = [builders.read_text(row.get(key), key) for key in ("instruction", "input")]
    turns: list[Object] = [
        *_history_turns(row.get("history")),
        {"role": "user", "content": "\n\n".join(part for part in asked if part)},
        {"role": "assistant", "content": builders.read_text(row["output"], "output")},
    ]
    return builders.build_row(row.get("system"), turns, {})


def _history_turns(found: object) -> Iterator[Object]:
    for at, exchange in enumerate(found if isinstance(found, list) else []):
        path = f"history[{at}]"
        if not isinstance(exchange, list) or len(exchange) != 2:
            raise ConversionError(path, "is no pair of a question and an answer")
        yield {"role": "user", "content": builders.read_text(exchange[0], f"{path}[0]")}
        yield {"role": "assistant", "content": builders.read_text(exchange[1], f"{path}[1]")}
