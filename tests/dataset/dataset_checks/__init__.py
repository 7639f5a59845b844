"""Tests of checks across rows and within their texts."""
