"""Faults on purpose: how they are read, chosen and carried out."""
