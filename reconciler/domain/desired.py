"""The desired state: specs joined with the measures of their rows; and what a job differs in from a wanted model."""

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

import msgspec

from reconciler.domain.errors import Place, Problem
from reconciler.domain.identity import (
    DIGEST_VERSION,
    NEUTRAL_VERSION,
    Address,
    Digest,
    Kind,
    PartiallyCompared,
    Stamp,
    digest_of,
)
from reconciler.domain.observed import FileId, RemoteJob, plain_id
from reconciler.domain.spec import (
    AUTO,
    Adoption,
    DatasetSpec,
    Format,
    ModelSpec,
    OnChange,
    ProjectSpec,
    Recipe,
    Specs,
    recipe_facts,
)


class Part(StrEnum):
    """The side of a split that a file holds. A dataset without a split is all training."""

    TRAINING = "training"
    VALIDATION = "validation"


class Images(msgspec.Struct, frozen=True, kw_only=True):
    """The images of one side of a dataset, as a service bills them: each, and the tiles that cover it.

    Shape:  `least_tiles`, `tiles` and `most_tiles` are a range where a size is unknown, or the service chooses the
            detail
    Units:  `size_bytes` are those of the addresses and data in the rows, which are not text
    """

    count: int = 0
    least_tiles: int = 0
    tiles: int = 0
    most_tiles: int = 0
    size_bytes: int = 0

    def plus(self, other: "Images") -> "Images":
        """Return both together."""
        return Images(
            count=self.count + other.count,
            least_tiles=self.least_tiles + other.least_tiles,
            tiles=self.tiles + other.tiles,
            most_tiles=self.most_tiles + other.most_tiles,
            size_bytes=self.size_bytes + other.size_bytes,
        )


class Measure(PartiallyCompared, frozen=True, kw_only=True, eq=False):
    """The digest and size of one side of a dataset.

    Shape:  `tokens` are those of the texts in one pass over the rows; None if they were not counted, or only the
            service can count them; `images` is None without any. The same lines have equal measures, counted or not
    Units:  `size_bytes` of canonical lines, newlines included: exactly what is uploaded
    """

    digest: Digest
    rows: int
    size_bytes: int
    tokens: int | None = None
    images: Images | None = None

    def comparison_key(self) -> object:
        return (self.digest, self.rows, self.size_bytes)


class DatasetMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """The measures of a whole dataset: its training side, and its validation side if the spec splits it.

    Shape:  `warnings` are findings of the checks that do not stop a run; `vocabulary` is the one that tokens were
            counted with, None if none was requested; `keys` counts by name how many rows of a reinforcement dataset
            have each key
    """

    format: Format
    training: Measure
    validation: Measure | None = None
    warnings: tuple[Problem, ...] = ()
    vocabulary: str | None = None
    keys: tuple[tuple[str, int], ...] = ()


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Rows whose content is known: one file as it is, or will be, on the service."""

    spec: DatasetSpec
    part: Part
    format: Format
    measure: Measure

    @property
    def name(self) -> str:
        return self.spec.name if self.part is Part.TRAINING else f"{self.spec.name}.{self.part}"

    @property
    def title(self) -> str:
        """Name and short digest, as in the file name."""
        return f"{self.name}-{self.measure.digest.short}"

    @property
    def stamp(self) -> Stamp:
        return Stamp(Address(Kind.DATASET, self.name), self.measure.digest)

    @property
    def file_key(self) -> tuple[str, int]:
        """Name and size in bytes of the file that holds these rows on a service."""
        return self.stamp.filename, self.measure.size_bytes


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A wanted model: its recipe and its data. With another recipe or other data it is another model.

    Shape:  `is_suspended` if nothing may be created for it; `validation_is_neutral` if the service guarantees that
            validation rows change no weights
    """

    name: str
    place: Place
    recipe: Recipe
    training: Dataset
    validation: Dataset | None = None
    validation_is_neutral: bool = False
    on_change: OnChange = OnChange.WAIT
    retries: int = 0
    is_suspended: bool = False
    adopt: Adoption | None = None

    @property
    def address(self) -> Address:
        return Address(Kind.MODEL, self.name)

    @property
    def facts(self) -> dict[str, object]:
        """The facts that the stamp depends on, under the names that a reviewer knows."""
        if self.validation and self.validation_is_neutral:
            return {**self._facts_of_training, "validation": True}
        return self._facts_with_rows

    @property
    def _facts_of_training(self) -> dict[str, object]:
        return {**recipe_facts(self.recipe), "training": str(self.training.measure.digest)}

    @property
    def _facts_with_rows(self) -> dict[str, object]:
        rows = {"validation": str(self.validation.measure.digest)} if self.validation else {}
        return {**self._facts_of_training, **rows}

    @property
    def displayed_facts(self) -> tuple[tuple[str, str], ...]:
        """The same facts for people, sorted: files by name and rows in place of a full digest."""
        files = {"training": self.training, "validation": self.validation}
        words = {name: str(value) for name, value in self.facts.items() if name not in files}
        words |= {side: f"{file.title} ({file.measure.rows} rows)" for side, file in files.items() if file}
        return tuple(sorted(words.items()))

    @property
    def stamp(self) -> Stamp:
        version = NEUTRAL_VERSION if self.validation and self.validation_is_neutral else DIGEST_VERSION
        return Stamp(self.address, digest_of(self.facts, version))

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """Every stamp that a job of this model may bear: the one that is written today, then those of older rules."""
        older = Stamp(self.address, digest_of(self._facts_with_rows))
        return (self.stamp, older) if self.validation and self.validation_is_neutral else (older,)

    def bears(self, stamp: Stamp | None) -> bool:
        """Return whether a stamp is one of this model's, by today's rules or by older ones."""
        return stamp is not None and any(stamp.agrees(own) for own in self.stamps)

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        return (self.training, self.validation) if self.validation else (self.training,)


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is wanted, sorted by name.

    Shape:  `declared` names every dataset that has a spec, whether a model uses it or not
    """

    project: ProjectSpec
    models: tuple[Model, ...] = ()
    declared: tuple[str, ...] = ()

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """Every file that some model needs, once, sorted by stamp."""
        return tuple(
            sorted({each.stamp: each for model in self.models for each in model.datasets}.values(), key=_stamp)
        )

    @classmethod
    def join(cls, specs: Specs, measures: Mapping[str, DatasetMeasure], neutral_methods: Collection[str]) -> "Desired":
        """Join specs with the measures of the datasets they name; every name must be there.

        Shape:  `neutral_methods` are those that take no weight from validation rows, by the service's capabilities
        """
        datasets = {spec.name: (spec, measures[spec.name]) for spec in specs.datasets if spec.name in measures}
        return cls(
            project=specs.project,
            models=tuple(_model(spec, datasets, neutral_methods) for spec in specs.models),
            declared=tuple(spec.name for spec in specs.datasets),
        )


def _stamp(dataset: Dataset) -> Stamp:
    return dataset.stamp


def _model(
    spec: ModelSpec, datasets: Mapping[str, tuple[DatasetSpec, DatasetMeasure]], neutral_methods: Collection[str]
) -> Model:
    return Model(
        name=spec.name,
        place=spec.place,
        recipe=spec.recipe,
        training=_side(datasets[spec.training], Part.TRAINING),
        validation=_validation(spec, datasets),
        validation_is_neutral=spec.recipe.method in neutral_methods,
        on_change=spec.on_change,
        retries=spec.retries,
        is_suspended=spec.suspend,
        adopt=spec.adopt,
    )


def _validation(spec: ModelSpec, datasets: Mapping[str, tuple[DatasetSpec, DatasetMeasure]]) -> Dataset | None:
    # The other side of a split is for validation. A model that names another dataset uses all of that one.
    if spec.validation is not None and spec.validation != spec.training:
        return _side(datasets[spec.validation], Part.TRAINING)
    return _side(datasets[spec.training], Part.VALIDATION) if datasets[spec.training][1].validation else None


def _side(found: tuple[DatasetSpec, DatasetMeasure], part: Part) -> Dataset:
    spec, measured = found
    measure = measured.training if part is Part.TRAINING else measured.validation
    assert measure is not None
    return Dataset(spec=spec, part=part, format=measured.format, measure=measure)


def find_differences(
    model: Model,
    job: RemoteJob,
    training: Collection[FileId],
    validation: Collection[FileId],
    suffix: str | None = None,
) -> Iterator[str]:
    """Yield in words what a job says of itself that differs from what was sent for a model.

    A service, or a gateway before it, may change what it was sent. What a job does not repeat says nothing.

    Shape:  `training` and `validation` are the files that hold the rows; `suffix` is the one that was sent
    """
    recipe, stated = model.recipe, dict(job.details.hyperparameters)
    if job.base and not _is_same_base(recipe.base, job.base):
        yield f"the base {job.base} instead of {recipe.base}"
    for side, wanted, found in (
        ("training", training, job.training_file),
        ("validation", validation, job.validation_file),
    ):
        if found is not None and not is_one_file(found, wanted):
            yield f"the {side} file {found} instead of {', '.join(sorted(wanted)) or 'none'}"
    for name, value in recipe.hyperparameters:
        if value == AUTO or not stated:
            continue
        if name not in stated:
            yield f"no {name} instead of {value}"
        elif not _is_same_number(value, stated[name]):
            yield f"{name} {stated[name]} instead of {value}"
    if recipe.seed is not None and job.details.seed not in {None, recipe.seed}:
        yield f"the seed {job.details.seed} instead of {recipe.seed}"
    if suffix and job.details.suffix not in {None, suffix}:
        yield f"the suffix {job.details.suffix} instead of {suffix}"


_WORD_ENDS = re.compile(r"[-@:._ ]+")
_DATE = re.compile(r"-?\d{4}-?\d{2}-?\d{2}$")


def is_perhaps_of(model: Model, job: RemoteJob, training: Collection[FileId]) -> bool:
    """Return whether a job without any mark may be one of this model that lost its marks.

    It trains on a file that holds just these rows, and on a base that may be the model's under another spelling. What
    else a job says of itself decides nothing: what dropped its marks may have changed its seed, suffix, settings and
    validation file as well, or shows them otherwise. So a job that a person made by hand of our file, on our base and
    with other settings, counts too, and costs that person one look: the refusal names the job and the flag that goes
    on without it. The line is drawn at the base and at the rows, because jobs on other bases and on other files are
    everyday use of an account, and a job that names no file would be one of every model.
    """
    if job.stamp is not None or job.training_file is None or not is_one_file(job.training_file, training):
        return False
    return not job.base or _may_be_base(model.recipe.base, job.base)


def is_one_file(file: FileId, others: Collection[FileId]) -> bool:
    """Return whether a file is one of others. A gateway may spell its id in another case, or put a name before it."""
    return plain_id(file) in {plain_id(other) for other in others}


def _may_be_base(sent: str, found: str) -> bool:
    # Beside the snapshot that an alias stands for: the name without its date, and other characters between its words.
    sent, found = (_WORD_ENDS.sub("-", plain_id(base)) for base in (sent, found))
    return found.startswith(f"{sent}-") or _DATE.sub("", found) == _DATE.sub("", sent)


def _is_same_base(sent: str, found: str) -> bool:
    # Services answer with the snapshot that an alias stands for, some with another case or with a provider before it.
    sent, found = sent.lower(), found.lower()
    names = (found, found[found.rfind(f"/{sent}") + 1 :])
    return any(name == sent or name.startswith((f"{sent}-", f"{sent}:")) for name in names)


def _is_same_number(sent: object, found: str) -> bool:
    if str(sent) == found:
        return True
    try:
        return isinstance(sent, int | float) and math.isclose(sent, float(json.loads(found)), rel_tol=1e-6)
    except (ValueError, TypeError, OverflowError):
        return False
