"""Helpers: invented messages with their intents, and a job directory in which `tfidf-logreg` learns them."""

import io
import json
import random
from pathlib import Path

from reconciler.service.engines import ModelAnswer, ModelQuestion, TrainingJob
from reconciler.service.engines.reporting import LineReport
from reconciler.service.engines.tfidf_logreg import ENGINE
from tests.service.service_fixtures import Json, chat, jsonl

INTENTS = {
    "card_arrival": ("card", "arrived", "post", "delivery", "mail", "envelope"),
    "exchange_rate": ("rate", "euro", "dollar", "exchange", "currency", "pound"),
    "lost_card": ("lost", "stolen", "missing", "thief", "gone", "wallet"),
}
FILLERS = (
    "please tell me about the",
    "I have a question on my",
    "why is there no",
    "what happened to the",
    "help with the",
)


def messages(count: int, seed: int) -> list[tuple[str, str]]:
    """Return invented messages with their intents, in random order."""
    source = random.Random(seed)
    return [
        (f"{source.choice(FILLERS)} {source.choice(words)} and the {source.choice(words)}", intent)
        for intent, words in sorted(INTENTS.items())
        for _ in range(count)
    ]


def train(root: Path, rows: bytes, *, validation: bytes | None = None, seed: int = 1, **stated: float) -> list[Json]:
    """Train in a new job directory; return the engine's reports."""
    (root / "out").mkdir(parents=True)
    (root / "train.jsonl").write_bytes(rows)
    if validation is not None:
        (root / "valid.jsonl").write_bytes(validation)
    lines = io.StringIO()
    with (root / "out" / "step_metrics.csv").open("w", newline="") as results:
        ENGINE.train(TrainingJob(directory=root, seed=seed, hyperparameters=stated), LineReport(lines, results))
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def chat_rows(pairs: list[tuple[str, str]]) -> bytes:
    """Return the messages as chat rows."""
    return jsonl(chat(text, intent) for text, intent in pairs)


def of_kind(lines: list[Json], kind: str) -> list[Json]:
    """Return the engine's reports of one kind."""
    return [each for each in lines if each["kind"] == kind]


def answer(root: Path, text: str, instructions: str = "") -> ModelAnswer:
    """Ask the last checkpoint of a job directory."""
    last = max((root / "out").glob("step-*"), key=lambda folder: int(folder.name.removeprefix("step-")))
    return ENGINE.load(last).answer(ModelQuestion(text=text, instructions=instructions))
