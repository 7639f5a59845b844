"""Writes a tree of specs to start from. Overwrites nothing.

The schema is written beside the specs, because an editor can only complete from a file that it finds: so completion
works offline, for everybody who has the repository, and by the very rules that the loader holds them to.
"""

from pathlib import Path

from reconciler.domain.errors import UsageError
from reconciler.foundation.suggest import slug
from reconciler.specfile.files import find_workspace
from reconciler.specfile.schema.files import schema_text

_TREE = Path(__file__).parent / "starter_tree"
_FILES = ("project.yaml", "datasets.yaml", "models.yaml", "data/bike-messages.csv")
_SCHEMA = ".schemas/spec.schema.json"
_A_NAME = "my-project"


def write_starter(root: Path) -> tuple[Path, ...]:
    """The files of a small tree that works, written below a spec root; its project is named after the repository.

    Raises: UsageError when something that would be written is there already, or the root holds specs, or nothing can
            be written there
    """
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file; name a directory for the specs")
    texts = {root / name: _text(name, root) for name in _FILES} | {root / _SCHEMA: schema_text("spec")}
    there = [path for path in texts if path.exists() or path.is_symlink()]
    if there or (there := sorted(each for ending in ("yaml", "yml") for each in root.glob(f"**/*.{ending}"))):
        raise UsageError(f"{there[0]} is there already, and init overwrites nothing; name another directory")
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}") from error
    return tuple(texts)


def _text(name: str, root: Path) -> str:
    text = (_TREE / name).read_text(encoding="utf-8")
    return text.replace(f"name: {_A_NAME}", f"name: {slug(find_workspace(root).name) or _A_NAME}")
