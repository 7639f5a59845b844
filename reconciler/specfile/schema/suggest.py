"""Finds the word that somebody meant."""

import difflib
import re
from collections.abc import Iterable

MAX_LENGTH = 64
"""Nobody mistypes a longer word, and comparing long words is slow."""

# What people from other tools and from the API itself call our fields.
_ALSO_CALLED = {
    "api_version": "apiVersion",
    "version": "apiVersion",
    "type": "kind",
    "id": "name",
    "title": "name",
    "tags": "labels",
    "metadata": "labels",
    "annotations": "labels",
    "model": "base",
    "base_model": "base",
    "dataset": "training",
    "data": "training",
    "train": "training",
    "training_file": "training",
    "training_data": "training",
    "eval": "validation",
    "validation_file": "validation",
    "validation_data": "validation",
    "params": "hyperparameters",
    "parameters": "hyperparameters",
    "hyperparams": "hyperparameters",
    "epochs": "n_epochs",
    "epoch": "n_epochs",
    "num_epochs": "n_epochs",
    "num_train_epochs": "n_epochs",
    "batch": "batch_size",
    "lr": "learning_rate_multiplier",
    "learning_rate": "learning_rate_multiplier",
    "lr_multiplier": "learning_rate_multiplier",
    "file": "source",
    "files": "source",
    "path": "source",
    "sources": "source",
    "input": "prompt",
    "user": "prompt",
    "question": "prompt",
    "output": "completion",
    "answer": "completion",
    "label": "completion",
    "assistant": "completion",
    "system_prompt": "system",
    "turns": "messages",
    "text": "content",
    "max_jobs": "max_new_jobs",
    "budget": "max_cost_usd",
    "max_usd": "max_cost_usd",
    "max_upload_bytes": "max_bytes",
    "profile": "provider",
    "service": "provider",
    "onchange": "on_change",
    "retry": "retries",
    "random_seed": "seed",
}


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was most likely meant; None when none is likely."""
    names = sorted(set(known))
    if not word or len(word) > MAX_LENGTH:
        return None
    plain = _plain(word)
    if (also := _ALSO_CALLED.get(plain)) in names:
        return also
    by_plain = {_plain(name): name for name in names}
    if plain in by_plain:
        return by_plain[plain]
    close = difflib.get_close_matches(plain, by_plain, n=1, cutoff=0.6)
    return by_plain[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ", did you mean 'x'?", or nothing when no known word is near."""
    near = nearest(word, known)
    return f", did you mean '{near}'?" if near else ""


def slug(text: str) -> str:
    """Return the nearest thing to a text that is a name; empty when nothing of it can stay."""
    return re.sub(r"[^a-z0-9]+", "-", text[: 4 * MAX_LENGTH].lower()).strip("-")[:63].strip("-")


def _plain(word: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower().replace("-", "_").replace(" ", "_")
