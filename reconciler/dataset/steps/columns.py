"""Steps that say which columns a row has. Each gives the function that does it to one row."""

from collections.abc import Callable

from reconciler.dataset.steps.cells import Cells
from reconciler.dataset.templates import Template
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.prepare import DropColumns, FillTemplate, KeepColumns, Rename, SetColumns

Edit = Callable[[Cells], Cells]


class StepError(ReconcilerError):
    """A step that does not fit the rows there are: mend the step.

    Shape:  what is wrong, and a way out
    """

    def __init__(self, what: str, hint: str) -> None:
        self.what = what
        self.hint = hint
        super().__init__(what)


def rename(step: Rename) -> Edit:
    """Return other names to columns, in their places.

    Raises: StepError, on a row that has a column of the new name already
    """
    names = dict(step.names)

    def edit(cells: Cells) -> Cells:
        renamed = {names.get(column, column): value for column, value in cells.items()}
        if len(renamed) < len(cells):
            taken = next(new for old, new in names.items() if old in cells and new in cells and new not in names)
            raise StepError(f"the column `{taken}` is there already", f"drop it first: `drop_columns: [{taken}]`")
        return renamed

    return edit


def drop_columns(step: DropColumns) -> Edit:
    """Leave columns out."""
    dropped = frozenset(step.columns)
    return lambda cells: {column: value for column, value in cells.items() if column not in dropped}


def keep_columns(step: KeepColumns) -> Edit:
    """Leave all other columns out."""
    kept = frozenset(step.columns)
    return lambda cells: {column: value for column, value in cells.items() if column in kept}


def set_columns(step: SetColumns) -> Edit:
    """Write the same values into every row."""
    values = dict(step.values)
    return lambda cells: {**cells, **values}


def fill_templates(step: FillTemplate) -> Edit:
    """Make columns of templates, all from the row as it was."""
    templates = [(column, Template.parse(source)) for column, source in step.templates]
    return lambda cells: {**cells, **{column: template.render(cells) for column, template in templates}}
