"""Tests of the command line: arguments, formats, and following jobs."""
