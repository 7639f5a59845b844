"""Labels: small files that say which job is whose, in their names, because a job itself has no room for it. Pure.

    reconciler.‹project›.‹model›.‹version›.‹64 hex›.intent.‹request›.jsonl    written before a create is sent
    reconciler.‹project›.‹model›.‹version›.‹64 hex›.job.‹job id›.jsonl        written when its answer has come

`‹project›` is a digest of its name, so that the longest names leave room for the rest. `‹request›` is a digest of
what every job says about itself from the first moment to the last: base, files, and those settings that were stated.
A label is for the list of files only: no job trains on one, and what it holds repeats its name for people.
"""

import re
from collections.abc import Mapping

import msgspec

from reconciler.domain.identity import NAME_PATTERN, SHORT_HEX, Address, Digest, Kind, Stamp, canonical_json, digest_of
from reconciler.domain.observed import FileId, JobId

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
        return self._written(bits)

    def answers(self, text: str) -> bool:
        """Return whether a job with this description may be the one asked for; unstated settings may be anything."""
        return self._written(int(text[:2], 16)) == text

    def _written(self, bits: int) -> str:
        stated = {name: self.settings.get(name) for place, name in enumerate(ECHOED) if bits >> place & 1}
        facts = {"base": self.base, "training": self.training, "validation": self.validation, "settings": stated}
        return f"{bits:02x}{digest_of(facts).short}"


class Label(msgspec.Struct, frozen=True, kw_only=True):
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


def read_label(filename: str, created_at: int) -> Label | None:
    """Read the label that a file's name is; None when it is none."""
    found = _NAME.fullmatch(filename)
    if not found:
        return None
    project, name, version, digest, request, job = found.groups()
    return Label(
        project=project,
        stamp=Stamp(Address(Kind.MODEL, name), Digest(version, digest)),
        request=request,
        job=JobId(job) if job else None,
        created_at=created_at,
    )
