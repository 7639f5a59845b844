"""What `openai tools fine_tunes.prepare_data` did, to the byte: the old tool's rules, its own words and its odd habits.

Nothing here is how we would do it today; that is in `dataset/remedies`. People who have files made by the old tool, or
a pipeline around it, get the same files, names, row order, words and exit code.
"""

from reconciler.prepare_data.compat.prepare import run_legacy_prepare

__all__ = ["run_legacy_prepare"]
