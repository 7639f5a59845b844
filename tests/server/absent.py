"""An engine for tests that cannot run: what it is built on is not installed."""

from tests.server.echo import Echo

ENGINE = Echo(base="test-absent", requires=("no_such_package",))
