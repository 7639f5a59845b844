"""What each client documents as its way through fine-tuning, run by the Python of its own environment."""
