"""Steps on the turns of rows, in `messages` or `conversations`: which are learned, which are empty, calls, images."""

import re
from collections.abc import Callable

from reconciler.dataset.canonical import write_canonical_text
from reconciler.dataset.row_checks import JsonObject, describe_value
from reconciler.dataset.steps.cells import Cells, is_empty
from reconciler.dataset.steps.conversion import CallIds, ConversionError, read_objects, read_role
from reconciler.dataset.strict_json import LineError, decode_json
from reconciler.foundation.text import yaml_scalar

Edit = Callable[[Cells], Cells]

HOLDERS = ("messages", "conversations", "conversation")
"""The keys that turns are found under."""

_TEXT_KEYS = ("content", "value", "text")
_PLACE = "<image>"
_ON = frozenset({1, "1", "true", "True", "yes"})
_OFF = frozenset({0, "0", "false", "False", "no"})
_URL = re.compile(r"(https?://|data:image/)")
_JPG = "data:image/jpg"


def edit_turns(change: Callable[[JsonObject, str], JsonObject | None]) -> Edit:
    """Return the edit that changes each turn of a row, or leaves it out where the change is None."""

    def edit(cells: Cells) -> Cells:
        key = next((key for key in HOLDERS if isinstance(cells.get(key), list)), None)
        question = cells.get("input")
        if key is None and isinstance(question, dict) and isinstance(question.get("messages"), list):
            # The turns of a preference row, before its two outputs.
            return {**cells, "input": edit(question)}
        if key is None:
            return cells
        turns = read_objects(cells[key], key)
        changed = [change(turn, f"{key}[{at}]") for at, turn in enumerate(turns)]
        return {**cells, key: [turn for turn in changed if turn is not None]}

    return edit


def drop_empty_turns(roles: tuple[str, ...]) -> Edit:
    """Leave out the turns of these roles that hold no text, no part, and no call."""

    def change(turn: JsonObject, path: str) -> JsonObject | None:
        if turn.get("tool_calls") or turn.get("function_call") or read_role(turn, path) not in roles:
            return turn
        held = next((turn[key] for key in _TEXT_KEYS if key in turn), None)
        texts = [part.get("text") for part in held if isinstance(part, dict)] if isinstance(held, list) else [held]
        only_text = not isinstance(held, list) or all(isinstance(p, dict) and p.get("type") == "text" for p in held)
        return None if only_text and all(map(is_empty, texts)) else turn

    return edit_turns(change)


def drop_turn_keys(keys: tuple[str, ...]) -> Edit:
    """Leave keys of turns out."""
    return edit_turns(lambda turn, _: {key: value for key, value in turn.items() if key not in keys})


def set_turn_weights(key: str, inverted: bool) -> Edit:
    """Write weight 0 on the assistant's turns that are not trained on, as a key of the turn says.

    Raises: in that edit, ConversionError where the key says neither, or asks to train on another role's turn
    """

    def change(turn: JsonObject, path: str) -> JsonObject:
        rest = {name: value for name, value in turn.items() if name != key}
        value = turn.get(key)
        if value is None:
            return rest
        if isinstance(value, dict | list) or (value not in _ON and value not in _OFF):
            hint = f"a turn is trained on or not: write 0 or 1, or leave `{key}` out"
            raise ConversionError(f"{path}.{key}", f"is {describe_value(value)}, not 0 or 1", hint)
        trained = (value in _ON) is not inverted
        if read_role(turn, path) == "assistant":
            return rest if trained else {**rest, "weight": 0}
        if trained and not inverted:
            what = "asks to train on a turn that is not the assistant's, which the API cannot do"
            raise ConversionError(f"{path}.{key}", what, f"leave it out: `drop_turn_keys: [{key}]`")
        return rest

    return edit_turns(change)


def mend_calls(cells: Cells) -> Cells:
    """Return the turns with calls in the API's form: a type, an id and arguments as text; and results with their id.

    Shape:  an empty list of tools, which the API refuses, is left out
    """
    calls = CallIds()

    def change(turn: JsonObject, path: str) -> JsonObject:
        role = turn.get("role")
        if role == "tool" and not turn.get("tool_call_id"):
            name = turn.get("name")
            call_id = calls.match_result(path, name if isinstance(name, str) else None)
            return {**{key: value for key, value in turn.items() if key != "name"}, "tool_call_id": call_id}
        if isinstance(turn.get("function_call"), dict):
            call = read_objects([turn["function_call"]], path)[0]
            return {**turn, "function_call": {**call, "arguments": _mend_arguments(call.get("arguments"))}}
        made = turn.get("tool_calls")
        if not made:
            return {key: value for key, value in turn.items() if key != "tool_calls"}
        return {**turn, "tool_calls": [_mend_call(each, calls, path) for each in read_objects(made, path)]}

    mended = edit_turns(change)(cells)
    question = mended.get("input")
    if isinstance(question, dict):
        return {**_drop_empty_tools(mended), "input": _drop_empty_tools(question)}
    return _drop_empty_tools(mended)


def _drop_empty_tools(holder: Cells) -> Cells:
    return {key: value for key, value in holder.items() if key not in ("tools", "functions") or value != []}


def _mend_call(call: JsonObject, calls: CallIds, path: str) -> JsonObject:
    function = call.get("function")
    held = function if isinstance(function, dict) else call
    arguments = next((held[key] for key in ("arguments", "parameters", "args", "input") if key in held), None)
    return calls.make_call(held.get("name"), _mend_arguments(arguments), f"{path}.tool_calls", call.get("id"))


def _mend_arguments(arguments: object) -> object:
    # A text within a text is unpacked until it is an object; a text of anything else stays for the checks.
    inner = arguments
    for _ in range(4):
        if inner is None or inner == "":
            return "{}"
        if not isinstance(inner, str):
            break
        try:
            inner = decode_json(inner.encode())
        except (LineError, UnicodeEncodeError):
            return arguments
    if not isinstance(inner, dict):
        return arguments
    once = isinstance(arguments, str) and arguments.lstrip()[:1] == "{"
    return arguments if once else write_canonical_text(inner)


def mend_images(cells: Cells) -> Cells:
    """Write the media type `image/jpg` as `image/jpeg`, its registered name, in the images of turns."""

    def mend(part: object) -> object:
        image = part.get("image_url") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(image, dict) or not isinstance(image.get("url"), str):
            return part
        url = image["url"]
        if not url[: len(_JPG) + 1].lower().startswith((f"{_JPG};", f"{_JPG},")):
            return part
        return {**part, "image_url": {**image, "url": f"data:image/jpeg{url[len(_JPG) :]}"}}

    def change(turn: JsonObject, _path: str) -> JsonObject:
        parts = turn.get("content")
        return {**turn, "content": [mend(part) for part in parts]} if isinstance(parts, list) else turn

    return edit_turns(change)(cells)


def place_images(column: str) -> Edit:
    """Put the images of a column, in their order, where `<image>` stands in the texts of the user.

    Shape:  without any such mark, they come before the first text of the user
    Raises: in that edit, ConversionError when there are more or fewer images than marks, or one is no address
    """

    def edit(cells: Cells) -> Cells:
        held = cells.get(column)
        images = [held] if isinstance(held, str) and held else list(held) if isinstance(held, list) else []
        for at, image in enumerate(images):
            if not isinstance(image, str) or not _URL.match(image):
                what = f"is {describe_value(image)}, not the address or the data of an image"
                hint = "write an https:// URL or data:image/…;base64, into the column, or drop the row"
                raise ConversionError(f"{column}[{at}]", what, hint)
        rest = {key: value for key, value in cells.items() if key != column}
        if images and not _has_turns(rest):
            hint = f"put `place_images: {yaml_scalar(column)}` after the step `convert`, which makes turns of the row"
            raise ConversionError(column, "there are no turns that the image could be placed in", hint)
        waiting, marks = list(images), _count_marks(rest)
        if marks and marks != len(images):
            what = f"{len(images)} images for {marks} marks `{_PLACE}`"
            raise ConversionError(column, what, "add what is missing, or drop the row")

        def change(turn: JsonObject, path: str) -> JsonObject:
            key = next((key for key in _TEXT_KEYS if isinstance(turn.get(key), str | list)), None)
            if not waiting or key is None or read_role(turn, path) != "user":
                return turn
            if isinstance(turn[key], list):
                return {**turn, key: _fill_places(read_objects(turn[key], f"{path}.{key}"), waiting, marks)}
            text = str(turn[key])
            pieces = text.split(_PLACE) if marks else ["", text]
            count = len(pieces) - 1 if marks else len(waiting)
            return {**turn, key: _interleave(pieces if marks else [""] * count + [text], waiting)} if count else turn

        placed = edit_turns(change)(rest)
        if waiting:
            raise ConversionError(column, "no turn of the user could hold the image", "add a question, or drop the row")
        return placed

    return edit


def _has_turns(cells: Cells) -> bool:
    question = cells.get("input")
    inside = question.get("messages") if isinstance(question, dict) else None
    return isinstance(inside, list) or any(isinstance(cells.get(key), list) for key in HOLDERS)


def _is_place(part: JsonObject) -> bool:
    # A part that stands for an image, and holds none: TRL and others keep the images in a column of their own.
    return part.get("type") in ("image", "image_url") and not any(part.get(key) for key in part if key != "type")


def _fill_places(parts: list[JsonObject], waiting: list[str], marks: int) -> list[JsonObject]:
    if not marks:
        before = [_make_image(waiting.pop(0)) for _ in range(len(waiting))]
        return [*before, *parts]
    return [_make_image(waiting.pop(0)) if _is_place(part) and waiting else part for part in parts]


def _make_image(url: str) -> JsonObject:
    return {"type": "image_url", "image_url": {"url": url}}


def _interleave(pieces: list[str], waiting: list[str]) -> list[JsonObject]:
    parts: list[JsonObject] = []
    for at, piece in enumerate(pieces):
        if at:
            parts.append(_make_image(waiting.pop(0)))
        if piece.strip():
            parts.append({"type": "text", "text": piece.strip()})
    return parts


def _count_marks(cells: Cells) -> int:
    question = cells.get("input")
    if isinstance(question, dict) and isinstance(question.get("messages"), list):
        return _count_marks(question)
    key = next((key for key in HOLDERS if isinstance(cells.get(key), list)), "")
    turns = read_objects(cells[key], key) if key else []
    asked = [turn for at, turn in enumerate(turns) if read_role(turn, f"{key}[{at}]") == "user"]
    held = [next((turn[key] for key in _TEXT_KEYS if isinstance(turn.get(key), str | list)), "") for turn in asked]
    parts = [part for each in held if isinstance(each, list) for part in each if isinstance(part, dict)]
    return sum(each.count(_PLACE) for each in held if isinstance(each, str)) + sum(map(_is_place, parts))
