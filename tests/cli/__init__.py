"""The front door: what arguments mean, and how any job is followed."""
