"""What methods, datasets and graders ask of each other, as far as specs say it; the rest is seen in the rows."""

from collections.abc import Iterator, Sequence

from reconciler.domain.errors import Problem
from reconciler.domain.spec import FORMATS_OF, SUPERVISED, Format
from reconciler.specfile.schema.messages import quoted
from reconciler.specfile.yaml.document import Document

REINFORCEMENT = "reinforcement"


def method_problems(models: Sequence[Document], datasets: Sequence[Document]) -> Iterator[Problem]:
    """Yield the models whose method does not go with their datasets, or with their grader."""
    by_name = {name: each for each in datasets if (name := each.text("name"))}
    for model in models:
        method = model.text("method") or SUPERVISED
        if method not in FORMATS_OF:
            continue
        yield from _grader(model, method)
        for field in ("training", "validation"):
            dataset = by_name.get(model.text(field) or "")
            found = _format(dataset) if dataset else None
            if found and found not in FORMATS_OF[method]:
                wanted = " or ".join(FORMATS_OF[method])
                what = f"{quoted(model.text(field) or '')} has the format {found}, and {method} learns from {wanted}"
                methods = [name for name, formats in FORMATS_OF.items() if found in formats]
                yield model.problem((field,), what, f"use another dataset, or 'method: {methods[0]}'", "spec.method")


def _grader(model: Document, method: str) -> Iterator[Problem]:
    extra = model.get("extra")
    passed = isinstance(extra, dict) and "grader" in extra
    own = "grader" in model.data
    if method == REINFORCEMENT and not own and not passed:
        hint = "say what judges the answers: 'grader: {type: string_check, …}'"
        yield model.problem(("method",), "reinforcement needs a grader, and there is none", hint, "spec.method")
    elif own and method != REINFORCEMENT:
        what = f"{method} training has no grader"
        yield model.problem(
            ("grader",), what, "remove it, or write 'method: reinforcement'", "spec.method", at_key=True
        )
    elif own and passed:
        what = "the grader is said twice, here and in 'extra'"
        yield model.problem(("grader",), what, "keep this one", "spec.method", at_key=True)


def _format(dataset: Document) -> Format | None:
    found = dataset.text("format")
    if found:
        return Format(found) if found in set(Format) else None
    return Format.CHAT if {"prompt", "messages"} & dataset.data.keys() else None
