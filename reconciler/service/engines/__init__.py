"""What trains. An engine is a module with an `ENGINE`; a job for it is a directory and one command."""
