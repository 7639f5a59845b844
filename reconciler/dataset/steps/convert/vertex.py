"""Google's form, of Vertex AI and the Gemini API: `contents` of parts, a system instruction, function declarations.

Source: Vertex AI's guide to supervised tuning data, and the reference of its Content type
"""

from collections.abc import Iterator

from reconciler.dataset.canonical import canonical_text
from reconciler.dataset.row_checks.finding import Object
from reconciler.dataset.steps.convert import builders
from reconciler.dataset.steps.convert.builders import CallIds, ConversionError
from reconciler.dataset.steps.convert.chat import read_role


def vertex_to_chat(row: Object) -> Object:
    """Write parts as text, images, calls and answers; calls get ids by their order in the row."""
    calls, turns = CallIds(), list[Object]()
    for at, content in enumerate(builders.read_objects(row.get("contents"), "contents")):
        path = f"contents[{at}]"
        turns += _vertex_turns(content, calls, path)
    system = row.get("systemInstruction", row.get("system_instruction"))
    return builders.build_row(
        _vertex_system(system), turns, builders.build_tools(list(_vertex_functions(row.get("tools"))), "tools")
    )


def _vertex_turns(content: Object, calls: CallIds, path: str) -> list[Object]:
    answers, parts, made = list[Object](), list[Object](), list[Object]()
    for at, part in enumerate(builders.read_objects(content.get("parts"), f"{path}.parts")):
        place = f"{path}.parts[{at}]"
        if "text" in part:
            parts.append({"type": "text", "text": builders.read_text(part["text"], f"{place}.text")})
        elif call := _part_named(part, "functionCall", "function_call"):
            made.append(calls.make_call(call.get("name"), call.get("args"), place))
        elif response := _part_named(part, "functionResponse", "function_response"):
            name = builders.read_text(response.get("name"), place)
            told = canonical_text(response.get("response", {}))
            answers.append({"role": "tool", "content": told, "tool_call_id": calls.match_answer(place, name)})
        elif data := _part_named(part, "inlineData", "inline_data"):
            url = f"data:{data.get('mimeType', data.get('mime_type'))};base64,{data.get('data')}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        else:
            raise ConversionError(place, "this part has no place in a chat row", "take it out, or drop the row")
    if not parts and not made:
        return answers
    only_text = all(part["type"] == "text" for part in parts)
    said: object = "".join(str(part["text"]) for part in parts) if only_text else parts
    role = read_role(content, path) if "role" in content else "user"
    return [*answers, {"role": role, "content": said or None, **({"tool_calls": made} if made else {})}]


def _vertex_system(found: object) -> str:
    if not isinstance(found, dict):
        return builders.read_text(found, "systemInstruction")
    path = "systemInstruction.parts"
    return "\n".join(
        builders.read_text(part.get("text"), path) for part in builders.read_objects(found.get("parts"), path)
    )


def _vertex_functions(offered: object) -> Iterator[Object]:
    for tool in builders.read_objects(offered, "tools") if offered else []:
        declared = tool.get("functionDeclarations", tool.get("function_declarations"))
        for function in builders.read_objects(declared, "tools.functionDeclarations"):
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


def _part_named(part: Object, *names: str) -> Object | None:
    found = next((part[name] for name in names if name in part), None)
    return found if isinstance(found, dict) else None
