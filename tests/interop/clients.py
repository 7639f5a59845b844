"""Runs clients that others made against our service, each from an environment of its own, and prints what came of it.

    python tests/interop/clients.py openai-cli llm          python tests/interop/clients.py all --cache DIR

Needs the package with its extra `local`. An environment is made once and kept in the cache; making one takes a package
index and, for the large ones, minutes and some hundreds of megabytes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fixtures import BASE, HERE, KEY, environment, serving, trained, training

KNOWN_BASE = "gpt-4o-mini-2024-07-18"
"""A name that stands for the same base, for clients that take no model whose name they have not on a list."""

PATIENCE_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client: what to install, whose version to tell, which flow to run, which variable it needs."""

    packages: tuple[str, ...]
    version_of: str
    flow: str
    base: str = BASE
    needs: str = ""
    why: str = ""


CLIENTS: Mapping[str, Client] = {
    "openai-cli": Client(
        packages=("openai[datalib]==1.109.1", "pandas<2.3", "numpy<2", "openpyxl"),
        version_of="openai",
        flow="openai_cli",
    ),
    "llm": Client(packages=("llm==0.36",), version_of="llm", flow="llm_flow"),
    "langchain-openai": Client(
        packages=("langchain-openai==1.7.3",), version_of="langchain-openai", flow="langchain_flow"
    ),
    "litellm": Client(packages=("litellm==1.106.2",), version_of="litellm", flow="litellm_flow"),
    "dspy": Client(packages=("dspy==3.4.1",), version_of="dspy", flow="dspy_flow", base=KNOWN_BASE),
    "llama-index": Client(
        packages=("llama-index-finetuning==0.4.2", "mistralai<2"),
        version_of="llama-index-finetuning",
        flow="llama_index_flow",
        base=KNOWN_BASE,
        needs="TIKTOKEN_CACHE_DIR",
        why="it downloads the tables of its tokenizer; set TIKTOKEN_CACHE_DIR to a directory that holds them",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of one client; `output` is the end of what it printed."""

    name: str
    version: str
    word: str
    output: str


def main(arguments: list[str] | None = None) -> int:
    """Run the clients that were named; return 1 when one of them failed."""
    parser = argparse.ArgumentParser(description="Run other people's clients against reconciler serve.")
    parser.add_argument("names", nargs="+", choices=[*CLIENTS, "all"], metavar="NAME", help=", ".join(CLIENTS))
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "reconciler-interop")
    options = parser.parse_args(arguments)
    names = list(CLIENTS) if "all" in options.names else options.names
    with (
        tempfile.TemporaryDirectory() as scratch,
        serving(Path(scratch) / "store", "--legacy-bases", f"{KNOWN_BASE}={BASE}") as url,
    ):
        rows = Path(scratch) / "rows.jsonl"
        rows.write_text("".join(json.dumps(row) + "\n" for row in training()), encoding="utf-8")
        model = str(trained(url, rows)["fine_tuned_model"])
        results = [run(name, options.cache.absolute(), Path(scratch), url, rows, model) for name in names]
    for result in results:
        if result.word == "FAILED":
            print(f"--- {result.name}\n{result.output}")
    print(f"{'client':<18} {'version':<10} result")
    for result in results:
        print(f"{result.name:<18} {result.version:<10} {result.word}")
    counts = {word: sum(result.word.startswith(word) for result in results) for word in ("passed", "FAILED", "skipped")}
    print(f"{counts['passed']} passed, {counts['FAILED']} failed, {counts['skipped']} skipped")
    return 1 if counts["FAILED"] else 0


def run(name: str, cache: Path, scratch: Path, url: str, rows: Path, model: str) -> Result:
    """Run one client's flow, unless what it needs is not here."""
    client = CLIENTS[name]
    if client.needs and not os.environ.get(client.needs):
        return Result(name=name, version="-", word=f"skipped: {client.why}", output="")
    python = environment(name, client.packages, cache)
    settings = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("OPENAI_", "PYTHON"))},
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": KEY,
        "WITNESS_MODEL": model,
        "WITNESS_SCRATCH": str(scratch),
        # LiteLLM and DSPy would fetch a table of prices.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "DSPY_CACHEDIR": str(scratch / "dspy"),
        "NO_PROXY": "127.0.0.1",
    }
    command = [str(python), str(HERE / "flows" / f"{client.flow}.py"), str(rows), client.base]
    try:
        ran = subprocess.run(
            command,
            env=settings,
            cwd=scratch,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        steps = sum(line.startswith("ok:") for line in ran.stdout.splitlines())
        output, word = ran.stdout, "FAILED" if ran.returncode else f"passed, {steps} steps"
    except subprocess.TimeoutExpired as error:
        output, word = f"{error}", "FAILED"
    asked = f"import importlib.metadata as m; print(m.version({client.version_of!r}))"
    version = subprocess.run([str(python), "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
    return Result(name=name, version=version, word=word, output=output[-4000:])


if __name__ == "__main__":
    sys.exit(main())
