"""Real processes and real sockets: `reconciler apply` against `reconciler serve`, through a proxy that misbehaves."""
