"""Simulations for tests: a sandbox without faults, and a deterministic one in which everything can go wrong."""

from tests.simulation.sandbox import Clock, Sandbox, content_of, lines_of, outcomes, real_dataset

__all__ = ["Clock", "Sandbox", "content_of", "lines_of", "outcomes", "real_dataset"]
