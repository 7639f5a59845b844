"""An engine for tests that cannot run: what it is built on is not installed."""

from tests.service.echo import Echo

ENGINE = Echo(base="test-absent", requires=("no_such_package",))
