"""Specs and data as they once were, read from a directory that holds them. Asks neither git nor a service.

What is wrong with them is nobody's mistake today: rows that cannot be read any more cost the comparison with them,
and specs that cannot be read raise, under the name of their version.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from reconciler.domain.desired import DatasetMeasure, Desired, Model
from reconciler.domain.errors import InputError, Place, Problem, UsageError
from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.renames import NameMap
from reconciler.domain.spec import DatasetSpec, Specs
from reconciler.workflow.engine import Setting

if TYPE_CHECKING:
    from reconciler.dataset.row_diff import DatasetVersion

MOST_KEPT = 8
"""Datasets whose rows are kept from the reading that measures them; those of others are read again if they changed."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What one version says should be.

    Shape:  `title` names the version; `measures` are those of the datasets that can be read; `sides` are rows that are
            at hand, of some of them, without what identifies a row in its source; `notes` are about the others
    """

    title: str
    workspace: Path
    specs: Specs
    measures: Mapping[str, DatasetMeasure]
    sides: Mapping[str, "DatasetVersion"] = msgspec.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[Model, ...]:
        """The models whose data can be measured, sorted by name."""
        known = tuple(model for model in self.specs.models if {model.training, model.validation} <= self._known)
        return Desired.join(replace(self.specs, models=known), self.measures).models

    @property
    def _known(self) -> frozenset[str | None]:
        return frozenset({*self.measures, None})

    def dataset(self, name: str, claims: NameMap) -> DatasetSpec | None:
        """Return the dataset that goes by a name today, whatever it was called then."""
        today = Address(Kind.DATASET, name)
        found = {claims.moved.get(there, there): spec for spec in self.specs.datasets if (there := _address(spec))}
        return found.get(today)

    def stamps(self, spec: DatasetSpec, claims: NameMap) -> tuple[Stamp, ...]:
        """Return the stamps of a dataset's files under today's names; none where it cannot be measured."""
        measured = self.measures.get(spec.name)
        if measured is None:
            return ()
        sides = {"": measured.training, ".validation": measured.validation}
        return tuple(
            claims.rename_stamp(Stamp(Address(Kind.DATASET, spec.name + side), measure.digest))
            for side, measure in sides.items()
            if measure
        )


@contextmanager
def open_snapshot(title: str, setting: Setting, bring: Callable[[DatasetSpec], None]) -> Iterator[Snapshot]:
    """Read what the directory of a setting says.

    Shape:  `bring` puts the sources of a dataset there, or raises a UsageError that says why it cannot
    Raises: InputError when the specs cannot be read, with places that name the version
    Cost:   reads every dataset once, and keeps the rows of the first few in memory or in files without names
    """
    from reconciler.dataset.open_version import open_unchecked
    from reconciler.specfile import read_specs

    try:
        specs = read_specs(setting.root, setting.workspace, setting.environment)
    except InputError as error:
        raise name_version(error, title) from error
    measures: dict[str, DatasetMeasure] = {}
    sides: dict[str, DatasetVersion] = {}
    notes = []
    with ExitStack() as kept:
        for spec in specs.datasets:
            try:
                bring(spec)
                with ExitStack() as opened:
                    measures[spec.name], side = opened.enter_context(open_unchecked(spec, setting.workspace))
                    if len(sides) < MOST_KEPT:
                        sides[spec.name] = side
                        kept.push(opened.pop_all())
            except InputError as error:
                notes.append(f"the rows of {spec.name} at {title} cannot be read: {_first(error)}")
            except UsageError as error:
                notes.append(f"the rows of {spec.name} at {title} cannot be had: {error}")
        yield Snapshot(
            title=title, workspace=setting.workspace, specs=specs, measures=measures, sides=sides, notes=tuple(notes)
        )


def name_version(error: InputError, title: str) -> InputError:
    """Return the same problems, their files with the version that they are of: `main:specs/all.yaml`."""
    problems = tuple(replace(each, where=_at(each.where, title)) for each in error.problems)
    return InputError(problems, error.unshown)


def _at(place: Place, title: str) -> Place:
    return replace(place, file=f"{title}:{place.file}")


def _address(spec: DatasetSpec) -> Address:
    return Address(Kind.DATASET, spec.name)


def _first(error: InputError) -> str:
    first: Problem = error.problems[0]
    more = len(error.problems) + error.unshown - 1
    return f"{first.where}: {first.what}" + (f" (and {more} more)" if more else "")
