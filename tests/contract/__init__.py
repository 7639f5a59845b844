"""One suite of promises, held by every provider."""
