"""What the operator says of a service's bounds, and what is not taken for one."""

import pytest

from reconciler.domain.errors import UsageError
from reconciler.workflow import read_bounds


def test_times_are_read_and_a_flag_counts_before_the_variable() -> None:
    environ = {"RECONCILER_BOUNDS": "fresh=30s, list-lag=1m,"}
    assert read_bounds((), environ) == {"fresh": 30.0, "list_lag": 60.0}
    assert read_bounds(("list_lag = 90", "send=1.5m"), environ) == {"fresh": 30.0, "list_lag": 90.0, "send": 90.0}
    assert read_bounds((), {}) == {}


@pytest.mark.parametrize("said", ["fresh", "fresh=", "=30s", "fresh=soon", "fresh=-1", "fresh=1d", ""])
def test_what_is_no_time_says_where_it_was_said(said: str) -> None:
    with pytest.raises(UsageError, match="--bound"):
        read_bounds((said,), {})
    if said:
        with pytest.raises(UsageError, match="RECONCILER_BOUNDS"):
            read_bounds((), {"RECONCILER_BOUNDS": f"send=1,{said}"})
