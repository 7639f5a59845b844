"""Planning at scale: 10,000 models over 100,000 files and 30,000 past jobs, in memory.

    python -m tests.benchmarks.bench_plan [MODELS]

Prints the median of five plans at a tenth of the size and at the full size, side by side, so that the growth can be
seen, and the peak of memory that planning added.
"""

import resource
import statistics
import sys
import time

from msgspec.structs import replace

from reconciler.domain.desired import Desired
from reconciler.domain.observed import FileId, JobId, ModelId, Observed
from reconciler.planner import make_plan
from tests.factories import a_dataset, a_file, a_job, a_model, desired

RUNS = 5


def state(count: int) -> tuple[Desired, Observed]:
    """Models of which one in a hundred changed, three past jobs each, ten files each."""
    models, jobs, files = [], [], []
    for n in range(count):
        rows = [a_dataset(f"data-{n}", rows=f"{n} {version}") for version in range(3)]
        versions = [a_model(f"model-{n}", training=each) for each in rows]
        jobs += [
            replace(a_job(each, id=f"ftjob-{n}-{m}", age=m), id=JobId(f"ftjob-{n}-{m}"), model=ModelId(f"ft:{n}:{m}"))
            for m, each in enumerate(versions)
        ]
        files += [replace(a_file(rows[m % 3]), id=FileId(f"file-{n}-{m}")) for m in range(10)]
        models.append(
            a_model(f"model-{n}", training=a_dataset(f"data-{n}", rows="new")) if n % 100 == 0 else versions[0]
        )
    there = frozenset(job.model for job in jobs if job.model)
    return desired(*models), Observed(service="bench", files=tuple(files), jobs=tuple(jobs), models=there)


def measure(count: int) -> float:
    wanted, seen = state(count)
    spent = []
    for _ in range(RUNS):
        start = time.process_time()
        plan = make_plan(wanted, seen)
        spent.append(time.process_time() - start)
        assert len(plan.trains) == (count + 99) // 100
    return statistics.median(spent)


def main() -> None:
    count = int(sys.argv[1]) if sys.argv[1:] else 10_000
    small = measure(count // 10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    large = measure(count)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{count // 10:>7} models: {small:7.3f} CPU s")
    print(f"{count:>7} models: {large:7.3f} CPU s, {large / small:.1f} times as long for ten times as many")
    print(f"peak memory with the state in it: {after / 1024:.0f} MB (before: {before / 1024:.0f} MB)")


if __name__ == "__main__":
    main()
