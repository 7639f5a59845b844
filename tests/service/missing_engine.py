"""An engine for tests that cannot run, because its library is not installed."""

from tests.service.echo import Echo

ENGINE = Echo(base="test-absent", requires=("no_such_package",))
