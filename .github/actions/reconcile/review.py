"""Reads the review that `reconciler plan --format review=FILE` wrote, and trusts nothing in it.

The file comes out of a job that ran a pull request's code. So its size, its keys and its types are checked by hand,
and what would reach beyond the comment (mentions, references, links, a second marker, hidden characters) is refused or
disarmed. Of HTML, only the tags and entities that a review has stay.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_FILE_BYTES = 2 * 1024 * 1024
MAX_FILES = 20
MAX_NOTICES = 100
"""Reviews beyond those that are posted, whose older comments are replaced."""
_NAMED = 5
MAX_PARTS = 4
MAX_PART_CHARACTERS = 60_000
MAX_LINE_CHARACTERS = 1_000

_MARKER = re.compile(r"<!-- reconciler env=[^\s<>]{0,200} root=[^\x00-\x1f\x7f<>]{0,500} -->")
# A space of no width keeps what it stands in from being found: mentions, references to issues, commits and advisories,
# addresses, tags, formulas and their commands. It is not seen.
_ACTIVE = re.compile(
    r"(?<=@)(?=[A-Za-z0-9])"
    r"|(?<!&#)(?<=#)(?=\w)"
    r"|(?i:(?<=\bgh-)(?=\d))"
    r"|(?i:(?<=\bghsa)|(?<=\bcve))(?=-)"
    r"|(?<=\$)(?=[$`])|(?<=`)(?=\$)|(?<=\\)(?=[A-Za-z])"
    r"|(?<=:)(?=//)"
    r"|(?i:(?<=\bmailto)|(?<=\bxmpp)|(?<=\btel))(?=:)"
    r"|(?i:(?<=\bwww)(?=\.))"
    r"|(?<=\])(?=[(:\[])"
    r"|(?<=<)(?!/?(?:details|summary|sub|code|span)>|br>)(?=[A-Za-z/!?])"
    r"|(?<=```)(?!diff$|sh$)(?=[ \t]*\w)"
    r"|(?<=~~~)(?=[ \t]*\w)",
    re.MULTILINE,
)
# Whatever is open before an empty line, this is code: as a block of its own, or as lines of a block that none of its
# lines closes, since none has the beginning of a fence.
_COMMANDS = re.compile(r"(?<=\n\n)(```sh\n(?:(?!.*(?:```|~~~)).+\n){1,20}```)(?=\n|\Z)")
_COMMIT = re.compile(r"(?<![A-Za-z0-9])[0-9a-f]{7,40}(?![A-Za-z0-9])")
_SHORTEST_COMMIT = 7
_WHOLE_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_WRITTEN_OUT = re.compile(r"&(?!(?:amp|lt|gt|quot|#32|#124|#8203|#x27);)(?=#|[A-Za-z][A-Za-z0-9]*;)")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-")
# Scripts of India and Persia and emoji need these, one or two at a time; reconciler writes all others as escapes.
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")
_SURPLUS = re.compile("(?<=[\u200c\u200d\ufe0e\ufe0f]{2})[\u200c\u200d\ufe0e\ufe0f]+")
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U0001d159\U000e0000-\U000e0fff]"
)
_LONGEST_ENVIRONMENT, _LONGEST_ROOT = 190, 490
MOST_COMMENT_CHARACTERS = 65_000
"""Of a comment, which may have 65,536; the rest is for the marker and a warning."""

STATES = frozenset({"settled", "unchanged", "changes", "waiting", "refused", "invalid", "failed"})
OLDER_STATE = "unknown"
"""The state of a review of version 1 without changes: whether everything wanted was there, it does not say."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(UTC|Z|[+-]\d\d:?\d\d))?")
_ZERO_WIDTH_SPACE = "\u200b"
_TYPES: dict[str, tuple[type, ...]] = {
    "version": (int,),
    "marker": (str,),
    "environment": (str, type(None)),
    "root": (str,),
    "commit": (str, type(None)),
    "basis": (str, type(None)),
    "verdict": (str,),
    "has_changes": (bool,),
    "parts": (list,),
}
_TYPES_OF = {1: _TYPES, 2: {**_TYPES, "state": (str,)}}


class ReviewError(Exception):
    """The file is no review.

    Shape:  `notice` stands for it in its comment, where the file says plainly which review it would be
    """

    notice: "Review | None" = None


@dataclass(frozen=True)
class Review:
    """What a comment is made of.

    Shape:  `parts` are Markdown, disarmed, each short enough for a comment of its own; `state` is one of `STATES`, or
            `OLDER_STATE`
    """

    marker: str
    environment: str
    root: str
    commit: str
    verdict: str
    has_changes: bool
    state: str
    parts: tuple[str, ...]


def read_reviews(paths: Sequence[str], notices: list[Review] | None = None) -> tuple[list[Review], list[str]]:
    """Read the review files that are named, and those that lie in directories that are named.

    Returns the reviews, at most `MAX_FILES`, and one line for each file that is none, or that is one too many. What
    stands for a refused one is added to `notices`.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        found.extend(sorted(path.rglob("*.json")) if path.is_dir() else [path])
    reviews, faults = list[Review](), list[str]()
    for path in found[:MAX_FILES]:
        try:
            reviews.append(read_review(path))
        except ReviewError as error:
            faults.append(str(error))
            if notices is not None and error.notice:
                notices.append(error.notice)
    surplus = [_place(path) for path in found[MAX_FILES:]]
    if notices is not None:
        notices.extend(_replace_surplus(found[MAX_FILES : MAX_FILES + MAX_NOTICES]))
    if surplus:
        few = ", ".join(surplus[:_NAMED]) + (", …" if surplus[_NAMED:] else "")
        faults.append(
            f"{len(found)} reviews, and at most {MAX_FILES} are posted at once; left out: {few}. Split the roots over"
            " several runs"
        )
    return reviews, faults


def _replace_surplus(paths: Sequence[Path]) -> Iterator[Review]:
    """Yield what stands for the reviews that are not posted because there are too many."""
    for path in paths:
        try:
            review = read_review(path)
        except ReviewError as error:
            if error.notice:
                yield error.notice
            continue
        shown = {"marker": review.marker, "environment": review.environment, "root": review.root}
        if notice := _stand_in({**shown, "commit": review.commit}, f"at most {MAX_FILES} are posted at once"):
            yield notice


def read_review(path: Path) -> Review:
    """Read one review.

    Raises: ReviewError with what is wrong with it
    """
    name = _place(path)
    try:
        if path.is_symlink() or not path.is_file():
            raise ReviewError(f"{name}: this is no regular file")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ReviewError(f"{name}: more than {MAX_FILE_BYTES} bytes")
        value = json.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ReviewError(f"{name}: this cannot be read as JSON: {type(error).__name__}") from error
    try:
        return _checked(name, value)
    except ReviewError as error:
        error.notice = _stand_in(value, str(error).removeprefix(f"{name}: "))
        raise


def _stand_in(value: Any, why: str) -> Review | None:
    """Return what a comment says in the place of a refused review; None where it is not plain whose comment it is."""
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in ("marker", "root", "commit")):
        return None
    environment, root, commit = value.get("environment") or "", value["root"], value["commit"]
    lines = isinstance(environment, str) and not any(
        len(line) > MAX_LINE_CHARACTERS or "\n" in line or _hidden(line) for line in (environment, root)
    )
    if not lines or not _WHOLE_COMMIT.fullmatch(commit) or value["marker"] != write_marker(environment, root):
        return None
    verdict = f"The plan of the commit {_disarm(commit)} cannot be shown"
    reason = f"The action refused to post its review: {_disarmed(why)}. See the log and the summary of the run."
    return Review(
        marker=value["marker"],
        environment=environment,
        root=root,
        commit=commit,
        verdict=verdict,
        has_changes=True,
        state="failed",
        parts=(f"### {verdict}\n\n{reason}",),
    )


def _place(path: Path) -> str:
    """Return the name of a review with its directory: of a matrix, all files have the same name."""
    return "/".join(path.parts[-2:]).lstrip("/")


def same_but_for_time(one: str, other: str) -> bool:
    """Whether two comments say the same; when they were written is not looked at."""
    first, second = (_TIME.sub("", text.replace("\r\n", "\n")).strip() for text in (one, other))
    return first == second


def _checked(name: str, value: Any) -> Review:
    if not isinstance(value, dict) or not set(_TYPES) <= set(value):
        raise ReviewError(f"{name}: a review has exactly the keys {', '.join(_TYPES)}")
    version = value["version"]
    if type(version) is not int or version not in _TYPES_OF:
        raise ReviewError(f"{name}: a review of another version; this action reads version 1 and 2")
    if set(value) != set(_TYPES_OF[version]):
        raise ReviewError(f"{name}: a review has exactly the keys {', '.join(_TYPES_OF[version])}")
    for key, types in _TYPES_OF[version].items():
        if type(value[key]) not in types:
            raise ReviewError(f"{name}: {key} is not of the right type")
    state = value.get("state") or ("changes" if value["has_changes"] else OLDER_STATE)
    if version > 1 and (state not in STATES or value["has_changes"] == (state in {"settled", "unchanged"})):
        raise ReviewError(f"{name}: state is unknown, or contradicts has_changes")
    if not _MARKER.fullmatch(value["marker"]):
        raise ReviewError(f"{name}: marker is not one of ours")
    lines = {key: value[key] or "" for key in ("environment", "root", "commit", "basis", "verdict")}
    for key, line in lines.items():
        if len(line) > MAX_LINE_CHARACTERS or "\n" in line or _hidden(line):
            raise ReviewError(f"{name}: {key} is no single plain line")
    if value["marker"] != write_marker(lines["environment"], lines["root"]):
        raise ReviewError(f"{name}: marker is not that of its environment and root")
    return Review(
        marker=value["marker"],
        environment=lines["environment"],
        root=lines["root"],
        commit=lines["commit"],
        verdict=_disarmed(lines["verdict"]),
        has_changes=value["has_changes"],
        state=state,
        parts=_parts(name, value["parts"], value["marker"]),
    )


def _parts(name: str, parts: list[Any], marker: str) -> tuple[str, ...]:
    if not 1 <= len(parts) <= MAX_PARTS or not all(isinstance(part, str) for part in parts):
        raise ReviewError(f"{name}: parts are 1 to {MAX_PARTS} texts")
    for part in parts:
        if len(part) > MAX_PART_CHARACTERS:
            raise ReviewError(f"{name}: a part has more than {MAX_PART_CHARACTERS} characters")
        if _hidden(part):
            raise ReviewError(f"{name}: a part has control, direction or invisible characters in it")
    bare = [part.removeprefix(marker).strip("\n") for part in parts]
    if any("<!-- reconciler" in part for part in bare):
        raise ReviewError(f"{name}: a part has a second marker in it")
    disarmed = tuple(_disarmed(part) for part in bare)
    if any(len(part.encode("utf-16-le")) // 2 > MOST_COMMENT_CHARACTERS for part in disarmed):
        raise ReviewError(f"{name}: a part has too many mentions, references and links for one comment")
    return disarmed


def write_marker(environment: str, root: str) -> str:
    """Return the hidden line of an environment and a spec root, as reconciler writes it."""
    words = (_word(environment, _LONGEST_ENVIRONMENT), _word(root, _LONGEST_ROOT))
    return f"<!-- reconciler env={words[0]} root={words[1]} -->"


def _word(text: str, most: int) -> str:
    written = "".join(
        char if char in _PLAIN else "".join(f"%{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in text
    )
    return written.replace("--", "-%2d")[:most]


def _disarmed(text: str) -> str:
    """Return a text that mentions no user, refers to nothing and links nowhere.

    A block of commands stays as it is: nothing in it is active, and what a person copies has to work.
    """
    pieces = _COMMANDS.split(text)
    return "".join(piece if number % 2 else _disarm(piece) for number, piece in enumerate(pieces))


def _disarm(text: str) -> str:
    return _ACTIVE.sub(_ZERO_WIDTH_SPACE, _COMMIT.sub(_cut, _WRITTEN_OUT.sub("&amp;", _SURPLUS.sub("", text))))


def _cut(found: re.Match[str]) -> str:
    """Return the id of a commit in pieces that are too short to be one."""
    size = _SHORTEST_COMMIT - 1
    return _ZERO_WIDTH_SPACE.join(found[0][at : at + size] for at in range(0, len(found[0]), size))


def _hidden(text: str) -> bool:
    """Whether a text has characters that cannot be seen: controls, formats, tags, fillers, line ends, surrogates."""
    return _UNSEEN.search(text) is not None or any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        for character in set(text) - _JOINERS - {"\n", "\t"}
    )
