"""What a reviewer is shown: a plan, and what surrounds it. Every view of a review is made of this value alone."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from reconciler.domain.basis import Basis
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.identity import Address
from reconciler.domain.observed import ModelId
from reconciler.domain.plan import Plan
from reconciler.domain.rowdiff import RowDiff

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-")
_LONGEST_ENVIRONMENT = 190
_LONGEST_ROOT = 490


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, ready to be reviewed.

    Shape:  `previous` names the models that answer now; `problems` are what the checks say of specs and rows, with
            their places, and `unshown` counts those that were found beyond a bound; `commit`, `environment` and
            `time` are empty where there is none; `basis` is the digest of everything that the plan rests on; `root` is
            relative to the repository, with forward slashes; without `samples` no row is shown; `apply` is the exact
            command that does what is shown, empty where none does; `notes` are sentences on what could not be known
    """

    plan: Plan
    previous: Mapping[Address, ModelId] = msgspec.field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    unshown: int = 0
    commit: str = ""
    environment: str = ""
    root: str = ""
    basis: str = ""
    time: str = ""
    apply: str = ""
    samples: bool = True
    notes: tuple[str, ...] = ()

    @property
    def is_invalid(self) -> bool:
        """Whether specs or rows are wrong, so that nothing was planned."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def marker(self) -> str:
        """The hidden line by which a comment about the same environment and root is found again."""
        environment, root = _encode_word(self.environment, _LONGEST_ENVIRONMENT), _encode_word(self.root, _LONGEST_ROOT)
        return f"<!-- reconciler env={environment} root={root} -->"


def empty_plan(version: str) -> Plan:
    """Return the plan of specs that are invalid: nothing was looked at, and nothing is done."""
    return Plan(project="", provider="", service="", basis=Basis(specs="", service="", options="", version=version))


def drop_samples(plan: Plan) -> Plan:
    """Return the same plan with the counts of changed rows, and none of the rows."""
    return limit_samples(plan, 0)


def limit_samples(plan: Plan, most: int) -> Plan:
    """Return the same plan with at most so many rows shown of each dataset; the first of them stand for all kinds."""
    fewer = (
        replace(step, rows=replace(step.rows, samples=step.rows.samples[:most]))
        if isinstance(step.rows, RowDiff)
        else step
        for step in plan.steps
    )
    return replace(plan, steps=tuple(fewer))


def _encode_word(text: str, most: int) -> str:
    # One word that nothing inside it can end, and two texts never make the same: what is not plain is its number.
    written = "".join(
        char if char in _PLAIN else "".join(f"%{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in text
    )
    return written.replace("--", "-%2d")[:most]
