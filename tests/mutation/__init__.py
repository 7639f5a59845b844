"""Tests of the tests: each safety rule is taken out in turn, and the suite must notice."""
