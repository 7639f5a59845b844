"""Lock files as reconciler writes them, for tests that record them."""

HEAD = "# Which model answered last.\napiVersion: reconciler/v1\nkind: Lock\n"


def entry(name: str, model: str, finished: str = "2026-01-01T00:00:00Z", service: str = "openai") -> str:
    """Return the lines of one model, as reconciler writes them."""
    return (
        f"  - address: model/{name}\n    digest: v1:{'0' * 64}\n    provider: openai\n    service: {service}\n"
        f"    job: ftjob-{model}\n    model: {model}\n    finished_at: {finished}\n    datasets:\n"
        f"      - address: dataset/rows\n        digest: v1:{'1' * 64}\n        rows: 200\n"
    )


def lock_text(*entries: str, cancelled: tuple[str, ...] = ()) -> str:
    """Return a lock file."""
    jobs = "".join(f"  - {job}\n" for job in cancelled)
    models = f"models:\n{''.join(entries)}" if entries else "models: []\n"
    return HEAD + models + (f"# Jobs that a plan cancelled.\ncancelled:\n{jobs}" if jobs else "")


OLD = lock_text(entry("a", "a1"), entry("b", "b1"))
NEW = lock_text(entry("a", "a2"), entry("b", "b1"))
