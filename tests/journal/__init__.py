"""The journal's room, tested."""
