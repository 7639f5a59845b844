"""The ShareGPT form: `conversations` of {from, value}, with calls and their answers as turns of their own.

Source: FastChat's data, and LLaMA-Factory's description of the form (function_call and observation, tools as JSON)
"""

from reconciler.dataset.row_checks.finding import Object, kind
from reconciler.dataset.steps.convert import builders
from reconciler.dataset.steps.convert.builders import CallIds, ConversionError
from reconciler.dataset.steps.convert.chat import read_content, read_role

_CALLING = frozenset({"function_call", "tool_call", "function-call"})


def sharegpt_to_chat(row: Object) -> Object:
    """Write the turns with the API's roles; calls get ids by their order in the row."""
    key = "conversation" if "conversations" not in row and "conversation" in row else "conversations"
    turns, calls = builders.read_objects(row.get(key), key), CallIds()
    messages = [_sharegpt_turn(turn, calls, f"{key}[{at}]") for at, turn in enumerate(turns)]
    return builders.build_row(row.get("system"), messages, builders.build_tools(row.get("tools"), "tools"))


def _sharegpt_turn(turn: Object, calls: CallIds, path: str) -> Object:
    said, word = read_content(turn), turn.get("from", turn.get("role"))
    if isinstance(word, str) and word.strip().lower() in _CALLING:
        return {"role": "assistant", "content": None, "tool_calls": _sharegpt_calls(said, calls, f"{path}.value")}
    role = read_role(turn, path)
    if role in ("tool", "function"):
        answer = calls.match_answer(path)
        return {"role": "tool", "content": builders.read_text(said, f"{path}.value"), "tool_call_id": answer}
    weight = {"weight": turn["weight"]} if "weight" in turn and role == "assistant" else {}
    return {"role": role, "content": builders.read_text(said, f"{path}.value"), **weight}


def _sharegpt_calls(said: object, calls: CallIds, path: str) -> list[Object]:
    found = builders.parse_json(said, path)
    several = found if isinstance(found, list) and found else [found]
    made = []
    for call in several:
        if not isinstance(call, dict):
            raise ConversionError(path, f"the call is {kind(call)}, not an object", "write {name, arguments}")
        made.append(calls.make_call(call.get("name"), call.get("arguments"), path))
    return made
