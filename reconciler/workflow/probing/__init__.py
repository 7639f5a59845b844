"""Proves what can be proved of a service without paying: that files are kept as they were sent."""

from reconciler.workflow.probing.probe import NAME, ProbeFinding, check_account, probe_files

__all__ = ["NAME", "ProbeFinding", "check_account", "probe_files"]
