"""Tests of spec files: YAML text in, specs or problems out."""
