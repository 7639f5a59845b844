"""For people: plans, problems, progress and tables, at the width of a terminal."""

from reconciler.render.terminal.live import LiveView
from reconciler.render.terminal.plan import plan_text
from reconciler.render.terminal.problems import problems_text, refusals_text
from reconciler.render.terminal.rows import diff_text
from reconciler.render.terminal.table import SummaryRow, summary_table, table

__all__ = [
    "LiveView",
    "SummaryRow",
    "diff_text",
    "plan_text",
    "problems_text",
    "refusals_text",
    "summary_table",
    "table",
]
