"""How a stamp is kept where a job cannot keep it: in the names of small files, and in the name of its model. Pure.

Labels are files whose names say which job is whose:

    reconciler.‹project›.‹model›.‹version›.‹64 hex›.intent.‹request›.jsonl    written before a create is sent
    reconciler.‹project›.‹model›.‹version›.‹64 hex›.job.‹job id›.jsonl        written when its answer has come

`‹project›` is a digest of its name, so that the longest names leave space for the rest. `‹request›` is a digest of
what every job says about itself from the first moment to the last: base, files, and those settings that were stated.
A label is for the list of files only: no job trains on one, and what it holds repeats its name for people.

A model's name ends in the suffix `‹slug›-‹12 hex›`, as long as the service allows. The twelve hex digits are never cut;
the slug is what people read, and is cut to what is left. A slug with fewer letters than fitted is the whole name.
One that is as long as fitted may be the beginning of any longer name, so it is never taken for a name by itself.
"""

import re
from collections.abc import Mapping

import msgspec

from reconciler.domain.identity import (
    DIGEST_VERSION,
    NAME_PATTERN,
    SHORT_HEX,
    Address,
    Digest,
    Kind,
    Stamp,
    canonical_json,
    digest_of,
)
from reconciler.domain.observed import FileId, JobId, ModelId

ECHOED = (
    "n_epochs",
    "batch_size",
    "learning_rate_multiplier",
    "prompt_loss_weight",
    "compute_classification_metrics",
    "classification_n_classes",
    "classification_positive_class",
)
"""The settings that a job repeats, in the order of their bits in a request's digest: add at the end, never change."""

_OTHER_SUFFIX = 1 << len(ECHOED)
_NAME = re.compile(
    rf"reconciler\.([0-9a-f]{{{SHORT_HEX}}})\.({NAME_PATTERN})\.(v[0-9]+)\.([0-9a-f]{{64}})"
    rf"\.(?:intent\.([0-9a-f]{{{2 + SHORT_HEX}}})|job\.([A-Za-z0-9_-]{{1,64}}))\.jsonl"
)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a job was asked to be, as far as a job repeats it.

    Shape:  `settings` are those of ECHOED that are known; `has_our_suffix` is not repeated until there is a model
    """

    base: str
    training: FileId | None
    validation: FileId | None
    settings: Mapping[str, object]
    has_our_suffix: bool = True

    @property
    def text(self) -> str:
        """Two hex digits for which settings were stated and whose suffix it is, then a digest of everything stated."""
        stated = [name for name in ECHOED if self.settings.get(name) is not None]
        bits = sum(1 << ECHOED.index(name) for name in stated) | (0 if self.has_our_suffix else _OTHER_SUFFIX)
        return self._digest_text(bits)

    def answers(self, text: str) -> bool:
        """Return whether a job with this description may be the one asked for; unstated settings may be anything."""
        return self._digest_text(int(text[:2], 16)) == text

    def _digest_text(self, bits: int) -> str:
        stated = {name: self.settings.get(name) for place, name in enumerate(ECHOED) if bits >> place & 1}
        facts = {"base": self.base, "training": self.training, "validation": self.validation, "settings": stated}
        return f"{bits:02x}{digest_of(facts).short}"


class JobLabel(msgspec.Struct, frozen=True, kw_only=True):
    """One label: whose job it is about, and which one, by its id or by what was asked for.

    Shape:  `project` as in the name; one of `request` and `job` is there; `created_at` in Unix seconds of the service
    """

    project: str
    stamp: Stamp
    request: str | None = None
    job: JobId | None = None
    created_at: int = 0

    @property
    def filename(self) -> str:
        about = f"intent.{self.request}" if self.request else f"job.{self.job}"
        digest = self.stamp.digest
        return f"reconciler.{self.project}.{self.stamp.address.name}.{digest.version}.{digest.hex}.{about}.jsonl"

    @property
    def owner(self) -> tuple[str, Stamp]:
        return (self.project, self.stamp)

    @property
    def has_our_suffix(self) -> bool:
        """Return whether the job was asked to carry the stamp in its model's name."""
        return self.request is None or not int(self.request[:2], 16) & _OTHER_SUFFIX

    def content(self, project: str) -> bytes:
        """Return what the file holds: one row that services take, with the label in words."""
        about = f"request {self.request}" if self.request else f"job {self.job}"
        words = f" project {project}, {self.stamp.address}, digest {self.stamp.digest}, {about}"
        return canonical_json({"prompt": "label of the reconciler, not for training ->", "completion": words}) + b"\n"


def project_key(project: str) -> str:
    """Return what stands for a project in the name of a label."""
    return digest_of({"project": project}).short


def read_label(filename: str, created_at: int) -> JobLabel | None:
    """Read the label that a file's name is; None when it is none."""
    found = _NAME.fullmatch(filename)
    if not found:
        return None
    project, name, version, digest, request, job = found.groups()
    return JobLabel(
        project=project,
        stamp=Stamp(Address(Kind.MODEL, name), Digest(version, digest)),
        request=request,
        job=JobId(job) if job else None,
        created_at=created_at,
    )


LONGEST_SLUG = 20
"""Letters of a name that are shown at most; more would only push the date out of sight."""

_FILLER = "x"
_DATE = r"-[0-9]{4}(?:-[0-9]{2}){5}"
_MADE = re.compile(rf".*:ft-[^:]*:([^:]*?){_DATE}", re.DOTALL)
_OURS = re.compile(rf"(?:({NAME_PATTERN})-)?([0-9a-f]{{{SHORT_HEX}}})")


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """What the name of a model says of us.

    Shape:  `slug` may be a name, or the beginning of one; `digest` has 12 hex digits
    """

    slug: str
    digest: Digest

    def may_be(self, stamp: Stamp, suffix_length: int) -> bool:
        """Return whether a model of this stamp would have been named so."""
        return self.digest.agrees(stamp.digest) and self.slug == slug_of(stamp.address.name, slug_length(suffix_length))

    def stamp(self, suffix_length: int) -> Stamp | None:
        """Return the stamp, as far as its digest was carried; None where the slug may be cut."""
        if not 0 < len(self.slug) < slug_length(suffix_length):
            return None
        return Stamp(Address(Kind.MODEL, self.slug), self.digest)


def slug_length(suffix_length: int) -> int:
    """Count the letters that a slug may have beside the digits and a dash."""
    return max(0, min(LONGEST_SLUG, suffix_length - SHORT_HEX - 1))


def slug_of(name: str, length: int) -> str:
    """Return what stands for a name: itself where it fits, else exactly as many letters as fit.

    Services make one dash of several, so a name with a double dash counts as one that does not fit.
    """
    if len(name) <= length and "--" not in name:
        return name
    return re.sub("-+", "-", name)[:length].rstrip("-").ljust(length, _FILLER)


def suffix_of(stamp: Stamp, suffix_length: int) -> str:
    """Return the suffix that carries a stamp; empty where not even the digits fit."""
    if suffix_length < SHORT_HEX:
        return ""
    slug = slug_of(stamp.address.name, slug_length(suffix_length))
    return f"{slug}-{stamp.digest.short}" if slug else stamp.digest.short


def read_carried(model: ModelId | None) -> Carried | None:
    """Read what a model's name carries, `‹base›:ft-‹org›:‹suffix›-‹date›`; None when its suffix is none of ours."""
    made = _MADE.fullmatch(model or "")
    ours = _OURS.fullmatch(made[1]) if made else None
    return Carried(slug=ours[1] or "", digest=Digest(DIGEST_VERSION, ours[2])) if ours else None
