"""Worlds for tests: a small one for stories, and a deterministic one in which everything that can go wrong does."""

from tests.simulation.sandbox import Clock, World, content_of, lines_of, outcomes, real_dataset

__all__ = ["Clock", "World", "content_of", "lines_of", "outcomes", "real_dataset"]
