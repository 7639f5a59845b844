"""The dialect of 2021 to 2023, `/fine-tunes`: files and models as today, and jobs that labels tell apart."""

from reconciler.providers.http.dialect import Dialect
from reconciler.providers.http.files import FileRules
from reconciler.providers.openai_legacy.create import refusal_of_rows
from reconciler.providers.openai_legacy.jobs import LabelledJobs

DIALECT = Dialect(
    name="openai-legacy",
    jobs=LabelledJobs,
    # Nothing can be asked of that generation's lists: neither a page nor a purpose.
    files=FileRules(page_size=0, refuse_rows=refusal_of_rows),
    chat_path="",
)
