"""prepare_data."""
