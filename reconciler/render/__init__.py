"""Text from values: for people, for programs, for files. Touches no service and decides no exit code."""

from reconciler.render.dataset_text import rows_json, rows_text, stats_json, stats_text
from reconciler.render.event_text import event_text
from reconciler.render.inventory import (
    JobDetail,
    file_detail,
    file_fields,
    files_table,
    job_detail,
    job_detail_fields,
    job_fields,
    jobs_table,
    model_detail,
    model_fields,
    models_table,
    summary_line,
)
from reconciler.render.json_output import (
    diff_json,
    event_json,
    failure_json,
    json_document,
    plan_json,
    problems_json,
)
from reconciler.render.model_output import (
    ModelIdFormat,
    SnippetLanguage,
    SnippetPrompt,
    SnippetTarget,
    model_ids_text,
    snippet_text,
)
from reconciler.render.sanitize import clean
from reconciler.render.sink import Sink
from reconciler.render.terminal import (
    LiveView,
    SummaryRow,
    diff_text,
    plan_text,
    problems_text,
    refusals_text,
    summary_table,
    table,
)
from reconciler.render.text import colour_wanted, count_text, time_text

__all__ = [
    "JobDetail",
    "LiveView",
    "ModelIdFormat",
    "Sink",
    "SnippetLanguage",
    "SnippetPrompt",
    "SnippetTarget",
    "SummaryRow",
    "clean",
    "colour_wanted",
    "count_text",
    "diff_json",
    "diff_text",
    "event_json",
    "event_text",
    "failure_json",
    "file_detail",
    "file_fields",
    "files_table",
    "job_detail",
    "job_detail_fields",
    "job_fields",
    "jobs_table",
    "json_document",
    "model_detail",
    "model_fields",
    "model_ids_text",
    "models_table",
    "plan_json",
    "plan_text",
    "problems_json",
    "problems_text",
    "refusals_text",
    "rows_json",
    "rows_text",
    "snippet_text",
    "stats_json",
    "stats_text",
    "summary_line",
    "summary_table",
    "table",
    "time_text",
]
