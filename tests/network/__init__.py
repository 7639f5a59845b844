"""Real processes and real sockets: `reconciler apply` against `reconciler serve`, over a road that misbehaves."""
