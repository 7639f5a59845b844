"""Looks at a file as the old tool did, and says what to do about it as steps that a spec can hold. Asks nobody."""

from reconciler.prepare_data.suggest.examine import Examined, examine
from reconciler.prepare_data.suggest.finding import Finding, Remedy
from reconciler.prepare_data.suggest.fragment import fragment, steps_text
from reconciler.prepare_data.suggest.writing import prepared_names, write_prepared

__all__ = ["Examined", "Finding", "Remedy", "examine", "fragment", "prepared_names", "steps_text", "write_prepared"]
