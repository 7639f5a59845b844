"""The spec of a job that was made without one. Writes text; what it says has been found out elsewhere.

Whatever a service says goes into the text as one quoted scalar or, in a comment, as one line of printable characters.
"""

import re
from collections.abc import Iterator

import msgspec

from reconciler.domain.identity import Digest
from reconciler.domain.observed import JobId, ModelId
from reconciler.foundation.yaml_write import yaml_scalar


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What a job says of itself, in the words of a spec.

    Shape:  `sources` are the datasets that are to be declared, with the file of each; `stated` are the hyperparameters
            that go into the recipe, and `reported` those that the service may have chosen; `digest` is None where the
            job is not adopted, or not yet
    """

    name: str
    job: JobId
    model: ModelId | None
    base: str
    training: str
    validation: str | None = None
    sources: tuple[tuple[str, str], ...] = ()
    stated: tuple[tuple[str, str], ...] = ()
    reported: tuple[tuple[str, str], ...] = ()
    seed: int | None = None
    suffix: str | None = None
    provider: str | None = None
    moved: str | None = None
    digest: Digest | None = None


def imported_text(imported: Imported) -> str:
    """Return the documents that declare an imported model, and the datasets it needs, if any."""
    made = f", which made {yaml_scalar(imported.model)}" if imported.model else ""
    head = f"# Imported from job {yaml_scalar(imported.job)}{made}.\n"
    datasets = [f"kind: Dataset\nname: {name}\nsource: {yaml_scalar(source)}\n" for name, source in imported.sources]
    return head + "---\n".join([*datasets, "".join(_model(imported))])


def _word(text: str) -> str:
    # In a comment a number needs no quotes; whatever could end the line or hide something gets them.
    return text if re.fullmatch(r"[A-Za-z0-9._+-]{1,40}", text) else yaml_scalar(text)


def _model(imported: Imported) -> Iterator[str]:
    fields = {
        "kind": "Model",
        "name": imported.name,
        "base": yaml_scalar(imported.base),
        "training": imported.training,
        "validation": imported.validation,
        "provider": imported.provider,
        "suffix": yaml_scalar(imported.suffix) if imported.suffix else None,
        "seed": None if imported.seed is None else str(imported.seed),
        "moved": imported.moved,
    }
    yield from (f"{name}: {value}\n" for name, value in fields.items() if value is not None)
    if imported.stated:
        yield "hyperparameters:\n"
        yield from (f"  {name}: {value}\n" for name, value in imported.stated)
    if imported.reported:
        told = ", ".join(f"{_word(name)} {_word(value)}" for name, value in imported.reported)
        yield f"# The job ran with {told}.\n"
        yield "# The service does not say which of these were asked for and which it chose, so none is stated here.\n"
        yield "# Stating one makes another recipe, which is trained anew; import --settings states them all.\n"
    if imported.digest:
        yield "# This job stands for the recipe and rows above as they were when this was written. Change either, and\n"
        yield "# another model is trained. The job is never cancelled, and its model never deleted.\n"
        yield f"adopt:\n  job: {yaml_scalar(imported.job)}\n  digest: {imported.digest}\n"
