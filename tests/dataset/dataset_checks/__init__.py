"""Tests of what is looked for across rows and within their texts."""
