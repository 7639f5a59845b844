"""Render: text for people and programs, from plain values."""
