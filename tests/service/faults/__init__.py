"""Things that go wrong on purpose: read, chosen, done."""
