"""The steps of a dataset's preparation."""
