"""One small stateful emulator for each service that is not on this machine, in the words of that service."""
