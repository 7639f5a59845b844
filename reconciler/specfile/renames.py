"""What specs say of the past: the names that things used to have, and the jobs that they adopt. Each is claimed once.

An old name that is still declared would be two things at once, and so would one that two documents claim. As no old
name may be declared, no rename can lead back to itself.
"""

from collections.abc import Iterator, Sequence

from reconciler.domain.errors import Problem
from reconciler.specfile.schema.messages import quoted
from reconciler.specfile.yaml.document import Document, Path

_RULE = "spec.moved"


def past_problems(documents: Sequence[Document]) -> Iterator[Problem]:
    """Yield what is wrong with old names and adopted jobs, between all documents of a root."""
    for kind in ("Dataset", "Model"):
        yield from _moved_problems([each for each in documents if each.text("kind") == kind], kind)
    yield from _adopted_twice(documents)


def old_names(document: Document) -> Iterator[tuple[Path, str]]:
    """Yield each name that a document says it used to have, with its path."""
    found = document.get("moved")
    if isinstance(found, str):
        yield ("moved",), found
    for index, name in enumerate(found if isinstance(found, list) else ()):
        if isinstance(name, str):
            yield ("moved", index), name


def _moved_problems(documents: Sequence[Document], kind: str) -> Iterator[Problem]:
    declared = {name: each for each in documents if (name := each.text("name"))}
    claimed: dict[str, tuple[Document, Path]] = {}
    for document in documents:
        for path, name in old_names(document):
            if name == document.text("name"):
                hint = "name what it was called before, or remove this"
                yield document.problem(path, f"{quoted(name)} is what it is called now", hint, _RULE)
            elif name in declared:
                where = declared[name].value_place(("name",))
                what = f"there still is a {kind} named {quoted(name)}, at {where}"
                yield document.problem(path, what, "remove that document, or this old name", _RULE)
            elif name in claimed:
                other, there = claimed[name]
                what = f"the old name {quoted(name)} is claimed twice, first at {other.value_place(there)}"
                yield document.problem(path, what, "only one thing can have been called so: keep one", _RULE)
            claimed.setdefault(name, (document, path))


def _adopted_twice(documents: Sequence[Document]) -> Iterator[Problem]:
    path: Path = ("adopt", "job")
    first: dict[str, Document] = {}
    for document in documents:
        job = document.text(*path) if document.text("kind") == "Model" else None
        if job and (other := first.setdefault(job, document)) is not document:
            what = f"job {quoted(job)} is adopted twice, first at {other.value_place(path)}"
            yield document.problem(path, what, "one job stands for one model: keep one", "spec.adopt")
