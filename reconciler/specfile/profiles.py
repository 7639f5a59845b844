"""Read the profiles file of a machine: services that its operator describes."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.domain.errors import UsageError
from reconciler.domain.spec import ProfileSpec
from reconciler.specfile.read import limit_problems
from reconciler.specfile.schema import validate_document
from reconciler.specfile.yaml import read_fields, read_yaml

_MAX_BYTES = 1024 * 1024


def read_profiles(path: Path) -> tuple[ProfileSpec, ...]:
    """Return the services of a file, one for each of its documents.

    Shape:  YAML or JSON, by the published schema `profiles`
    Raises: UsageError when it cannot be read or names a service twice, InputError with everything that is wrong in it
    """
    page = read_yaml(_read_bytes(path), path.as_posix(), max_bytes=_MAX_BYTES)
    read = [validate_document(document, "profiles") for document in page.documents]
    problems = [*page.problems, *(problem for _, found in read for problem in found)]
    if problems:
        raise limit_problems(problems)
    found = tuple(read_fields(_without_kind(document.data), ProfileSpec) for document, _ in read)
    names = [each.name for each in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"the profiles file {path} describes {twice} twice; leave one of them")
    return found


def _without_kind(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name not in {"apiVersion", "kind"}}


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"the profiles file {path} cannot be read: {error.strerror or error}") from error
