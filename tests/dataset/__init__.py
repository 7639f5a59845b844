"""Tests of datasets: rows on disk become canonical lines, digests and problems."""
