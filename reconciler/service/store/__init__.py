"""What the service keeps: a SQLite database for facts, a directory for bytes. Every change is one transaction."""
