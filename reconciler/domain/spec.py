"""Specs as an author wrote them, checked and complete, before any row is read."""

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

import msgspec

from reconciler.domain.errors import Place
from reconciler.domain.expectations import Allowance, Expectation, OptionalCheck
from reconciler.domain.identity import Digest, PartiallyCompared
from reconciler.domain.observed import JobId
from reconciler.domain.prepare import Preparation

AUTO = "auto"
"""The value that leaves a hyperparameter to the service; the same as no value."""

Number = int | float


class Format(StrEnum):
    """The form of one training row, in the API's words."""

    CHAT = "chat"
    COMPLETION = "completion"
    PREFERENCE = "preference"
    REINFORCEMENT = "reinforcement"


SUPERVISED = "supervised"
"""The method of a recipe that names none."""

FORMATS_OF: dict[str, tuple[Format, ...]] = {
    SUPERVISED: (Format.CHAT, Format.COMPLETION),
    "dpo": (Format.PREFERENCE,),
    "reinforcement": (Format.REINFORCEMENT,),
}
"""The formats that each method learns from."""


class BaseRules(msgspec.Struct, frozen=True, kw_only=True):
    """What some base models of a service learn from.

    Shape:  `bases` are their names, also as the beginning of a fine-tuned model's name
    """

    bases: tuple[str, ...]
    formats: tuple[Format, ...]
    methods: tuple[str, ...]
    sees_images: bool = False

    def holds_for(self, base: str) -> bool:
        """Return whether a base is one of these, or a model that was made of one."""
        found = base.removeprefix("ft:").partition(":")[0] if base.startswith("ft:") else base
        return found in self.bases


class AnswerSet(msgspec.Struct, frozen=True, kw_only=True):
    """What a base needs that chooses one of the answers of its training rows, and writes no text.

    Shape:  at least `least` and at most `most` different answers, each in `rows_each` rows on average; `other` is what
            to write in a spec to train a language model; `is_learned` is false for rows that only validate
    """

    base: str
    other: str
    least: int = 2
    most: int = 500
    rows_each: int = 2
    is_learned: bool = True


class OnChange(StrEnum):
    """What to do when a model is wanted anew while an older version of it is still being trained."""

    WAIT = "wait"
    SUPERSEDE = "supersede"
    PARALLEL = "parallel"


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a mapped chat row: a role and a template over the columns."""

    role: str
    content: str
    weight: int | None = None


class ColumnMapping(msgspec.Struct, frozen=True, kw_only=True):
    """How columns become a row in the API's form.

    Shape:  templates with `{column}` in braces, `{{` for a brace itself; `turns` for chat, the pair for completion
    """

    turns: tuple[Turn, ...] = ()
    prompt: str | None = None
    completion: str | None = None


class Encoding(StrEnum):
    """How the bytes of a text file are to be read."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    LATIN_1 = "latin-1"
    WINDOWS_1250 = "windows-1250"
    WINDOWS_1251 = "windows-1251"
    WINDOWS_1252 = "windows-1252"
    WINDOWS_1253 = "windows-1253"
    WINDOWS_1254 = "windows-1254"
    WINDOWS_1255 = "windows-1255"
    WINDOWS_1256 = "windows-1256"
    WINDOWS_1257 = "windows-1257"
    WINDOWS_1258 = "windows-1258"
    ISO_8859_2 = "iso-8859-2"
    ISO_8859_5 = "iso-8859-5"
    ISO_8859_7 = "iso-8859-7"
    ISO_8859_9 = "iso-8859-9"
    ISO_8859_15 = "iso-8859-15"
    KOI8_R = "koi8-r"
    KOI8_U = "koi8-u"
    CP437 = "cp437"
    CP850 = "cp850"
    CP866 = "cp866"
    CP874 = "cp874"
    MAC_ROMAN = "mac-roman"
    GB18030 = "gb18030"
    BIG5 = "big5"
    SHIFT_JIS = "shift-jis"
    EUC_JP = "euc-jp"
    EUC_KR = "euc-kr"


class Quoting(StrEnum):
    """How a cell of a CSV or TSV file holds its delimiter: between double quotes, or never."""

    DOUBLE = "double"
    NONE = "none"


class Cells(StrEnum):
    """Which text a cell of a workbook has: what the sheet shows, or the value that it stores."""

    SHOWN = "shown"
    STORED = "stored"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How one source is read and counted.

    Shape:  `weight` is how often each of its rows is used: 2 is twice, 0.5 a half of them, by their content and `seed`;
            `sheet` and `delimiter` are None where the dataset or the file's name says it; `columns` are names that
            stand for the header, or for the one that is missing where `header` is false; `cells` is None where the
            author has not chosen: cells are read as stored, with a warning where the sheet shows something else
    """

    weight: float = 1.0
    seed: int = 0
    sheet: str | None = None
    delimiter: str | None = None
    encoding: Encoding = Encoding.UTF_8
    quote: Quoting = Quoting.DOUBLE
    header: bool = True
    columns: tuple[str, ...] = ()
    cells: Cells | None = None


class WrittenField(msgspec.Struct, frozen=True, kw_only=True):
    """A field as its author wrote it: the path in the document, and where its value stands."""

    path: str
    place: Place


class DatasetSpec(PartiallyCompared, frozen=True, kw_only=True, eq=False):
    """Rows, and what to do to them.

    Shape:  `sources` are repository-relative paths or globs with forward slashes, at least one; `terms` has one entry
            for each of them, or none where all are only paths; `prepare` is done in order, before the mapping;
            `format` is None when it is to be found in the rows; `validation_share` is a part of 1, 0 for no split;
            `heldout` are paths like `sources`, of rows that nothing may be trained on, with `heldout_terms` like
            `terms`; `moved` are names that it used to have; `id` is the column that identifies a row, for people: it
            changes no row, and decides nothing;
            `used_as` is the only format that the method of its models learns from, None where there is no such format;
            `written` leads from a field here (`source[0]`, `messages[1].content`) to the one that the author wrote
    """

    name: str
    place: Place
    sources: tuple[str, ...]
    terms: tuple[Terms, ...] = ()
    prepare: tuple[Preparation, ...] = ()
    format: Format | None = None
    mapping: ColumnMapping | None = None
    sheet: str | None = None
    validation_share: float = 0.0
    heldout: tuple[str, ...] = ()
    heldout_terms: tuple[Terms, ...] = ()
    expect: tuple[Expectation, ...] = ()
    checks: tuple[OptionalCheck, ...] = ()
    allow: tuple[Allowance, ...] = ()
    moved: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    id: str = ""
    description: str = ""
    used_as: Format | None = None
    written: tuple[tuple[str, WrittenField], ...] = ()

    def comparison_key(self) -> object:
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name not in {"id", "written"})

    def find_field(self, path: str) -> WrittenField:
        """Return what the author wrote for a field, or else for the nearest field around it."""
        return _find_written(self.written, path, self.place)


def _find_written(written: tuple[tuple[str, WrittenField], ...], path: str, place: Place) -> WrittenField:
    fields, around = dict(written), path
    while around and around not in fields:
        around = around[: max(around.rfind("."), around.rfind("["), 0)]
    return fields.get(around) or WrittenField(path=path, place=place)


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """Everything but the rows that training depends on.

    Shape:  `hyperparameters` in the API's own names, sorted; `extra` is a JSON object, canonical text, passed through
    """

    base: str
    method: str = SUPERVISED
    hyperparameters: tuple[tuple[str, Number | str], ...] = ()
    seed: int | None = None
    suffix: str | None = None
    extra: str = "{}"


def recipe_facts(recipe: Recipe) -> dict[str, object]:
    """Return the facts of a recipe, leaving out what equals its default, so that a new option retrains nothing."""
    facts: dict[str, object] = {"base": recipe.base}
    if recipe.method != SUPERVISED:
        facts["method"] = recipe.method
    facts |= {f"hyperparameters.{name}": value for name, value in recipe.hyperparameters if value != AUTO}
    if recipe.seed is not None:
        facts["seed"] = recipe.seed
    if recipe.suffix is not None:
        facts["suffix"] = recipe.suffix
    facts |= {f"extra.{name}": value for name, value in json.loads(recipe.extra).items()}
    return facts


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """A job that bears no stamp of ours, and the recipe and rows that it stands for: what it was imported with."""

    job: JobId
    digest: Digest


class ModelSpec(PartiallyCompared, frozen=True, kw_only=True, eq=False):
    """One desired fine-tuned model, as its author wrote it: datasets by name.

    Shape:  `moved` are names that it used to have; `written` leads from a field of its recipe (`base`,
            `hyperparameters.n_epochs`) to where it stands, here or in the Project's defaults
    """

    name: str
    place: Place
    recipe: Recipe
    training: str
    validation: str | None = None
    provider: str | None = None
    on_change: OnChange = OnChange.WAIT
    retries: int = 0
    moved: tuple[str, ...] = ()
    suspend: bool = False
    adopt: Adoption | None = None
    labels: tuple[tuple[str, str], ...] = ()
    description: str = ""
    written: tuple[tuple[str, WrittenField], ...] = ()

    def comparison_key(self) -> object:
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name != "written")

    def find_field(self, path: str) -> WrittenField:
        """Return where a field of the recipe stands, or else the nearest field around it."""
        return _find_written(self.written, path, self.place)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may do without being asked again; None is no bound.

    Units:  `max_cost_usd` for all jobs of a run together, `max_bytes` for all its uploads, `max_epochs` for each job
    """

    max_new_jobs: int | None = None
    max_cost_usd: Decimal | None = None
    max_epochs: int | None = None
    max_bytes: int | None = None
    max_change_percent: int = 30
    prune: bool = False


class Expect(msgspec.Struct, frozen=True, kw_only=True):
    """The service that the specs are meant for. It directs nothing: a run that finds itself elsewhere refuses.

    Shape:  each lists what is right; empty is anything
    """

    organization: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    host: tuple[str, ...] = ()


class ProjectSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The namespace of everything one root owns, with its defaults and guards.

    Shape:  `environment` is the one whose fields stand instead of the project's own; None where none was asked for;
            `environments` are the names of all that it has; `is_stated` if a Project document states the name: without
            one, every repository has the same name
    """

    name: str = "default"
    is_stated: bool = True
    environment: str | None = None
    environments: tuple[str, ...] = ()
    place: Place = msgspec.field(default_factory=lambda: Place(file="specs"))
    provider: str | None = None
    policy: Policy = Policy()
    expect: Expect = Expect()

    def has_made(self, environment: str | None) -> bool:
        """Return whether a job is of the environment at hand, by what it says; without environments each job is."""
        if environment is None:
            return not self.environments
        return environment == (self.environment or "")


class Specs(msgspec.Struct, frozen=True, kw_only=True):
    """All documents of one root, sorted by name."""

    root: str
    project: ProjectSpec
    datasets: tuple[DatasetSpec, ...] = ()
    models: tuple[ModelSpec, ...] = ()


class ProfileSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A service as an operator describes it in a file of the machine: another profile, with what is different there.

    Shape:  `like` names the profile whose fields hold where nothing is said here; `url` is the address of the API, and
            `key_variable` the variable that holds the key; `key_header` is the header that bears the key as it is,
            empty for `Authorization: Bearer`; `query` is added to each request; None and absent say nothing;
            `bounds` are lengths of time in seconds by name, as in `--bound`
    """

    name: str
    like: str = "compatible"
    url: str | None = None
    key_variable: str | None = None
    key_header: str | None = None
    query: Mapping[str, str] | None = None
    bases: tuple[str, ...] | None = None
    lists_all_bases: bool | None = None
    methods: tuple[str, ...] | None = None
    formats: tuple[Format, ...] | None = None
    hyperparameters: tuple[str, ...] | None = None
    missing_fields: tuple[str, ...] | None = None
    suffix_length: int | None = None
    max_file_bytes: int | None = None
    keeps_notes: bool | None = None
    closes_on: str | None = None
    retiring: Mapping[str, str] | None = None
    bounds: Mapping[str, float] | None = None
    neutral_methods: tuple[str, ...] | None = None
