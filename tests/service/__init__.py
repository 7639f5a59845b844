"""The built-in service, called as its clients do: over HTTP, in this process or on a port."""
