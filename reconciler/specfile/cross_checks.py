"""The rules between documents: names are told once, references lead somewhere, one root trains on one service."""

import re
from collections.abc import Iterator, Sequence

from reconciler.domain.errors import Problem
from reconciler.specfile.methods import method_problems
from reconciler.specfile.renames import past_problems
from reconciler.specfile.schema.files import schema
from reconciler.specfile.schema.messages import or_nearest, quoted
from reconciler.specfile.yaml.document import Document

DEFAULT_PROVIDER = "local"
_CLAIMED = re.compile(r"(?<![^\r\n])name[ \t]*:[ \t]*[\"']?([a-z0-9-]+)")
_A_PROJECT = re.compile(r"(?<![^\r\n])kind[ \t]*:[ \t]*[\"']?Project\b")


def problems_across(documents: Sequence[Document], broken: Sequence[str]) -> Iterator[Problem]:
    """Yield what is wrong between documents; `broken` is the text of those that could not be read.

    A document that could not be read still has its name, so that what refers to it is no second mistake.
    """
    yield from _twins(documents)
    yield from method_problems(of_kind(documents, "Model"), of_kind(documents, "Dataset"))
    yield from past_problems(documents)
    yield from _loose_ends(documents, {name for text in broken for name in _CLAIMED.findall(text)})
    if not any(_A_PROJECT.search(text) for text in broken):
        yield from _without_base(documents)
        yield from _other_services(documents)


def of_kind(documents: Sequence[Document], kind: str) -> list[Document]:
    """Return the documents of one kind, in the order they were read."""
    return [each for each in documents if each.text("kind") == kind]


def _twins(documents: Sequence[Document]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Document] = {}
    for document in documents:
        kind, name = document.text("kind"), document.text("name")
        if kind == "Project":
            other = first.setdefault((kind, ""), document)
            what = f"a root holds one Project, and there is another at {other.place}"
            path = ("kind",)
        elif kind in {"Dataset", "Model"} and name is not None:
            other = first.setdefault((kind, name), document)
            what = f"there is another {kind} named {quoted(name)} at {other.value_place(('name',))}"
            path = ("name",)
        else:
            continue
        if other is not document:
            yield document.problem(path, what, "keep one, or give this another name or root", "spec.duplicate")


def _loose_ends(documents: Sequence[Document], unread: set[str]) -> Iterator[Problem]:
    datasets = {name: each for each in of_kind(documents, "Dataset") if (name := each.text("name"))}
    for model in of_kind(documents, "Model"):
        for field in ("training", "validation"):
            name = model.text(field)
            if not name or name in unread:
                continue
            if name not in datasets:
                what = f"there is no Dataset named {quoted(name)}{or_nearest(name, datasets)}"
                yield model.problem((field,), what, _known(datasets), "spec.reference")
            elif field == "validation" and name == model.text("training") and datasets[name].get("split") is None:
                what = f"{quoted(name)} is what the model learns from, and it holds nothing back"
                hint = f"give it 'split: {{validation: 0.2}}', or name another Dataset: {_known(datasets)}"
                yield model.problem((field,), what, hint, "spec.reference")


def _known(names: dict[str, Document]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - 10} more" if len(shown) > 10 else ""
    return f"the Datasets here are {', '.join(shown[:10])}{more}" if shown else "this root has no Dataset yet: add one"


def _without_base(documents: Sequence[Document]) -> Iterator[Problem]:
    if any(
        "base" in found for each in of_kind(documents, "Project") if isinstance(found := each.get("defaults"), dict)
    ):
        return
    for model in of_kind(documents, "Model"):
        if "base" not in model.data:
            hint = "add the model to start from, such as 'base: tfidf-logreg', here or to the Project's defaults"
            problem = model.problem((), "this is missing, and no Project has a default for it", hint, "spec.missing")
            yield Problem(where=problem.where, what=problem.what, path="base", hint=hint, rule=problem.rule)


def _other_services(documents: Sequence[Document]) -> Iterator[Problem]:
    by_project = next((found for each in of_kind(documents, "Project") if (found := _profile(each))), None)
    models = [each for each in of_kind(documents, "Model") if "provider" not in each.data or _profile(each)]
    named = [found for each in models if (found := _profile(each))]
    expected = by_project or (named[0] if named else DEFAULT_PROVIDER)
    for model in models:
        found = _profile(model) or by_project or DEFAULT_PROVIDER
        if found != expected:
            what = f"this model would train on {quoted(found)}, and others of this root on {quoted(expected)}"
            hint = "one root trains on one service: name it once, in the Project, or move the model to another root"
            yield model.problem(("provider",), what, hint, "spec.provider")


def _profile(document: Document) -> str | None:
    found = document.text("provider")
    return found if found in schema("spec")["$defs"]["provider"]["enum"] else None
