"""Figures of a plan: its datasets before and after (lengths, tokens, answers), and the cost of its jobs."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from reconciler.domain.cost import Cost
from reconciler.domain.plan import Plan, Step, Train
from reconciler.domain.stats import Bin, Label, Spread, Stats
from reconciler.render.dataset_text import bin_ranges
from reconciler.render.html.builder import Html, Inside, collapse, element, html_table, join
from reconciler.render.plan_words import cost_text, tokens_text

MOST_JOBS = 500
"""Jobs that have a line; the total is of all."""

_COST_HEAD = ("job", "tokens", "low", "expected", "high")


class DatasetFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One dataset in figures.

    Shape:  `before` is what the service holds, None where it holds nothing or it could not be read; its bins have the
            same ends as those of `after`
    """

    after: Stats
    before: Stats | None = None


def figures_html(figures: Mapping[str, DatasetFigures], *, samples: bool) -> Html:
    """Return the figures of datasets by name; the texts of answers only with `samples`."""
    return join(*(_dataset(name, each, samples) for name, each in sorted(figures.items())))


def _dataset(name: str, figures: DatasetFigures, samples: bool) -> Html:
    before, after = figures.before, figures.after
    how = f"counted by {after.vocabulary}" if after.is_exact else "estimated by the size of the texts"
    charts = [
        _histogram("Tokens per row", before.tokens if before else None, after.tokens),
        _histogram("Characters per row", before.characters if before else None, after.characters),
    ]
    labels = [_labels(before, after)] if samples and after.labels else []
    return join(
        element("h3", f"dataset/{name}"),
        html_table(f"All rows of the dataset; tokens are {how}.", *_overview(before, after), class_="numbers"),
        *charts,
        *labels,
    )


def _overview(before: Stats | None, after: Stats) -> tuple[tuple[str, ...], list[tuple[Inside, ...]]]:
    figures = _figures(after)
    if before is None:
        return ("", "now"), [(name, f"{figure:,}") for name, figure in figures.items()]
    earlier = _figures(before)
    rows: list[tuple[Inside, ...]] = []
    for name, figure in figures.items():
        old = earlier.get(name)
        delta = "" if old is None else f"{figure - old:+,}" if figure != old else "0"
        rows.append((name, "–" if old is None else f"{old:,}", f"{figure:,}", delta))
    return ("", "before", "now", "difference"), rows


def _figures(stats: Stats) -> dict[str, int]:
    figures = {
        "rows": stats.rows,
        "rows for validation": stats.validation_rows,
        "bytes": stats.size_bytes,
        "tokens to train on, for one epoch": stats.training_tokens,
    }
    for name, spread in (("tokens", stats.tokens), ("characters", stats.characters), ("turns", stats.turns)):
        if spread:
            figures |= {f"{name} per row, median": spread.median, f"{name} per row, 95 %": spread.p95}
            figures |= {f"{name} per row, max": spread.most}
    return figures


def _histogram(title: str, before: Spread | None, after: Spread) -> Html:
    then = {each.most: each.rows for each in before.bins} if before else {}
    now = {each.most: each.rows for each in after.bins}
    ends = sorted({*then, *now} - {None}, key=lambda most: most or 0)
    bins = [Bin(most=most, rows=now.get(most, 0)) for most in [*ends, *([None] if None in {*then, *now} else [])]]
    totals = sum(then.values()), sum(now.values())
    # The bars show shares, not rows, so that a dataset that grew is compared by its shape.
    sides = zip((then, now), totals, strict=True)
    most = max((_share(rows, total) for side, total in sides for rows in side.values()), default=0)
    rows: list[tuple[Inside, ...]] = []
    for name, each in zip(bin_ranges(bins), bins, strict=True):
        bars = [_bar("then", then.get(each.most, 0), totals[0], most)] if before else []
        counts = f"{then.get(each.most, 0):,} → {each.rows:,}" if before else f"{each.rows:,}"
        rows.append((name, join(*bars, _bar("now", each.rows, totals[1], most)), counts))
    caption = f"{title}: share of rows, before above and now below" if before else f"{title}: share of rows"
    return html_table(caption, ("", "", "rows"), rows, class_="bars")


def _share(rows: int, total: int) -> float:
    return rows / total if total else 0.0


def _bar(kind: str, rows: int, total: int, most: float) -> Html:
    # A bin with few rows still shows a bar.
    width = max(100 * _share(rows, total) / most, 0.5) if rows and most else 0
    bar = element("rect", width=f"{width:.2f}", height="6", class_=kind)
    return element("svg", bar, viewBox="0 0 100 6", preserveAspectRatio="none", aria_hidden="true")


def _labels(before: Stats | None, after: Stats) -> Html:
    now = after.labels.most if after.labels else ()
    then = {each.text: each.rows for each in before.labels.most} if before and before.labels else {}
    gone = [Label(text=text, rows=0) for text in then if text not in {each.text for each in now}]
    rows: list[tuple[Inside, ...]] = []
    for each in (*now, *gone):
        before_count = [f"{then.get(each.text, 0):,}"] if then else []
        rows.append((each.text or "(empty)", *before_count, f"{each.rows:,}"))
    head = ("answer", "before", "now") if then else ("answer", "now")
    return collapse("The most frequent answers", html_table("Rows that give each answer", head, rows, class_="numbers"))


def cost_html(plan: Plan) -> Html:
    """Return the table of costs with the source of the prices; empty where nothing is trained."""
    jobs = [step for step in plan.steps if isinstance(step.action, Train)]
    if not jobs:
        return Html("")
    rows = [_line(step) for step in jobs[:MOST_JOBS]]
    if len(jobs) > MOST_JOBS:
        rows.append((f"… and {len(jobs) - MOST_JOBS:,} more", "", "", "", ""))
    total = plan.cost
    notes = (total.unknown, f"Prices: {total.source}" + (f", {total.dated}" if total.dated else ""))
    return join(
        element("p", element("strong", cost_text(total))),
        html_table("USD, by job", _COST_HEAD, [*rows, ("total", "", *_amounts(total))], class_="numbers cost"),
        *(element("p", note, class_="dim") for note in notes if note != "Prices: "),
    )


def _line(step: Step) -> tuple[Inside, ...]:
    estimate = step.estimate
    tokens, cost = (tokens_text(estimate), estimate.cost) if estimate else ("unknown", Cost())
    return str(step.action.address), tokens, *_amounts(cost)


def _amounts(cost: Cost) -> tuple[str, str, str]:
    return _usd(cost.low), _usd(cost.expected), _usd(cost.high)


def _usd(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:,.2f}"
