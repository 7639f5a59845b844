"""The page about services says what the profiles are: its table of bounds is made from them."""

import os
from collections.abc import Callable
from pathlib import Path

from reconciler.provider import PROFILES, Profile

PAGE = Path(__file__).parent.parent.parent / "docs" / "services.md"
BEGIN, END = "repeated; uploads and creates are sent once.\n\n", "\n\nA *create unclear*"

ROWS: tuple[tuple[str, Callable[[Profile], str]], ...] = (
    ("between two looks at a job", lambda profile: _seconds(profile.capabilities.poll_seconds)),
    ("a create unclear", lambda profile: _seconds(profile.capabilities.effect_seconds)),
    ("a file being processed", lambda profile: _seconds(profile.capabilities.ready_seconds)),
    ("a cancel", lambda profile: _seconds(profile.capabilities.cancel_seconds)),
    ("a new model not answering yet", lambda profile: _seconds(profile.warmup_seconds)),
    ("connecting", lambda profile: _seconds(profile.bounds.connect_seconds)),
    ("silence within an answer", lambda profile: _seconds(profile.bounds.read_seconds)),
    ("a whole call", lambda profile: _seconds(profile.bounds.total_seconds)),
    ("a whole upload", lambda profile: _seconds(profile.bounds.upload_seconds)),
    ("attempts of a read", lambda profile: str(profile.patience.attempts)),
    ("the longest wait that a service may ask for", lambda profile: _seconds(profile.patience.longest_seconds)),
    ("an answer", lambda profile: f"{profile.bounds.answer_bytes // 2**20} MiB"),
    ("a file", lambda profile: f"{profile.capabilities.max_file_bytes // 2**20} MiB"),
    ("a suffix", lambda profile: f"{profile.capabilities.suffix_length} characters"),
)


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s"


def table() -> str:
    names = sorted(PROFILES)
    head = [f"| bound | {' | '.join(f'`{name}`' for name in names)} |", "|---|" + "--:|" * len(names)]
    rows = [f"| {what} | {' | '.join(say(PROFILES[name]) for name in names)} |" for what, say in ROWS]
    return "\n".join(head + rows)


def test_the_table_of_bounds_is_made_from_the_profiles() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    shown, end, after = rest.partition(END)
    assert begin
    assert end
    if os.environ.get("REFRESH_GOLDEN"):
        shown = table()
        PAGE.write_text(before + begin + shown + end + after, encoding="utf-8")
    assert shown == table()


def test_every_profile_and_every_variable_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for profile in PROFILES.values():
        variables = (
            profile.url_variable,
            profile.other_url_variable,
            profile.key_variable,
            profile.organization_variable,
            profile.other_organization_variable,
            profile.project_variable,
        )
        assert all(f"`{word}`" in text for word in (profile.name, *variables) if word)
