"""The content of a turn: a text, or parts of text and images.

Source: OpenAI vision fine-tuning guide (images in user turns only, at most 10 an example, https or data URLs)
"""

import base64
import re
from collections.abc import Iterator
from functools import partial

from reconciler.dataset.row_checks.finding import JsonObject, RowFinding, describe_value, find_unknown_keys
from reconciler.domain.errors import Severity
from reconciler.foundation.text import list_words

MAX_IMAGES = 10
MAX_IMAGE_BYTES = 10 * 1000 * 1000

_GUIDE = "(OpenAI vision fine-tuning guide)"
_DATA = re.compile(r"data:image/(jpeg|png|webp);base64,")
_BEGIN = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n", "webp": b"RIFF"}
_DETAILS = ("low", "high", "auto")
_HINT = "use an https:// URL, or data:image/…;base64, with a JPEG, PNG or WEBP image"

_wrong_content = partial(RowFinding, "chat.content")
_wrong_images = partial(RowFinding, "chat.images")


def check_content(message: JsonObject, path: str, drop: str = "") -> Iterator[RowFinding]:
    """Yield everything that is wrong with the content of one turn; `drop` is the step for one without any."""
    value, role = message.get("content"), message.get("role")
    path = f"{path}.content"
    if is_blank(value):
        yield from _check_blank(message, value, path, drop)
    elif isinstance(value, list) and value:
        for at, part in enumerate(value):
            yield from _check_part(part, role, f"{path}[{at}]")
    elif value is None:
        if not (message.get("tool_calls") or message.get("function_call") or message.get("refusal")):
            what = "is null" if "content" in message else "there is no `content`"
            hint = f"; to leave it out, add `{drop}`" if drop else ""
            yield _wrong_content(path, what, f"only a turn that calls a tool may have no content{hint}")
    elif not isinstance(value, str):
        yield _wrong_content(path, f"is {describe_value(value)}, not text", "write it as text, in quotes")
    refusal = message.get("refusal")
    if refusal is not None and not isinstance(refusal, str):
        yield _wrong_content(path.replace(".content", ".refusal"), f"is {describe_value(refusal)}, not text", "")


def is_blank(value: object) -> bool:
    """Return whether content is a text, or parts of text, with nothing or only white space in it."""
    if isinstance(value, list) and value:
        return all(
            isinstance(part, dict) and part.get("type") == "text" and is_blank(part.get("text")) for part in value
        )
    return isinstance(value, str) and (not value or value.isspace())


def lacks_content(turn: JsonObject) -> bool:
    """Return whether the checks refuse a turn of the user or the assistant because nothing is in it."""
    value = turn.get("content")
    if turn.get("tool_calls") or turn.get("function_call") or turn.get("role") not in ("user", "assistant"):
        return False
    if value is None:
        return not turn.get("refusal")
    return is_blank(value) and (turn["role"] != "user" or value == "" or isinstance(value, list))


def has_empty_end(turns: object) -> bool:
    """Return whether turns hold nothing to learn: the last one is empty, or each of the user's, or the assistant's."""
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, dict) for turn in turns):
        return False
    sides = [[lacks_content(turn) for turn in turns if turn.get("role") == role] for role in ("user", "assistant")]
    return lacks_content(turns[-1]) or any(side and all(side) for side in sides)


def _check_blank(message: JsonObject, value: object, path: str, drop: str) -> Iterator[RowFinding]:
    role = message.get("role")
    if role in ("tool", "function") or message.get("tool_calls") or message.get("function_call"):
        return
    what = "is empty" if value == "" or isinstance(value, list) else "is only white space"
    if role in ("system", "developer"):
        hint = f"leave such turns out: `drop_empty_turns: [{role}]`"
        yield RowFinding("chat.empty-turn", path, what, hint, Severity.WARNING)
    elif role != "user" or value == "" or isinstance(value, list):
        which = "such rows" if drop.startswith("drop_empty:") else "such turns"
        hint = f"add the text, or leave {which} out: `{drop}`" if drop else "add the text, or drop the row"
        yield _wrong_content(path, what, hint)


def check_images(messages: list[object]) -> Iterator[RowFinding]:
    """Yield a finding for a row with more images than a service accepts."""
    parts = [
        part
        for message in messages
        if isinstance(message, dict) and isinstance(message.get("content"), list)
        for part in message["content"]
    ]
    images = sum(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)
    if images > MAX_IMAGES:
        what = f"{images} images; an example may have {MAX_IMAGES} {_GUIDE}"
        yield _wrong_images("messages", what, "split the row")


def _check_part(part: object, role: object, path: str) -> Iterator[RowFinding]:
    sort = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict):
        yield _wrong_content(path, f"is {describe_value(part)}, not an object", "write parts as {type, …}")
    elif sort == "text":
        if not isinstance(part.get("text"), str) or not part["text"]:
            yield _wrong_content(f"{path}.text", f"is {describe_value(part.get('text'))}, not text")
        yield from find_unknown_keys(part, ("type", "text"), "chat.unknown-key", path)
    elif sort == "image_url":
        if role != "user":
            yield _wrong_images(path, "only user turns may hold images", "move it to a user turn")
        yield from find_unknown_keys(part, ("type", "image_url"), "chat.unknown-key", path)
        yield from _check_image(part.get("image_url"), f"{path}.image_url")
    else:
        shown = f"`{sort[:100]}`" if isinstance(sort, str) else describe_value(sort)
        yield _wrong_content(
            f"{path}.type",
            f"{shown} is not a type of part",
            f"one of {list_words(('text', 'image_url'))}",
        )


def _check_image(image: object, path: str) -> Iterator[RowFinding]:
    if not isinstance(image, dict):
        yield _wrong_images(path, f"is {describe_value(image)}, not an object", 'write it as {"url": "https://…"}')
        return
    yield from find_unknown_keys(image, ("url", "detail"), "chat.unknown-key", path)
    url = image.get("url")
    if not isinstance(url, str):
        yield _wrong_images(f"{path}.url", "is not the URL of an image", _HINT)
    elif not url.startswith(("https://", "http://")):
        yield from _check_data(url, f"{path}.url")
    if "detail" in image and image["detail"] not in _DETAILS:
        yield _wrong_images(f"{path}.detail", f"is {describe_value(image['detail'])}", f"one of {list_words(_DETAILS)}")


def _check_data(url: str, path: str) -> Iterator[RowFinding]:
    found = _DATA.match(url)
    if not found and url[:15].lower() in ("data:image/jpg;", "data:image/jpg,"):
        hint = "the registered name is image/jpeg: `mend_images: true`"
        yield RowFinding("chat.image-type", path, "has the type image/jpg", hint, Severity.WARNING)
        url = f"data:image/jpeg{url[14:]}"
        found = _DATA.match(url)
    if not found:
        yield _wrong_images(path, "is not the URL of an image", _HINT)
        return
    encoded = len(url) - found.end()
    size_bytes = encoded * 3 // 4
    if size_bytes > MAX_IMAGE_BYTES:
        what = f"an image of {size_bytes} bytes; it may have {MAX_IMAGE_BYTES} {_GUIDE}"
        yield _wrong_images(path, what, "make it smaller")
    try:
        begin = base64.b64decode(url[found.end() : found.end() + 32], validate=True)
    except ValueError:
        begin = b""
    if encoded % 4 or not begin:
        yield _wrong_images(path, "is not base64", "encode the bytes of the image as base64, with padding")
    elif not begin.startswith(_BEGIN[found[1]]):
        what = f"the data is not a {found[1].upper()} image, as its type says"
        yield _wrong_images(path, what, "use the type of the data: JPEG, PNG or WEBP")
