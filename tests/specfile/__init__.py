"""Tests of the spec room: YAML text in, specs or problems out."""
