"""The nouns: every value that passes between packages, and the ports. No I/O, no clock, no other package."""
