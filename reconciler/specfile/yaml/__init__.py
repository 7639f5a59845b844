"""Strict YAML 1.2: text in, plain data with the place of every key out. Knows no kind of document."""
