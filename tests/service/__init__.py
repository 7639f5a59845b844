"""The built-in service, spoken to as its clients do: over HTTP, in this process or on a port."""
