"""Text from values: for people, for programs, for files. Touches no service and decides no exit code."""

from reconciler.render.export import OutputFormat, outputs
from reconciler.render.listing import jobs_json, jobs_table
from reconciler.render.machine import event_json, plan_json, problems_json
from reconciler.render.safe import Sink, clean
from reconciler.render.style import colour_wanted
from reconciler.render.terminal import LiveView, SummaryRow, plan_text, problems_text, summary_table, table
from reconciler.render.units import counted

__all__ = [
    "LiveView",
    "OutputFormat",
    "Sink",
    "SummaryRow",
    "clean",
    "colour_wanted",
    "counted",
    "event_json",
    "jobs_json",
    "jobs_table",
    "outputs",
    "plan_json",
    "plan_text",
    "problems_json",
    "problems_text",
    "summary_table",
    "table",
]
