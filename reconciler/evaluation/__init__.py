"""Graders: read, and carried out where that takes no model and no foreign code. Knows no HTTP and no store."""
