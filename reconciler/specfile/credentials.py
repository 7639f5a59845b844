"""Find the fields of a spec that try to set credentials or an address, and keys under any other name.

The user who runs the tool chooses the address of the service and the keys. An edit of a spec must not be able to send
the rows, or a key, to another place.
"""

import re
from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from reconciler.domain.errors import Problem
from reconciler.foundation.secret_shapes import Secret, find_secrets
from reconciler.specfile.yaml import Document, Path, Plain

_SECRET = re.compile(
    r"(?:.*_)?(?:api_?keys?|api_?tokens?|access_?tokens?|auth_?tokens?|bearer_?tokens?|refresh_?tokens?|hf_?tokens?"
    r"|access_?keys?(?:_id)?|private_?keys?|secrets?(?:_keys?)?|passwords?|passwd|passphrase|credentials?|authorization)"
    r"|tokens?|auth|bearer|key_env|api_?key_env"
)
_ADDRESS = re.compile(
    r"(?:.*_)?(?:base_?ur[il]|api_?base|api_?ur[il]|endpoints?|prox(?:y|ies)|headers?)|ur[il]|host(?:name)?"
)
_ACCOUNT = re.compile(r"(?:.*_)?(?:org|organi[sz]ation)(?:_?id)?|project_?id")

_ENVIRONMENTS = "environments"
"""The keys of this field are names; below each of them are the fields of a Project."""

_CHANGE_IT = "remove it, and change it if it was real; keys are read from the environment, such as OPENAI_API_KEY"

_WAYS = (
    (_SECRET, _CHANGE_IT),
    (_ADDRESS, "remove it; the user who runs the tool sets the address in the environment, such as OPENAI_BASE_URL"),
    (
        _ACCOUNT,
        "remove it; the user who runs the tool sets the account in the environment: OPENAI_ORG_ID, OPENAI_PROJECT_ID",
    ),
)


def remove_credentials(document: Document) -> tuple[Document, tuple[Problem, ...]]:
    """Return a document without the values of such fields, and a problem for each field."""
    found = dict(_fields(document.data))
    what = "a spec must not say where credentials go"
    problems = [document.problem(path, what, hint, "spec.credential", at_key=True) for path, hint in found.items()]
    keys = {path: secret for path, secret in _keys_by_shape(document.data) if path not in found}
    for path, secret in keys.items():
        what = f"holds {secret.kind} ({secret.masked}), and plans and pages would show it"
        problems.append(document.problem(path, what, _CHANGE_IT, "spec.credential"))
    return replace(document, void=document.void | found.keys() | keys.keys()), tuple(problems)


def _keys_by_shape(data: Plain) -> Iterator[tuple[Path, Secret]]:
    """Yield the texts that hold what has the shape of a key, whatever their field is called.

    Shape:  below `extra`, which is sent and shown as it is, every such shape; elsewhere one whose checksum is right
    """
    waiting: list[tuple[Path, Plain]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, list):
            waiting += [((*path, index), each) for index, each in enumerate(value)]
        elif isinstance(value, dict):
            waiting += [((*path, key), each) for key, each in value.items()]
        elif isinstance(value, str):
            found = (each for each in find_secrets(value) if each.is_sure or "extra" in path)
            yield from ((path, each) for each in islice(found, 1))


def _fields(data: Plain) -> Iterator[tuple[Path, str]]:
    waiting: list[tuple[Path, Plain]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, list):
            waiting += [((*path, index), each) for index, each in enumerate(value)]
        for key, each in value.items() if isinstance(value, dict) else ():
            is_name = path == (_ENVIRONMENTS,) or _is_of_rows(path, key, each)
            if not is_name and (hint := _hint(key, is_inert=_is_inert(path))):
                yield (*path, key), hint
            else:
                waiting.append(((*path, key), each))


def _is_of_rows(path: Path, key: str, value: Plain) -> bool:
    # Below the fields of steps, keys are names of columns, and `tokens` is a number. A source has a header or none.
    match path:
        case ("source",) | ("source" | "heldout", int()):
            return key == "header" and isinstance(value, bool)
        case ("prepare", _, "rename" | "template" | "set"):
            return True
        case ("prepare", _, "drop_long"):
            return key == "tokens"
    return False


def _is_inert(path: Path) -> bool:
    return path[2 if path[:1] == (_ENVIRONMENTS,) else 0 :] in {("labels",), ("expect",)}


def _hint(key: str, *, is_inert: bool) -> str | None:
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key[:64]).lower().replace("-", "_").replace(" ", "_")
    # Labels and expectations set nothing, so they may name an organisation or an address, but never a key.
    ways = _WAYS[:1] if is_inert else _WAYS
    return next((hint for pattern, hint in ways if pattern.fullmatch(plain)), None)
