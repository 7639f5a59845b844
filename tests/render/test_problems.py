"""Notes are shown as notes, and counted apart from problems."""

from reconciler.domain.errors import Place, Problem, Severity
from reconciler.render import problems_text


def test_information_is_neither_a_warning_nor_a_problem() -> None:
    where = Place(file="specs/d.yaml", line=6, column=5)
    note = Problem(where=where, path="prepare[1].limit", what="2 rows dropped", severity=Severity.INFO)
    warning = Problem(where=where, what="odd", severity=Severity.WARNING)
    assert problems_text([note, warning], tail="nothing is in the way").splitlines() == [
        "specs/d.yaml:6:5  info: prepare[1].limit: 2 rows dropped",
        "specs/d.yaml:6:5  warning: odd",
        "1 warning, 1 note; nothing is in the way.",
    ]
