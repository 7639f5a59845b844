"""Write specs: of a job that was created without one, and of a small tree to start from. Overwrites nothing.

Text of a service is written as one quoted scalar or, in a comment, as one line of printable characters. The schema is
written beside the specs, because an editor completes only from a file: so completion works offline, for every user of
the repository, by the same rules as the loader's.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from reconciler.domain.errors import UsageError
from reconciler.domain.identity import Digest
from reconciler.domain.observed import JobId, ModelId
from reconciler.domain.spec import FORMATS_OF, SUPERVISED, Format
from reconciler.foundation.text import slug, yaml_scalar
from reconciler.specfile.files import find_workspace
from reconciler.specfile.schema import schema_text


class ImportedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a service reports of a job, under the names of a spec.

    Shape:  `sources` are the datasets to declare, each with its file and the lines by which its rows are read;
            `stated` are the hyperparameters for the recipe, `reported` those that the service may have chosen; `digest`
            is None if the job is not adopted, or not yet
    """

    name: str
    job: JobId
    model: ModelId | None
    base: str
    training: str
    validation: str | None = None
    sources: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    stated: tuple[tuple[str, str], ...] = ()
    reported: tuple[tuple[str, str], ...] = ()
    seed: int | None = None
    suffix: str | None = None
    provider: str | None = None
    moved: str | None = None
    digest: Digest | None = None


def import_spec_text(imported: ImportedModel) -> str:
    """Return the documents that declare an imported model, and the datasets it needs, if any."""
    made = f", which made {yaml_scalar(imported.model)}" if imported.model else ""
    head = f"# Imported from job {yaml_scalar(imported.job)}{made}.\n"
    datasets = [
        "\n".join(("kind: Dataset", f"name: {name}", f"source: {yaml_scalar(source)}", *lines, ""))
        for name, source, lines in imported.sources
    ]
    return head + "---\n".join([*datasets, "".join(_model(imported))])


def _word(text: str) -> str:
    # In a comment a number needs no quotes. A text that could end the line, or hide something, gets them.
    return text if re.fullmatch(r"[A-Za-z0-9._+-]{1,40}", text) else yaml_scalar(text)


def _model(imported: ImportedModel) -> Iterator[str]:
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
        listed = ", ".join(f"{_word(name)} {_word(value)}" for name, value in imported.reported)
        yield f"# The job ran with {listed}.\n"
        yield "# The service does not report which of these it chose itself, so none is stated here.\n"
        yield "# With one stated, the recipe changes and the model is trained again; import --settings states all.\n"
    if imported.digest:
        yield "# This job stands for the recipe and rows above, as they were at the import. If you change either,\n"
        yield "# another model is trained. The job is never cancelled, and its model is never deleted.\n"
        yield f"adopt:\n  job: {yaml_scalar(imported.job)}\n  digest: {imported.digest}\n"


_TREE = Path(__file__).parent / "starter_tree"
_FILES = ("project.yaml", "datasets.yaml", "models.yaml", "data/bike-messages.csv")
_SCHEMA = ".schemas/spec.schema.json"
_A_NAME = "my-project"


_SCHEMA_LINE = f"# yaml-language-server: $schema={_SCHEMA}\n#\n"

_DATASET_HEAD = """\
# Rows, and how they become examples. Change a row, and `reconciler plan` shows what would be trained again and why.
# `source` is relative to this file; a list of files or a pattern such as data/*.csv is read too.
"""
_DATASET_END = """
# Hold rows back to validate with. Worth it from some hundred rows on.
# split:
#   validation: 0.1
"""
_MODEL_HEAD = """\
# The models that should exist. `reconciler apply` trains those that do not, and leaves alone those that do.
# Nothing is trained before you take away the comment signs of the Model below. `base` is what it starts from:
# `tfidf-logreg` chooses one of the answers of its rows, on this machine. To learn free text, write `provider: openai`
# in project.yaml and one of its models here.
#
"""


_BASES = {SUPERVISED: "tfidf-logreg", "dpo": "gpt-4.1-mini-2025-04-14", "reinforcement": "o4-mini-2025-04-16"}
_ELSEWHERE = ("\nprovider: local\n", "\nprovider: openai\n")
"""The built-in service learns from answers alone."""


class OwnRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one's own to start from.

    Shape:  `dataset` is the document that declares them under their `name`, relative to the root of the specs
    """

    name: str
    dataset: str
    format: Format


def write_starter(root: Path, rows: OwnRows | None = None) -> tuple[Path, ...]:
    """Write a small tree of specs below a root, and return its files. The repository names the project.

    Without rows of one's own it works as it is; with them, its model is a comment.

    Raises: UsageError when one of the files exists already, when the root holds specs, or when it cannot be written
    """
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file; name a directory for the specs")
    texts = {root / name: text for name, text in _list_texts(root, rows).items()}
    there = [path for path in texts if path.exists() or path.is_symlink()]
    if there or (there := sorted(each for ending in ("yaml", "yml") for each in root.glob(f"**/*.{ending}"))):
        raise UsageError(f"{there[0]} exists already, and init overwrites nothing; name another directory")
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}") from error
    return tuple(texts)


def _list_texts(root: Path, rows: OwnRows | None) -> dict[str, str]:
    schema = {_SCHEMA: schema_text("spec")}
    if rows is None:
        return {name: _starter_text(name, root) for name in _FILES} | schema
    project = _starter_text("project.yaml", root)
    return {
        "project.yaml": project if _find_method(rows) == SUPERVISED else project.replace(*_ELSEWHERE),
        "datasets.yaml": _SCHEMA_LINE + _DATASET_HEAD + rows.dataset + _DATASET_END,
        "models.yaml": _SCHEMA_LINE + _MODEL_HEAD + "".join(f"# {line}\n" for line in _model_lines(rows)),
    } | schema


def _find_method(rows: OwnRows) -> str:
    return next(method for method, formats in FORMATS_OF.items() if rows.format in formats)


def _model_lines(rows: OwnRows) -> Iterator[str]:
    yield "kind: Model"
    yield f"name: {rows.name}"
    method = _find_method(rows)
    yield f"base: {_BASES[method]}"
    if method != SUPERVISED:
        yield f"method: {method}"
    yield f"training: {rows.name}"


def _starter_text(name: str, root: Path) -> str:
    text = (_TREE / name).read_text(encoding="utf-8")
    return text.replace(f"name: {_A_NAME}", f"name: {slug(find_workspace(root).name) or _A_NAME}")
