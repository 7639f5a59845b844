"""The ShareGPT form: `conversations` of {from, value}, with calls and their answers as turns of their own.

Source: FastChat's data, and LLaMA-Factory's description of the form (function_call and observation, tools as JSON)
"""

from reconciler.dataset.row_checks.finding import Object, kind
from reconciler.dataset.steps.convert import builders
from reconciler.dataset.steps.convert.builders import Calls, ConversionError
from reconciler.dataset.steps.convert.chat import role_of, said_of

_CALLING = frozenset({"function_call", "tool_call", "function-call"})


def to_chat(row: Object) -> Object:
    """Write the turns with the API's roles; calls get ids by their order in the row."""
    key = "conversation" if "conversations" not in row and "conversation" in row else "conversations"
    turns, calls = builders.objects(row.get(key), key), Calls()
    messages = [_turn(turn, calls, f"{key}[{at}]") for at, turn in enumerate(turns)]
    return builders.row(row.get("system"), messages, builders.tools(row.get("tools"), "tools"))


def _turn(turn: Object, calls: Calls, path: str) -> Object:
    said, word = said_of(turn), turn.get("from", turn.get("role"))
    if isinstance(word, str) and word.strip().lower() in _CALLING:
        return {"role": "assistant", "content": None, "tool_calls": _calls(said, calls, f"{path}.value")}
    role = role_of(turn, path)
    if role in ("tool", "function"):
        answer = calls.answer(path)
        return {"role": "tool", "content": builders.text(said, f"{path}.value"), "tool_call_id": answer}
    weight = {"weight": turn["weight"]} if "weight" in turn and role == "assistant" else {}
    return {"role": role, "content": builders.text(said, f"{path}.value"), **weight}


def _calls(said: object, calls: Calls, path: str) -> list[Object]:
    found = builders.json_of(said, path)
    several = found if isinstance(found, list) and found else [found]
    made = []
    for call in several:
        if not isinstance(call, dict):
            raise ConversionError(path, f"the call is {kind(call)}, not an object", "write {name, arguments}")
        made.append(calls.make(call.get("name"), call.get("arguments"), path))
    return made
