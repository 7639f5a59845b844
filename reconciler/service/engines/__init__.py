"""Engines train and load models. An engine is a module with an `ENGINE`; a job is a directory and one command."""
