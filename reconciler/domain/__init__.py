"""The ground floor: every value that passes between rooms is defined here, and nothing else is."""
