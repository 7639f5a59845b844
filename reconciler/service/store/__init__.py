"""What the service stores: records in a SQLite database, bytes in directories. Every change is one transaction."""
