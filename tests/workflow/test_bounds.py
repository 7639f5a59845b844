"""What the operator says of a service's bounds, and what is not taken for one."""

import pytest

from reconciler.domain.errors import UsageError
from reconciler.workflow import read_bounds


def test_times_are_read_and_a_flag_counts_before_the_variable() -> None:
    environ = {"RECONCILER_BOUNDS": "fresh=30s, list-lag=1m,"}
    assert read_bounds((), environ) == {"fresh": 30.0, "list_lag": 60.0}
    assert read_bounds(("list_lag = 90", "send=1.5m"), environ) == {"fresh": 30.0, "list_lag": 90.0, "send": 90.0}
    assert read_bounds((), {}) == {}


@pytest.mark.parametrize(
    "text", ["fresh", "fresh=", "=30s", "fresh=soon", "fresh=-1", "fresh=1d", "fresh=" + "9" * 400, ""]
)
def test_an_invalid_time_is_an_error_that_names_its_source(text: str) -> None:
    with pytest.raises(UsageError, match="--bound"):
        read_bounds((text,), {})
    if text:
        with pytest.raises(UsageError, match="RECONCILER_BOUNDS"):
            read_bounds((), {"RECONCILER_BOUNDS": f"send=1,{text}"})
