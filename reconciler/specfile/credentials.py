"""A spec never says where credentials go: finds the fields that try.

Who runs the tool chooses the service's address and the keys; whoever can edit a spec must not be able to send the
rows, or a key, somewhere else.
"""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from reconciler.domain.errors import Problem
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
"""The keys of this field are names, and what is below each of them is as in the Project itself."""

_WAYS = (
    (_SECRET, "remove it, and change it if it was real; keys are read from the environment, such as OPENAI_API_KEY"),
    (_ADDRESS, "remove it; who runs the tool sets the address in the environment, such as OPENAI_BASE_URL"),
    (_ACCOUNT, "remove it; who runs the tool sets the account in the environment: OPENAI_ORG_ID, OPENAI_PROJECT_ID"),
)


def remove_credentials(document: Document) -> tuple[Document, tuple[Problem, ...]]:
    """Return a document with the values of such fields void, and a problem for each."""
    found = dict(_fields(document.data))
    what = "a spec never says where credentials go"
    problems = tuple(document.problem(path, what, hint, "spec.credential", at_key=True) for path, hint in found.items())
    return replace(document, void=document.void | found.keys()), problems


def _fields(data: Plain) -> Iterator[tuple[Path, str]]:
    waiting: list[tuple[Path, Plain]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, list):
            waiting += [((*path, index), each) for index, each in enumerate(value)]
        for key, each in value.items() if isinstance(value, dict) else ():
            is_name = path == (_ENVIRONMENTS,) or _is_of_a_step(path, key)
            if not is_name and (hint := _hint(key, goes_nowhere=_goes_nowhere(path))):
                yield (*path, key), hint
            else:
                waiting.append(((*path, key), each))


def _is_of_a_step(path: Path, key: str) -> bool:
    # Below these the names are columns', and the tokens are counted.
    match path:
        case ("prepare", _, "rename" | "template" | "set"):
            return True
        case ("prepare", _, "drop_long"):
            return key == "tokens"
    return False


def _goes_nowhere(path: Path) -> bool:
    return path[2 if path[:1] == (_ENVIRONMENTS,) else 0 :] in {("labels",), ("expect",)}


def _hint(key: str, *, goes_nowhere: bool) -> str | None:
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key[:64]).lower().replace("-", "_").replace(" ", "_")
    # Labels and expectations direct nothing, so they may well name an organisation or an address; a key they may not.
    ways = _WAYS[:1] if goes_nowhere else _WAYS
    return next((hint for pattern, hint in ways if pattern.fullmatch(plain)), None)
