"""A seventh service: `dialect.py` is the whole of it, and `TOY` there is its line of the registry."""
