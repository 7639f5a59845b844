"""The workflows and the action, run step by step in a clone, by bash, against a fake GitHub."""
