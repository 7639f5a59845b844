"""The workflows and the action, every step of them run for real: in a clone, by bash, against a hub that records."""
