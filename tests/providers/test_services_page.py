"""The page about services agrees with the profiles: its table of bounds is generated from them."""

import os
from collections.abc import Callable
from pathlib import Path

from reconciler.providers import PROFILES, Profile
from reconciler.providers.profile import SETTABLE

PAGE = Path(__file__).parent.parent.parent / "docs" / "services.md"
BEGIN, END = "with a line\nthat says why.\n\n", "\n\n*Never two jobs* rests"

ROWS: tuple[tuple[str, str, Callable[[Profile], str], str], ...] = (
    (
        "from the last look to the sending of a create",
        "fresh",
        lambda profile: _seconds(profile.capabilities.fresh_seconds),
        "A run that was slower than half of it looks again before it sends.",
    ),
    (
        "an answer to a create",
        "send",
        lambda profile: _seconds(profile.capabilities.send_seconds),
        "Then its sender gives up on it, and looks for the job instead.",
    ),
    (
        "a create taking effect late",
        "effect",
        lambda profile: _seconds(profile.capabilities.effect_seconds),
        "So long after its sender gave up, a create may still make a job; after that, never.",
    ),
    (
        "a list lagging",
        "list_lag",
        lambda profile: _seconds(profile.capabilities.list_lag_seconds),
        "So long after a job was made, a list may not show it yet.",
    ),
    (
        "a create unclear",
        "",
        lambda profile: _seconds(profile.capabilities.settle_seconds),
        "`effect` and `list_lag`: so long the job is looked for, and then the run ends with exit code 9.",
    ),
    (
        "the age of a note",
        "",
        lambda profile: _seconds(profile.capabilities.intent_seconds),
        "All four: after that, a note that another run left says nothing more.",
    ),
    (
        "between two looks at a job",
        "",
        lambda profile: _seconds(profile.capabilities.poll_seconds),
        "How often a run that waits asks.",
    ),
    (
        "a file being processed",
        "ready",
        lambda profile: _seconds(profile.capabilities.ready_seconds),
        "Then the step fails; the file is kept and found again.",
    ),
    (
        "a cancel",
        "cancel",
        lambda profile: _seconds(profile.capabilities.cancel_seconds),
        "So long a cancelled job may take to end.",
    ),
    (
        "a new model not answering yet",
        "",
        lambda profile: _seconds(profile.warmup_seconds),
        "So long `run` asks again when the model is not found.",
    ),
    ("connecting", "", lambda profile: _seconds(profile.timeouts.connect_seconds), "Nothing was sent before that."),
    (
        "silence within an answer",
        "",
        lambda profile: _seconds(profile.timeouts.read_seconds),
        "Then the call has failed.",
    ),
    ("a whole call", "", lambda profile: _seconds(profile.timeouts.total_seconds), "Reads, all attempts together."),
    (
        "a whole upload",
        "",
        lambda profile: _seconds(profile.timeouts.upload_seconds),
        "From the first byte to the answer.",
    ),
    ("attempts of a read", "", lambda profile: str(profile.retries.attempts), "The first one counts."),
    (
        "the longest wait that a service may ask for",
        "",
        lambda profile: _seconds(profile.retries.longest_seconds),
        "A service that asks for more is not waited for.",
    ),
    ("an answer", "", lambda profile: f"{profile.timeouts.answer_bytes // 2**20} MiB", "What is longer is not read."),
    (
        "a file",
        "",
        lambda profile: f"{profile.capabilities.max_file_bytes // 2**20} MiB",
        "A larger dataset is refused by the plan.",
    ),
    (
        "a suffix",
        "",
        lambda profile: f"{profile.capabilities.suffix_length} characters",
        "What is longer is cut, or refused when the spec says it.",
    ),
)


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s"


def table() -> str:
    names = sorted(PROFILES)
    columns = " | ".join(f"`{name}`" for name in names)
    head = [f"| bound | `--bound` | {columns} | what it is for |", f"|---|---|{'--:|' * len(names)}---|"]
    rows = [
        f"| {what} | {f'`{name}`' if name else '–'} | {' | '.join(say(PROFILES[each]) for each in names)} | {why} |"
        for what, name, say, why in ROWS
    ]
    return "\n".join(head + rows)


def test_the_table_of_bounds_is_generated_from_the_profiles() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    shown, end, after = rest.partition(END)
    assert begin
    assert end
    if os.environ.get("REFRESH_GOLDEN"):
        shown = table()
        PAGE.write_text(before + begin + shown + end + after, encoding="utf-8")
    assert shown == table()


def test_every_bound_that_can_be_set_has_its_row() -> None:
    assert {name for _, name, _, _ in ROWS if name} == set(SETTABLE)


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
