"""Small files as people bring them, one for each habit and defect: what is found, why, and what the hint leads to."""
