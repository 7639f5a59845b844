"""The published schemas, and our own words for what breaks them. Knows no rule that a schema does not state."""
