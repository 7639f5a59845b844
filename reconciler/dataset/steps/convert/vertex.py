"""Google's form, of Vertex AI and the Gemini API: `contents` of parts, a system instruction, function declarations.

Source: Vertex AI's guide to supervised tuning data, and the reference of its Content type
"""

from collections.abc import Iterator

from reconciler.dataset.canonical import canonical_text
from reconciler.dataset.row_checks.finding import Object
from reconciler.dataset.steps.convert import builders
from reconciler.dataset.steps.convert.builders import Calls, ConversionError
from reconciler.dataset.steps.convert.chat import role_of


def to_chat(row: Object) -> Object:
    """Write parts as text, images, calls and answers; calls get ids by their order in the row."""
    calls, turns = Calls(), list[Object]()
    for at, content in enumerate(builders.objects(row.get("contents"), "contents")):
        path = f"contents[{at}]"
        turns += _turns(content, calls, path)
    system = row.get("systemInstruction", row.get("system_instruction"))
    return builders.row(_system(system), turns, builders.tools(list(_functions(row.get("tools"))), "tools"))


def _turns(content: Object, calls: Calls, path: str) -> list[Object]:
    answers, parts, made = list[Object](), list[Object](), list[Object]()
    for at, part in enumerate(builders.objects(content.get("parts"), f"{path}.parts")):
        place = f"{path}.parts[{at}]"
        if "text" in part:
            parts.append({"type": "text", "text": builders.text(part["text"], f"{place}.text")})
        elif call := _of(part, "functionCall", "function_call"):
            made.append(calls.make(call.get("name"), call.get("args"), place))
        elif response := _of(part, "functionResponse", "function_response"):
            name = builders.text(response.get("name"), place)
            told = canonical_text(response.get("response", {}))
            answers.append({"role": "tool", "content": told, "tool_call_id": calls.answer(place, name)})
        elif data := _of(part, "inlineData", "inline_data"):
            url = f"data:{data.get('mimeType', data.get('mime_type'))};base64,{data.get('data')}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        else:
            raise ConversionError(place, "this part has no place in a chat row", "take it out, or drop the row")
    if not parts and not made:
        return answers
    only_text = all(part["type"] == "text" for part in parts)
    said: object = "".join(str(part["text"]) for part in parts) if only_text else parts
    role = role_of(content, path) if "role" in content else "user"
    return [*answers, {"role": role, "content": said or None, **({"tool_calls": made} if made else {})}]


def _system(found: object) -> str:
    if not isinstance(found, dict):
        return builders.text(found, "systemInstruction")
    path = "systemInstruction.parts"
    return "\n".join(builders.text(part.get("text"), path) for part in builders.objects(found.get("parts"), path))


def _functions(offered: object) -> Iterator[Object]:
    for tool in builders.objects(offered, "tools") if offered else []:
        declared = tool.get("functionDeclarations", tool.get("function_declarations"))
        for function in builders.objects(declared, "tools.functionDeclarations"):
            yield {
                key: _plain_schema(function[key]) for key in ("name", "description", "parameters") if key in function
            }


def _plain_schema(value: object) -> object:
    # Their types are JSON Schema's in capital letters.
    if isinstance(value, dict):
        return {
            key: inner.lower() if key == "type" and isinstance(inner, str) else _plain_schema(inner)
            for key, inner in value.items()
        }
    return [_plain_schema(item) for item in value] if isinstance(value, list) else value


def _of(part: Object, *names: str) -> Object | None:
    found = next((part[name] for name in names if name in part), None)
    return found if isinstance(found, dict) else None
