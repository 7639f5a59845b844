"""Datasets in figures, and single rows, for people and as JSON. Every text of a row is made harmless."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from reconciler.domain.stats import Bin, Label, RowShown, Stats
from reconciler.render.json_output import json_document, json_text
from reconciler.render.sanitize import clean
from reconciler.render.terminal.table import table
from reconciler.render.text import Style, count_text, pad, size_text, width_of

_BAR = 40
_NAME_LIMIT = 60
_TEXT_LIMIT = 2000
_LONGEST_NUMBER = 300


def stats_text(stats: Stats, *, hint: str = "", colour: bool = False, width: int | None = None) -> str:
    """Return the figures of a dataset, ended by a newline.

    Shape:  `hint` says how to count the tokens exactly; it is shown where they are an estimate
    """
    style, bins = Style(colour), stats.tokens.bins
    ranges = [Label(text=text, rows=each.rows) for text, each in zip(bin_ranges(bins), bins, strict=True)]
    blocks = [
        [_headline(stats), *_notes(stats)],
        [*_tokens(stats, hint)],
        table(("per row", "min", "median", "95 %", "max", "total"), _spreads(stats), width=width).splitlines(),
        [style.bold("TOKENS PER ROW"), *_bars(ranges)],
        [*_roles(stats, style)],
        [*_labels(stats, style)],
        [*_system(stats)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def stats_json(stats: Stats, *, hint: str = "") -> str:
    """Return the figures as one JSON object, ended by a newline; `hint` as for the text, empty for exact tokens."""
    fields = msgspec.to_builtins(stats) | {
        "format": str(stats.format),
        "roles": dict(stats.roles),
        "exact": stats.is_exact,
        "hint": "" if stats.vocabulary else hint,
    }
    return json_document(fields)


def rows_text(rows: Sequence[RowShown], *, colour: bool = False) -> str:
    """Return rows one after another, each below its number and place, ended by a newline."""
    style = Style(colour)
    return "\n".join("\n".join(_row(row, style)) + "\n" for row in rows)


def rows_json(rows: Iterable[RowShown]) -> str:
    """Return rows as JSON Lines, each with its place."""
    return "".join(json_text(_row_fields(row)) + "\n" for row in rows)


def _headline(stats: Stats) -> str:
    sides = (
        f" ({stats.rows - stats.validation_rows:,} training, {stats.validation_rows:,} validation)"
        if stats.validation_rows
        else ""
    )
    rows = "1 row" if stats.rows == 1 else f"{stats.rows:,} rows"
    return f"{clean(stats.name, limit=_NAME_LIMIT)}: {stats.format}, {rows}{sides}, {size_text(stats.size_bytes)}"


def _notes(stats: Stats) -> Iterator[str]:
    if stats.unread_rows:
        rows = count_text(stats.unread_rows, "row")
        yield f"Left out: {rows} that could not be read; 'reconciler validate' says why."


def _tokens(stats: Stats, hint: str) -> Iterator[str]:
    how = f"counted by {stats.vocabulary}" if stats.vocabulary else "estimated by the size of the texts"
    yield f"Tokens to train on, for one epoch: {stats.training_tokens:,}, {how}."
    if not stats.vocabulary:
        most = "" if stats.most_tokens is None else f" and at most {stats.most_tokens:,}"
        yield f"  Likely at least {stats.least_tokens:,}{most}."
        if hint:
            yield f"  To count them exactly: {clean(hint)}"
    if stats.partial_rows:
        rows = count_text(stats.partial_rows, "row")
        yield f"  {rows} with tools, calls or images: only their texts are counted; the service bills more."


def _spreads(stats: Stats) -> Iterator[tuple[str, ...]]:
    named = (("tokens", stats.tokens), ("characters", stats.characters), ("turns", stats.turns))
    for name, spread in named:
        if spread:
            figures = (spread.least, spread.median, spread.p95, spread.most, spread.total)
            yield name, *(f"{figure:,}" for figure in figures)


def bin_ranges(bins: Iterable[Bin]) -> Iterator[str]:
    """Yield the range of each bin: `0–99`, `over 499`."""
    least = 0
    for each in bins:
        yield f"over {least - 1:,}" if each.most is None else f"{least:,}–{each.most:,}"
        least = (each.most or least) + 1


def _roles(stats: Stats, style: Style) -> Iterator[str]:
    if stats.roles:
        yield style.bold("TURNS BY ROLE")
        yield from _bars(Label(text=role, rows=turns) for role, turns in stats.roles)


def _labels(stats: Stats, style: Style) -> Iterator[str]:
    if stats.labels:
        yield style.bold(f"LABELS ({stats.labels.kinds})")
        yield from _bars(stats.labels.most)
        more = stats.labels.kinds - len(stats.labels.most)
        if more:
            yield f"  and {more} more"


def _system(stats: Stats) -> Iterator[str]:
    system = stats.system
    if system:
        kinds = "very many" if system.kinds is None else f"{system.kinds:,}"
        rows = f"{system.rows:,} of {count_text(stats.rows, 'row')}"
        yield f"System prompts: in {rows}, {kinds} different, {system.share:.0%} of all characters."
        yield f"  Most frequent, {system.most.rows:,} times: {clean(system.most.text, limit=_NAME_LIMIT)}"


def _bars(labels: Iterable[Label]) -> Iterator[str]:
    counts = [(clean(label.text, limit=_NAME_LIMIT) or "(empty)", label.rows) for label in labels]
    total, most = sum(rows for _, rows in counts), max((rows for _, rows in counts), default=0)
    name_width, digits = max((width_of(name) for name, _ in counts), default=0), len(f"{most:,}")
    for name, rows in counts:
        bar = "#" * (-(-rows * _BAR // most) if most else 0)
        yield f"  {pad(name, name_width)}  {rows:>{digits},}  {rows / total if total else 0:>4.0%}  {bar}".rstrip()


def _row(row: RowShown, style: Style) -> Iterator[str]:
    side = f", {row.part}" if row.part else ""
    yield style.bold(f"Row {row.number:,}") + f"  {clean(row.file)}:{row.line}{side}"
    fields = _parse_row(row.text)
    if not isinstance(fields, Mapping):
        yield from _field("", fields, style)
        return
    for name, value in fields.items():
        has_turns = name in ("messages", "preferred_output", "non_preferred_output") and isinstance(value, list)
        if name != "messages" or not has_turns:
            yield from _field(name, None if has_turns else value, style)
        for turn in value if has_turns else ():
            yield from _turn(turn, style)


def _turn(turn: object, style: Style) -> Iterator[str]:
    if not isinstance(turn, Mapping):
        yield from _field("?", turn, style)
        return
    yield from _field(str(turn.get("role")), turn.get("content"), style)
    for key, value in turn.items():
        if key not in ("role", "content"):
            yield from _field(f"  {key}", value, style)


def _field(name: str, value: object, style: Style) -> Iterator[str]:
    text = value if isinstance(value, str) else "" if value is None else json_text(value)
    lines = text.split("\n")
    label = f"  {style.cyan(clean(name, limit=_NAME_LIMIT) + ':')} " if name else "  "
    yield (label + clean(lines[0], limit=_TEXT_LIMIT)).rstrip()
    yield from (f"      {clean(line, limit=_TEXT_LIMIT)}" for line in lines[1:])


def _row_fields(row: RowShown) -> dict[str, object]:
    part = str(row.part) if row.part else None
    return {"number": row.number, "file": row.file, "line": row.line, "part": part, "row": _parse_row(row.text)}


def _parse_row(text: str) -> object:
    # A number that does not fit a float, or is very long, is shown as it was written.
    return json.loads(text, parse_float=_number, parse_int=_number)


def _number(text: str) -> object:
    if len(text) > _LONGEST_NUMBER:
        return text
    number = float(text) if set(text) & set(".eE") else int(text)
    return number if abs(number) < float("inf") else text
