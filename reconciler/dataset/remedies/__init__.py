"""Looks at a file as the old tool did, and says what to do about it as steps that a spec can hold. Asks nobody."""

from reconciler.dataset.remedies.examine import Examined, examine
from reconciler.dataset.remedies.finding import Finding, Remedy
from reconciler.dataset.remedies.fragment import fragment, steps_text
from reconciler.dataset.remedies.writing import prepared_names, write_prepared

__all__ = ["Examined", "Finding", "Remedy", "examine", "fragment", "prepared_names", "steps_text", "write_prepared"]
