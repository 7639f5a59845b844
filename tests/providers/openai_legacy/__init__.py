"""Tests of the old dialect."""
