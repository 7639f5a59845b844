"""Which requests a fault affects: by method, path, position, number and chance."""

import pytest

from reconciler.service import read_faults
from reconciler.service.faults.actions import FaultMatcher


def chosen(text: str, *requests: tuple[str, str]) -> list[int]:
    """Return the positions, from 1, of the requests that a fault affects."""
    (fault,) = read_faults([text])
    chooser = FaultMatcher(fault)
    return [place for place, (method, path) in enumerate(requests, 1) if chooser.hits(method, path)]


FILES, JOBS, JOB = ("GET", "/v1/files"), ("POST", "/v1/fine_tuning/jobs"), ("GET", "/v1/fine_tuning/jobs/ftjob-1")


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("latency=1", [1, 2, 3]),
        ("latency=1,method=POST", [2]),
        ("latency=1,path=/files", [1]),
        ("latency=1,path=/v1/files", [1]),
        ("latency=1,path=/fine_tuning/*", [2, 3]),
        ("latency=1,path=*jobs", [2]),
        ("latency=1,path=/file", []),
        ("latency=1,method=GET,path=/fine_tuning/*", [3]),
        # A wrong list is about lists, and the failure of a job about creating one.
        ("list-lag=1", [1]),
        ("truncated=1", [1]),
        ("repeated-page", [1]),
        ("job-failure", [2]),
    ],
)
def test_method_and_path_select(text: str, hit: list[int]) -> None:
    assert chosen(text, FILES, JOBS, JOB) == hit


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("latency=1,path=/files,nth=2", [3]),
        ("latency=1,path=/files,count=2", [1, 3]),
        ("latency=1,path=/files,nth=2,count=2", [3, 4]),
        ("latency=1,path=/files,chance=0", []),
    ],
)
def test_only_requests_that_match_are_counted(text: str, hit: list[int]) -> None:
    assert chosen(text, FILES, JOBS, FILES, FILES, FILES) == hit


def test_chance_depends_on_the_seed_and_has_about_the_given_rate() -> None:
    first = chosen("latency=1,chance=0.3,seed=7", *[FILES] * 1000)
    assert first == chosen("latency=1,chance=0.3,seed=7", *[FILES] * 1000)
    assert first != chosen("latency=1,chance=0.3,seed=8", *[FILES] * 1000)
    assert 240 < len(first) < 360


def test_a_limit_does_not_change_the_random_numbers() -> None:
    endless = chosen("latency=1,chance=0.3,seed=7", *[FILES] * 100)
    assert chosen("latency=1,chance=0.3,seed=7,count=5", *[FILES] * 100) == endless[:5]
