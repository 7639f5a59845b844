"""Quantities, as people read them."""

from datetime import UTC, datetime


def count_text(number: int, noun: str) -> str:
    """Say how many there are: `1 row`, `200 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size_text(size_bytes: int) -> str:
    """Say a size for people: `812 bytes`, `19.5 KiB`, `4.0 MiB`."""
    if size_bytes < 1024:
        return count_text(size_bytes, "byte")
    size, units = size_bytes / 1024, ["KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.1f} {units[0]}"


def duration_text(seconds: float) -> str:
    """Say a length of time for people: `42s`, `2m 05s`, `1h 02m`."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m {rest:02}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02}m"


def time_text(unix_seconds: int) -> str:
    """Say a moment for people, in UTC: `2026-11-21 21:04:00Z`."""
    try:
        return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        # A service's number that is no date is shown as it came.
        return str(unix_seconds)
