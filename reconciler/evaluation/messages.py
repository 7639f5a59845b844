"""Checks the messages that a grader puts to a model: who says them, and of what parts they are."""

from reconciler.service.endpoint import RequestBody
from reconciler.service.errors import missing_error, type_error, value_error

ROLES = ("user", "assistant", "system", "developer")
AUDIO = ("mp3", "wav")


def check_messages(body: RequestBody, at: str) -> None:
    """Return when the field `input` holds messages.

    Raises: ApiError for the first that is none
    """
    messages = body.get("input")
    if messages is None:
        raise missing_error(f"{at}.input")
    if not isinstance(messages, list):
        raise type_error(f"{at}.input", "an array of objects", messages)
    for place, message in enumerate(messages):
        _message(message, f"{at}.input[{place}]")


def _message(message: object, at: str) -> None:
    if not isinstance(message, dict):
        raise type_error(at, "an object", message)
    if message.get("type", "message") != "message":
        raise value_error(f"{at}.type", "expected 'message'.")
    if message.get("role") not in ROLES:
        raise value_error(f"{at}.role", f"expected one of {list(ROLES)}.")
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    for part in parts:
        _part(part, f"{at}.content")


def _part(part: object, at: str) -> None:
    if isinstance(part, str):
        return
    if not isinstance(part, dict):
        raise type_error(at, "a string, an object or an array of them", part)
    match part.get("type"):
        case "input_text" | "output_text":
            _text(part, "text", at)
        case "input_image":
            _text(part, "image_url", at)
            if "detail" in part:
                _text(part, "detail", at)
        case "input_audio":
            audio = part.get("input_audio")
            if not isinstance(audio, dict):
                raise type_error(f"{at}.input_audio", "an object", audio)
            _text(audio, "data", f"{at}.input_audio")
            if audio.get("format") not in AUDIO:
                raise value_error(f"{at}.input_audio.format", f"expected one of {list(AUDIO)}.")
        case _:
            raise value_error(f"{at}.type", "expected 'input_text', 'output_text', 'input_image' or 'input_audio'.")


def _text(found: RequestBody, name: str, at: str) -> None:
    if not isinstance(found.get(name), str):
        raise type_error(f"{at}.{name}", "a string", found.get(name))
