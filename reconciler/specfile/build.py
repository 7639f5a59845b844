"""Build specs from documents that are valid. Fills in defaults; checks nothing again."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from reconciler.domain.errors import Place
from reconciler.domain.expectations import OptionalCheck
from reconciler.domain.identity import Digest, canonical_json
from reconciler.domain.observed import JobId
from reconciler.domain.spec import (
    AUTO,
    FORMATS_OF,
    SUPERVISED,
    Adoption,
    ColumnMapping,
    DatasetSpec,
    Expect,
    Format,
    ModelSpec,
    OnChange,
    Policy,
    ProjectSpec,
    Recipe,
    Specs,
    Terms,
    Turn,
    WrittenField,
)
from reconciler.specfile.cross_checks import of_kind
from reconciler.specfile.dataset_rules import heldout_of, heldout_terms_of, repository_path, sources_of, terms_of
from reconciler.specfile.expectations import read_allowances, read_expectations
from reconciler.specfile.prepare import read_steps
from reconciler.specfile.yaml import Document, Path, dotted_path, read_fields

Fields = dict[str, Any]


def build_specs(documents: Sequence[Document], root: str, environment: str | None = None) -> Specs:
    """Return the specs of one root. The environment has been applied already."""
    project = next(iter(of_kind(documents, "Project")), None)
    defaults: Fields = _fields(project).get("defaults", {}) if project else {}
    found = (_model(each, defaults, project) for each in of_kind(documents, "Model"))
    models = sorted(found, key=lambda spec: spec.name)
    datasets = sorted(map(_dataset, of_kind(documents, "Dataset")), key=lambda spec: spec.name)
    return Specs(
        root=root,
        project=_project(project, environment) if project else ProjectSpec(is_stated=False, place=Place(file=root)),
        datasets=tuple(replace(each, used_as=_find_use(each.name, models)) for each in datasets),
        models=tuple(models),
    )


def _find_use(dataset: str, models: Sequence[ModelSpec]) -> Format | None:
    methods = {model.recipe.method for model in models if dataset in {model.training, model.validation}}
    formats = {FORMATS_OF.get(method, tuple(Format)) for method in methods}
    only = formats.pop() if len(formats) == 1 else ()
    return only[0] if len(only) == 1 else None


def _project(document: Document, environment: str | None) -> ProjectSpec:
    fields = _fields(document)
    return ProjectSpec(
        name=fields["name"],
        environment=environment,
        environments=tuple(sorted(fields.get("environments", {}))),
        place=document.place,
        provider=fields.get("provider"),
        policy=read_fields(fields.get("policy", {}), Policy),
        expect=_expect(fields.get("expect", {})),
    )


def _expect(fields: Fields) -> Expect:
    return Expect(**{name: tuple([right] if isinstance(right, str) else right) for name, right in fields.items()})


def _dataset(document: Document) -> DatasetSpec:
    fields = _fields(document)
    format_ = Format(fields["format"]) if "format" in fields else None
    mapping = _mapping(fields, format_)
    if mapping is not None and format_ is None:
        format_ = Format.CHAT
    return DatasetSpec(
        name=fields["name"],
        place=document.place,
        sources=tuple(repository_path(source, document.file) for _, source in sources_of(document)),
        terms=_read_terms(fields for _, _, fields in terms_of(document)),
        prepare=read_steps(document),
        format=format_,
        mapping=mapping,
        sheet=fields.get("sheet"),
        heldout=tuple(repository_path(source, document.file) for _, source in heldout_of(document)),
        heldout_terms=_read_terms(fields for _, _, fields in heldout_terms_of(document)),
        expect=read_expectations(document),
        checks=tuple(sorted(OptionalCheck(each) for each in fields.get("checks", ()))),
        allow=read_allowances(document),
        validation_share=float(fields.get("split", {}).get("validation", 0.0)),
        id=fields.get("id", ""),
        moved=_old_names(fields),
        labels=_labels(fields),
        description=fields.get("description", ""),
        written=tuple(_written_fields(document, mapping)),
    )


def _read_terms(entries: Iterable[Fields]) -> tuple[Terms, ...]:
    found = list(entries)
    return tuple(read_fields(fields, Terms) for fields in found) if any(found) else ()


def _written_fields(document: Document, mapping: ColumnMapping | None) -> Iterator[tuple[str, WrittenField]]:
    paths: dict[str, Path] = {
        name: (name,) for name in ("source", "sheet", "heldout", "allow", "format") if name in document.data
    }
    for at, (holder, _, fields) in enumerate(terms_of(document)):
        paths[f"source[{at}]"] = (*holder, "path") if fields else holder
        paths |= {f"source[{at}].{name}": (*holder, name) for name in fields}
    paths |= {f"heldout[{at}]": path for at, (path, _) in enumerate(heldout_of(document))}
    for at, (holder, _, fields) in enumerate(heldout_terms_of(document)):
        paths |= {f"heldout[{at}].{name}": (*holder, name) for name in fields}
    paths |= {"split": ("split", "validation")} if "split" in document.data else {}
    paths |= _mapped_paths(document, mapping) if mapping else {}
    for path, written in paths.items():
        yield path, WrittenField(path=dotted_path(written), place=document.value_place(written))


def _mapped_paths(document: Document, mapping: ColumnMapping) -> dict[str, Path]:
    # A prompt and a completion become turns: what is wrong with a turn is shown at the field that its author wrote.
    if "messages" in document.data:
        return {f"messages[{at}]": ("messages", at) for at in range(len(mapping.turns))} | {
            f"messages[{at}].content": ("messages", at, "content") for at in range(len(mapping.turns))
        }
    names = [name for name in ("system", "prompt", "completion") if name in document.data]
    paths: dict[str, Path] = {name: (name,) for name in names}
    return paths | {f"messages[{at}].content": (name,) for at, name in enumerate(names) if mapping.turns}


def _mapping(fields: Fields, format_: Format | None) -> ColumnMapping | None:
    if "messages" in fields:
        return ColumnMapping(turns=tuple(read_fields(each, Turn) for each in fields["messages"]))
    if "prompt" not in fields:
        return None
    prompt, completion = fields["prompt"], fields["completion"]
    if format_ is Format.COMPLETION:
        return ColumnMapping(prompt=prompt, completion=completion)
    system = (Turn(role="system", content=fields["system"]),) if "system" in fields else ()
    return ColumnMapping(turns=(*system, Turn(role="user", content=prompt), Turn(role="assistant", content=completion)))


def _model(document: Document, defaults: Fields, project: Document | None) -> ModelSpec:
    fields: Fields = {**defaults, **_fields(document)}
    return ModelSpec(
        name=fields["name"],
        place=document.place,
        recipe=Recipe(
            base=fields["base"],
            method=fields.get("method", SUPERVISED),
            hyperparameters=_hyperparameters(defaults, _fields(document)),
            seed=_whole(fields.get("seed")),
            suffix=fields.get("suffix"),
            extra=canonical_json(_extra(fields)).decode(),
        ),
        training=fields["training"],
        validation=fields.get("validation"),
        provider=fields.get("provider"),
        on_change=OnChange(fields.get("on_change", OnChange.WAIT)),
        retries=_whole(fields.get("retries", 0)),
        moved=_old_names(fields),
        suspend=fields.get("suspend", False),
        adopt=_adoption(fields.get("adopt")),
        labels=_labels(fields),
        description=fields.get("description", ""),
        written=tuple(_written_recipe(document, defaults, project)),
    )


def _written_recipe(
    document: Document, defaults: Fields, project: Document | None
) -> Iterator[tuple[str, WrittenField]]:
    """Yield where each field of a recipe stands; what a model states itself counts before a default."""
    for name in ("provider", "base", "method", "suffix", "seed", "hyperparameters", "extra"):
        own, default = document.data.get(name), defaults.get(name)
        if default is not None and project:
            yield from _written_below((name,), default, project, ("defaults",))
        if own is not None:
            yield from _written_below((name,), own, document, ())


def _written_below(path: Path, value: Any, holder: Document, above: Path) -> Iterator[tuple[str, WrittenField]]:
    for each in (path, *((*path, key) for key in (value if isinstance(value, dict) else ()))):
        where = (*above, *each)
        yield dotted_path(each), WrittenField(path=dotted_path(where), place=holder.value_place(where))


def _extra(fields: Fields) -> Fields:
    # A grader decides what is learned, so it is part of the recipe, as everything in `extra` is.
    grader: Fields = {"grader": fields["grader"]} if "grader" in fields else {}
    return {**fields.get("extra", {}), **grader}


def _hyperparameters(defaults: Fields, own: Fields) -> tuple[tuple[str, int | float | str], ...]:
    # A model states `auto` to undo a default of the project. Otherwise it is the same as no value.
    merged: Fields = {**defaults.get("hyperparameters", {}), **own.get("hyperparameters", {})}
    return tuple((name, _whole(value)) for name, value in sorted(merged.items()) if value != AUTO)


def _old_names(fields: Fields) -> tuple[str, ...]:
    found = fields.get("moved", ())
    return (found,) if isinstance(found, str) else tuple(found)


def _adoption(fields: Fields | None) -> Adoption | None:
    digest = Digest.parse(fields["digest"]) if fields else None
    return Adoption(job=JobId(fields["job"]), digest=digest) if fields and digest else None


def _whole(value: Any) -> Any:
    """Return 3 for 3.0: YAML distinguishes them, the services do not."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _labels(fields: Fields) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(fields.get("labels", {}).items()))


def _fields(document: Document) -> Fields:
    return document.data
