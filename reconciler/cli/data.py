"""data: look at a dataset of the specs, or at any file of rows. Needs no service, and changes nothing."""

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from reconciler.cli import data_diff, exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, JsonOption, SpecsOption
from reconciler.cli.progress import show_progress
from reconciler.domain.errors import Place, UsageError
from reconciler.domain.spec import DatasetSpec

if TYPE_CHECKING:
    from reconciler.dataset.tokens import Vocabulary
    from reconciler.domain.stats import RowShown

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

SHOW_EXAMPLES = """
Examples:

  reconciler data show tickets              the first row, as it is uploaded

  reconciler data show data/tickets.csv --row 17
"""

STATS_EXAMPLES = """
Examples:

  reconciler data stats tickets

  reconciler data stats data/tickets.jsonl --base gpt-4o-mini-2024-07-18 --json
"""

What = Annotated[str, typer.Argument(help="The name of a Dataset in the specs, or a file.", metavar="NAME|FILE")]


def register(app: typer.Typer) -> None:
    """Add the group of commands, with those of this file."""
    group = typer.Typer(help="Show and compare datasets.", no_args_is_help=True, rich_markup_mode=None)
    group.command(epilog=SHOW_EXAMPLES)(show)
    group.command(epilog=STATS_EXAMPLES)(stats)
    group.command(epilog="Example:\n\n  reconciler data sample tickets -n 3 --seed 7")(sample)
    data_diff.register(group)
    app.add_typer(group, name="data")


class DatasetTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What an argument means: a dataset and where its files are; `bases` are those of the models trained on it."""

    spec: DatasetSpec
    workspace: Path
    is_file: bool = False
    bases: frozenset[str] = frozenset()

    def rows(self, told: Callable[[str, int], None]) -> Iterator["RowShown"]:
        """Return the rows: of a dataset as they are uploaded, of a file as they are written."""
        from reconciler.dataset.stats import read_file_rows, read_spec_rows

        rows_of = read_file_rows if self.is_file else read_spec_rows
        return rows_of(self.spec, self.workspace, partial(told, self.spec.name))


def show(
    context: typer.Context,
    what: What,
    row: Annotated[int, typer.Option("--row", help="Which row, counted from 1.", min=1)] = 1,
    specs: SpecsOption = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> int:
    """Show one row.

    Of a dataset as it is uploaded, of a file as it is written there.
    """
    from reconciler.dataset.stats import find_row

    console: Console = context.obj
    with show_progress(console) as told:
        found = find_row(find_dataset(what, specs).rows(told), row)
    _tell((found,), console, as_json=as_json)
    return exit_codes.OK


def stats(
    context: typer.Context,
    what: What,
    base: Annotated[
        str | None, typer.Option("--base", help="Count tokens as this base does; the models' own if not said.")
    ] = None,
    specs: SpecsOption = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> int:
    """Show a dataset in figures.

    Rows, tokens, lengths, roles, labels and system prompts. Tokens are counted where the extra tokens is installed and
    the base is known, and estimated elsewhere.
    """
    from reconciler.dataset.stats import gather_stats
    from reconciler.render import stats_json, stats_text

    console: Console = context.obj
    found = find_dataset(what, specs)
    with show_progress(console) as told:
        figures = gather_stats(
            found.spec,
            found.workspace,
            vocabulary=_vocabulary(base, found),
            progress=partial(told, found.spec.name),
        )
    if as_json:
        console.out.write(stats_json(figures))
    else:
        console.out.write(stats_text(figures, hint=_hint(base, found), colour=console.colour, width=console.width))
    return exit_codes.OK


def sample(
    context: typer.Context,
    what: What,
    number: Annotated[int, typer.Option("--number", "-n", help="How many rows.", min=1, max=1000)] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other rows.", min=0, max=2**32)] = 1,
    specs: SpecsOption = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> int:
    """Show a few rows, chosen by their content.

    The same rows and seed give the same sample; a row that is added changes one of it at most.
    """
    from reconciler.dataset.stats import sample_rows

    console: Console = context.obj
    with show_progress(console) as told:
        found = sample_rows(find_dataset(what, specs).rows(told), number, seed)
    _tell(found, console, as_json=as_json)
    return exit_codes.OK


def is_name(text: str) -> bool:
    """Return whether an argument has the form of a dataset's name, and so is no path."""
    return _NAME.fullmatch(text) is not None


def find_dataset(what: str, root: Path) -> DatasetTarget:
    """Find what is meant by an argument: a name in the specs comes first.

    Raises: UsageError when no spec has the name and there is no such file, InputError when the specs are wrong
    """
    if not is_name(what):
        return _file(what)
    if Path(what).is_file() and not root.exists():
        return _file(what)
    from reconciler.specfile import find_roots, read_specs
    from reconciler.workflow.engine import bases_of, settle

    settings = [settle(each, os.environ) for each in find_roots(root)]
    each = [(setting, read_specs(setting.root, setting.workspace)) for setting in settings]
    naming = [(setting, specs, spec) for setting, specs in each for spec in specs.datasets if spec.name == what]
    if len(naming) == 1:
        setting, specs, spec = naming[0]
        return DatasetTarget(spec=spec, workspace=setting.workspace, bases=bases_of(specs, what))
    if naming:
        roots = " and ".join(str(setting.root) for setting, _, _ in naming)
        raise UsageError(f"{roots} both name {what}; say which is meant with --specs DIR")
    if Path(what).is_file():
        return _file(what)
    known = ", ".join(spec.name for _, specs in each for spec in specs.datasets) or "none"
    raise UsageError(f"the specs name no dataset {what}; they name {known}; a file is named by its path")


def _file(what: str) -> DatasetTarget:
    path = Path(what).resolve()
    spec = DatasetSpec(name=path.stem or what, place=Place(file=what), sources=(path.name,))
    return DatasetTarget(spec=spec, workspace=path.parent, is_file=True)


def _vocabulary(base: str | None, found: DatasetTarget) -> "Vocabulary | None":
    from reconciler.dataset.tokens import vocabulary_for

    return vocabulary_for((base,) if base else found.bases)


def _hint(base: str | None, found: DatasetTarget) -> str:
    from reconciler.dataset.tokens import INSTALL, can_count, vocabulary_of

    bases = {base} if base else found.bases
    names = {vocabulary_of(each) for each in bases}
    if not bases:
        return "say which model they are for, with --base"
    if None in names:
        return "the base has no vocabulary that is known here; --base names another"
    if len(names) > 1:
        return "the models trained on it have several vocabularies; --base names one"
    return "" if can_count() else INSTALL


def _tell(rows: "tuple[RowShown, ...]", console: Console, *, as_json: bool) -> None:
    from reconciler.render import rows_json, rows_text

    console.out.write(rows_json(rows) if as_json else rows_text(rows, colour=console.colour))
