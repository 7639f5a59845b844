"""Small files of every row form, naming and defect, by family. Made by hand; none is copied."""

from tests.dataset.small_files import SmallFile

from .api import API
from .columns import CHOICES, FACTS, JUDGED_BY_VALUE, SPLITS
from .defects import DEFECTS, EMPTY, MIXED
from .forms import CALLS, FORMS
from .marked_texts import NESTED, OTHER_WORDS, TRANSCRIPTS
from .meaning import JUDGED_COLUMNS, MEANING
from .preferences import LABELED, PREFERENCES

ROWS: list[SmallFile] = [
    *(*API, *PREFERENCES, *LABELED, *FORMS, *MEANING, *CALLS, *DEFECTS),
    *(*JUDGED_COLUMNS, *MIXED, *EMPTY),
    *(*SPLITS, *JUDGED_BY_VALUE, *CHOICES, *FACTS),
    *(*TRANSCRIPTS, *NESTED, *OTHER_WORDS),
]
