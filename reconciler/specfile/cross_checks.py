"""The rules between documents: unique names, valid references, one service for a root, methods that fit, renames.

An old name must not be declared any more, and only one document may list it. So no rename can lead back to itself.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from reconciler.domain.errors import Problem
from reconciler.domain.spec import FORMATS_OF, SUPERVISED, Format
from reconciler.specfile.schema import schema
from reconciler.specfile.schema.messages import advice, describe_schema, or_nearest, quote
from reconciler.specfile.yaml import Document, Path

DEFAULT_PROVIDER = "local"
_CLAIMED = re.compile(r"(?<![^\r\n])name[ \t]*:[ \t]*[\"']?([a-z0-9-]+)")
_A_PROJECT = re.compile(r"(?<![^\r\n])kind[ \t]*:[ \t]*[\"']?Project\b")


def cross_problems(
    documents: Sequence[Document], broken: Sequence[str], profiles: Collection[str] | None = None
) -> Iterator[Problem]:
    """Yield what is wrong between documents; `broken` is the text of those that could not be read.

    The names in a broken document still count, so that a reference to it is not reported as a second mistake.
    """
    yield from _duplicate_names(documents)
    yield from method_problems(of_kind(documents, "Model"), of_kind(documents, "Dataset"))
    yield from rename_problems(documents)
    yield from _bad_references(documents, {name for text in broken for name in _CLAIMED.findall(text)})
    if not any(_A_PROJECT.search(text) for text in broken):
        yield from _missing_bases(documents)
        yield from _other_services(documents, profiles)


def of_kind(documents: Sequence[Document], kind: str) -> list[Document]:
    """Return the documents of one kind, in the order they were read."""
    return [each for each in documents if each.text("kind") == kind]


def _duplicate_names(documents: Sequence[Document]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Document] = {}
    for document in documents:
        kind, name = document.text("kind"), document.text("name")
        if kind == "Project":
            other = first.setdefault((kind, ""), document)
            what = f"a root holds one Project, and there is another at {other.place}"
            path = ("kind",)
        elif kind in {"Dataset", "Model"} and name is not None:
            other = first.setdefault((kind, name), document)
            what = f"there is another {kind} named {quote(name)} at {other.value_place(('name',))}"
            path = ("name",)
        else:
            continue
        if other is not document:
            yield document.problem(path, what, "keep one, or give this another name or root", "spec.duplicate")


def _bad_references(documents: Sequence[Document], unread: set[str]) -> Iterator[Problem]:
    datasets = {name: each for each in of_kind(documents, "Dataset") if (name := each.text("name"))}
    for model in of_kind(documents, "Model"):
        for field in ("training", "validation"):
            name = model.text(field)
            if not name or name in unread:
                continue
            if name not in datasets:
                what = f"there is no Dataset named {quote(name)}{or_nearest(name, datasets)}"
                yield model.problem((field,), what, _name_known(datasets), "spec.reference")
            elif field == "validation" and name == model.text("training") and datasets[name].get("split") is None:
                what = f"{quote(name)} is what the model learns from, and it has no validation rows"
                hint = f"give it 'split: {{validation: 0.2}}', or name another Dataset: {_name_known(datasets)}"
                yield model.problem((field,), what, hint, "spec.reference")


def _name_known(names: dict[str, Document]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - 10} more" if len(shown) > 10 else ""
    return f"the Datasets here are {', '.join(shown[:10])}{more}" if shown else "this root has no Dataset yet: add one"


def _missing_bases(documents: Sequence[Document]) -> Iterator[Problem]:
    if any(
        "base" in found for each in of_kind(documents, "Project") if isinstance(found := each.get("defaults"), dict)
    ):
        return
    for model in of_kind(documents, "Model"):
        if "base" not in model.data:
            hint = "add the model to start from, such as 'base: tfidf-logreg', here or to the Project's defaults"
            problem = model.problem((), "this is missing, and no Project has a default for it", hint, "spec.missing")
            yield Problem(where=problem.where, what=problem.what, path="base", hint=hint, rule=problem.rule)


def _other_services(documents: Sequence[Document], profiles: Collection[str] | None) -> Iterator[Problem]:
    known = {id(each): _known_profile(each, profiles) for each in documents}
    by_project = next((found for each in of_kind(documents, "Project") if (found := known[id(each)])), None)
    models = [each for each in of_kind(documents, "Model") if "provider" not in each.data or known[id(each)]]
    named = [found for each in models if (found := known[id(each)])]
    expected = by_project or (named[0] if named else DEFAULT_PROVIDER)
    for model in models:
        found = known[id(model)] or by_project or DEFAULT_PROVIDER
        if found != expected:
            what = f"this model would train on {quote(found)}, and others of this root on {quote(expected)}"
            hint = "one root trains on one service: name it once, in the Project, or move the model to another root"
            yield model.problem(("provider",), what, hint, "spec.provider")


def _known_profile(document: Document, profiles: Collection[str] | None) -> str | None:
    found = document.text("provider")
    return found if found and (profiles is None or found in profiles) else None


def profile_problems(document: Document, profiles: Collection[str]) -> Iterator[Problem]:
    """Yield the places of one document that name a profile which does not exist."""
    environments = document.get("environments")
    overlays = environments.items() if isinstance(environments, dict) else ()
    named: list[tuple[Path, object]] = [(("provider",), document.get("provider"))]
    for environment, fields in overlays:
        if isinstance(fields, dict):
            named.append((("environments", environment, "provider"), fields.get("provider")))
    for path, name in named:
        if isinstance(name, str) and name and name not in profiles:
            known = sorted(profiles)
            what = f"must be {describe_schema({'enum': known})}, is {quote(name)}{or_nearest(name, known)}"
            yield document.problem(path, what, advice("provider", schema("spec")["$defs"]["provider"]), "spec.value")


REINFORCEMENT = "reinforcement"


def method_problems(models: Sequence[Document], datasets: Sequence[Document]) -> Iterator[Problem]:
    """Yield the models whose method does not fit their datasets, or their grader."""
    by_name = {name: each for each in datasets if (name := each.text("name"))}
    for model in models:
        method = model.text("method") or SUPERVISED
        if method not in FORMATS_OF:
            continue
        yield from _grader_problems(model, method)
        for field in ("training", "validation"):
            dataset = by_name.get(model.text(field) or "")
            found = _format_of(dataset) if dataset else None
            if found and found not in FORMATS_OF[method]:
                wanted = " or ".join(FORMATS_OF[method])
                what = f"{quote(model.text(field) or '')} has the format {found}, and {method} learns from {wanted}"
                methods = [name for name, formats in FORMATS_OF.items() if found in formats]
                yield model.problem((field,), what, f"use another dataset, or 'method: {methods[0]}'", "spec.method")


def _grader_problems(model: Document, method: str) -> Iterator[Problem]:
    extra = model.get("extra")
    passed = isinstance(extra, dict) and "grader" in extra
    own = "grader" in model.data
    if method == REINFORCEMENT and not own and not passed:
        hint = "state what judges the answers: 'grader: {type: string_check, …}'"
        yield model.problem(("method",), "reinforcement needs a grader, and there is none", hint, "spec.method")
    elif own and method != REINFORCEMENT:
        what = f"{method} training has no grader"
        yield model.problem(
            ("grader",), what, "remove it, or write 'method: reinforcement'", "spec.method", at_key=True
        )
    elif own and passed:
        what = "the grader is given twice, here and in 'extra'"
        yield model.problem(("grader",), what, "keep this one", "spec.method", at_key=True)


def _format_of(dataset: Document) -> Format | None:
    found = dataset.text("format")
    if found:
        return Format(found) if found in set(Format) else None
    return Format.CHAT if {"prompt", "messages"} & dataset.data.keys() else None


_MOVED_RULE = "spec.moved"


def rename_problems(documents: Sequence[Document]) -> Iterator[Problem]:
    """Yield what is wrong with old names and adopted jobs."""
    for kind in ("Dataset", "Model"):
        yield from _moved_problems([each for each in documents if each.text("kind") == kind], kind)
    yield from _adopted_twice(documents)


def old_names(document: Document) -> Iterator[tuple[Path, str]]:
    """Yield each old name in a document, with its path."""
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
                hint = "give the name that it had before, or remove this"
                yield document.problem(path, f"{quote(name)} is its name now", hint, _MOVED_RULE)
            elif name in declared:
                where = declared[name].value_place(("name",))
                what = f"there is still a {kind} named {quote(name)}, at {where}"
                yield document.problem(path, what, "remove that document, or this old name", _MOVED_RULE)
            elif name in claimed:
                other, there = claimed[name]
                what = f"the old name {quote(name)} is listed twice, first at {other.value_place(there)}"
                yield document.problem(path, what, "only one document can have had this name: keep one", _MOVED_RULE)
            claimed.setdefault(name, (document, path))


def _adopted_twice(documents: Sequence[Document]) -> Iterator[Problem]:
    path: Path = ("adopt", "job")
    first: dict[str, Document] = {}
    for document in documents:
        job = document.text(*path) if document.text("kind") == "Model" else None
        if job and (other := first.setdefault(job, document)) is not document:
            what = f"job {quote(job)} is adopted twice, first at {other.value_place(path)}"
            yield document.problem(path, what, "one job can be adopted by one model: keep one", "spec.adopt")
