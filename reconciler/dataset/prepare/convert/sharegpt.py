"""The ShareGPT form: `conversations` of {from, value}, with calls and their answers as turns of their own.

Source: FastChat's data, and LLaMA-Factory's description of the form (function_call and observation, tools as JSON)
"""

from reconciler.dataset.prepare.convert import making
from reconciler.dataset.prepare.convert.chat import role_of, said_of
from reconciler.dataset.prepare.convert.making import Calls, ConversionError
from reconciler.dataset.rules.finding import Object, kind

_CALLING = frozenset({"function_call", "tool_call", "function-call"})


def to_chat(row: Object) -> Object:
    """Write the turns with the API's roles; calls get ids by their order in the row."""
    key = "conversation" if "conversations" not in row and "conversation" in row else "conversations"
    turns, calls = making.objects(row.get(key), key), Calls()
    messages = [_turn(turn, calls, f"{key}[{at}]") for at, turn in enumerate(turns)]
    return making.row(row.get("system"), messages, making.tools(row.get("tools"), "tools"))


def _turn(turn: Object, calls: Calls, path: str) -> Object:
    said, word = said_of(turn), turn.get("from", turn.get("role"))
    if isinstance(word, str) and word.strip().lower() in _CALLING:
        return {"role": "assistant", "content": None, "tool_calls": _calls(said, calls, f"{path}.value")}
    role = role_of(turn, path)
    if role in ("tool", "function"):
        answer = calls.answer(path)
        return {"role": "tool", "content": making.text(said, f"{path}.value"), "tool_call_id": answer}
    weight = {"weight": turn["weight"]} if "weight" in turn and role == "assistant" else {}
    return {"role": role, "content": making.text(said, f"{path}.value"), **weight}


def _calls(said: object, calls: Calls, path: str) -> list[Object]:
    found = making.json_of(said, path)
    several = found if isinstance(found, list) and found else [found]
    made = []
    for call in several:
        if not isinstance(call, dict):
            raise ConversionError(path, f"the call is {kind(call)}, not an object", "write {name, arguments}")
        made.append(calls.make(call.get("name"), call.get("arguments"), path))
    return made
