"""Compares two versions of a dataset row by row. Explains what changed, and decides nothing.

Pass one reads both sides, and keeps a hash and a place of every row. Whatever differs is read again by its place.
"""
