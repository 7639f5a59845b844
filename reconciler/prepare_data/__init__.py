"""Advice on raw files: `compat` is the old `prepare_data` tool byte for byte, `suggest` finds what a spec must mend."""

__all__ = ["compat", "suggest"]
