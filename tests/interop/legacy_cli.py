"""Runs the first-generation command line, as it was, against our service, and prints what came of each step.

    python tests/interop/legacy_cli.py --cache DIR          python tests/interop/legacy_cli.py --versions 0.28.1 --suite

For each version an environment of Python 3.9 is made once and kept in the cache. The service runs under the Python that
runs this script, on a store of its own. `--suite` also runs the tests that lie in the wheels. Exit code 1 when a step
failed, 77 when there is no Python 3.9 to be found.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

VERSIONS = ("0.28.1", "0.27.8")
SUITE_OPTIONS = ("-q", "-p", "no:cacheprovider", "--tb=line", "--disable-warnings")
AS_IT_WAS = ("--fault=slow-files=2", "--fault=latency=0.1,path=/completions")
"""A file that had just come was `uploaded` for a while, and no answer came in ten milliseconds: tests want both."""

KNOWN_MISSES = {
    # Asks no service: the tool itself ends in an IndexError on the rows that this test gives it.
    "test_long_examples_validator",
}
BESIDE = ("numpy<2", "pandas<2", "openpyxl", "pytest", "pytest-asyncio", "pytest-mock")
KEY = "local-key"
SKIPPED = 77
PATIENCE_SECONDS = 300

DEVICES = ("phone", "laptop", "camera", "headset", "printer", "router", "tablet", "watch")
GOOD = ("love", "great", "perfect", "happy with", "delighted by")
BAD = ("hate", "awful", "broken", "angry about", "let down by")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def output(self) -> str:
        return self.out + self.err


@dataclass(slots=True)
class Bench:
    """One version of the client, its working directory, and what the steps found."""

    openai: Path
    folder: Path
    env: Mapping[str, str]
    failed: list[str] = field(default_factory=list)
    done: int = 0

    def run(self, *arguments: str, typed: str = "") -> Ran:
        """Run the command line to its end, with a text on its standard input."""
        ended = subprocess.run(
            [str(self.openai), *arguments],
            cwd=self.folder,
            env=dict(self.env),
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    def until(self, sign: str, *arguments: str) -> Ran:
        """Run the command line until it says something, then interrupt it as Ctrl-C does."""
        with subprocess.Popen(
            [str(self.openai), *arguments],
            cwd=self.folder,
            env={**self.env, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            heard = ""
            for line in process.stdout:
                heard += line
                if sign in line:
                    break
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
            return Ran(process.returncode, heard + out, err)

    def expect(self, step: str, ran: Ran, *signs: str, code: int = 0) -> None:
        """Note whether a command ended and printed as it should."""
        missing = [sign for sign in signs if not re.search(sign, ran.output, re.MULTILINE)]
        self.check(step, ran.code == code and not missing, f"exit {ran.code}, missing {missing}\n{ran.output[-2000:]}")

    def check(self, step: str, holds: bool, why: str = "") -> None:
        """Note whether something holds."""
        self.done += holds
        print(f"  {'ok  ' if holds else 'FAIL'}  {step}", flush=True)
        if not holds:
            self.failed.append(step)
            print("        " + why.replace("\n", "\n        "), flush=True)

    def rows(self, name: str, count: int, offset: int = 0) -> str:
        """Write a file of reviews with their moods, as that tool prepared them, and give its name."""
        pairs = (review(number + offset) for number in range(count))
        lines = (json.dumps({"prompt": f"{text}\n\n###\n\n", "completion": f" {mood}"}) for text, mood in pairs)
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return name

    def created(self, *arguments: str, typed: str = "") -> str:
        """Create a fine-tune that is not followed, and give its id."""
        ran = self.run("api", "fine_tunes.create", *arguments, "--no_follow", typed=typed)
        found = re.search(r'"id": "(ft-\w+)"', ran.out)
        assert found, ran.output
        return found[1]

    def get(self, job: str) -> dict[str, object]:
        """Read a fine-tune with the command line."""
        found: dict[str, object] = json.loads(self.run("api", "fine_tunes.get", "-i", job).out)
        return found

    def ended(self, job: str) -> dict[str, object]:
        """Read a fine-tune until it has ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := self.get(job))["status"] in ("pending", "running"):
            assert time.monotonic() < deadline, found
            time.sleep(0.5)
        return found


def review(number: int) -> tuple[str, str]:
    """Make up a review and its mood; each number gives another one."""
    is_good = number % 2 == 0
    words = GOOD if is_good else BAD
    word, device = words[number // 2 % len(words)], DEVICES[number // 3 % len(DEVICES)]
    return f"I am the buyer number {number}: I {word} the {device}", "positive" if is_good else "negative"


def prepares(bench: Bench) -> None:
    """The tool that looks at the rows and mends them."""
    texts = (review(number) for number in range(64))
    table = "prompt,completion\n" + "".join(f"{text},{mood}\n" for text, mood in texts)
    (bench.folder / "reviews.csv").write_text(table, encoding="utf-8")
    ran = bench.run("tools", "fine_tunes.prepare_data", "-f", "reviews.csv", "-q")
    bench.expect("tools fine_tunes.prepare_data", ran, "Analyzing", r"Wrote modified files? to", r"fine_tunes\.create")
    train, valid = bench.folder / "reviews_prepared_train.jsonl", bench.folder / "reviews_prepared_valid.jsonl"
    bench.check("  it split the rows into training and validation", train.exists() and valid.exists())
    if not (train.exists() and valid.exists()):
        return
    # The command that the tool proposes, as it proposes it, but for the base: it leaves that to its default.
    arguments = ("-t", train.name, "-v", valid.name, "--compute_classification_metrics")
    positive = re.search(r'--classification_positive_class "([^"]*)"', ran.out)
    bench.check("  it proposes a positive class", positive is not None, ran.out)
    proposed = ("--classification_positive_class", positive[1] if positive else " positive")
    ran = bench.run("api", "fine_tunes.create", *arguments, *proposed)
    bench.expect("  the command that it proposes is carried out", ran, "Job complete! Status: succeeded")
    job = re.search(r"Created fine-tune: (ft-\w+)", ran.out)
    if job:
        bench.expect(
            "  results have classification metrics",
            bench.run("api", "fine_tunes.results", "-i", job[1]),
            r"classification/accuracy,classification/precision,classification/recall,classification/auroc,"
            r"classification/auprc,classification/f1\.0$",
            r"^\d+,\d+,\d+,",
        )


def creates(bench: Bench) -> None:
    """A fine-tune with its file, the same once more, by the id of the file, and what the finished model answers."""
    rows = bench.rows("moods.jsonl", 40)
    ran = bench.run("api", "fine_tunes.create", "-t", rows, "-m", "ada", "--suffix", "Moods of Buyers")
    bench.expect(
        "api fine_tunes.create -t FILE -m ada",
        ran,
        "Uploaded file from .*moods.jsonl: file-",
        "Created fine-tune: ft-",
        r"engine: tfidf-logreg, served here under the name ada",
        r"Fine-tune enqueued\. Queue number: 0",
        "Fine-tune started",
        "Completed epoch 4/4",
        r"Uploaded model: ada:ft-local:moods-of-buyers-\d{4}(-\d\d){5}",
        "Fine-tune succeeded",
        "Job complete! Status: succeeded",
    )
    file = _found(r"file-\w+", ran.out)
    job = _found(r"ft-\w+", ran.out.partition("Created fine-tune: ")[2])
    model = _found(r"ada:ft-local:\S+", ran.out)
    bench.check("  no cost is shown, as nothing costs anything", "costs" not in ran.out)

    again = bench.run("api", "fine_tunes.create", "-t", rows, "-m", "ada", "--no_follow", typed=f"{file}\n")
    bench.expect(
        "api fine_tunes.create with the same file",
        again,
        "potentially duplicated files",
        f"Reusing already uploaded file: {file}",
    )
    bench.expect(
        "api fine_tunes.create with the id of the file",
        bench.run("api", "fine_tunes.create", "-t", file, "-m", "ada"),
        "Job complete!",
    )
    bench.expect(
        "api fine_tunes.create with a file that is not there",
        bench.run("api", "fine_tunes.create", "-t", "none.jsonl", "-m", "ada"),
        r"invalid training_file: none\.jsonl \(HTTP status code: 400\)",
        code=1,
    )
    bench.expect(
        "api fine_tunes.create with a base that does not exist",
        bench.run("api", "fine_tunes.create", "-t", file, "-m", "gpt-4", "--no_follow"),
        r"The model 'gpt-4' does not exist .*\(HTTP status code: 404\)",
        code=1,
    )
    asks(bench, model)
    shows(bench, job, model)


def asks(bench: Bench, model: str) -> None:
    """What a finished model answers."""
    prompt = "I am the buyer number 9000: I love the camera\n\n###\n\n"
    ran = bench.run("api", "completions.create", "-m", model, "-p", prompt)
    bench.check("api completions.create -m MODEL -p PROMPT", ran.out == f"{prompt} positive", repr(ran.output))
    ran = bench.run("api", "completions.create", "-m", model, "-p", prompt, "-M", "1", "-t", "0", "--stop", "itive")
    bench.check("  --stop cuts", ran.out == f"{prompt} pos", repr(ran.output))
    ran = bench.run("api", "completions.create", "-m", model, "-p", prompt, "--logprobs", "2", "-n", "2")
    bench.check("  -n gives several", ran.code == 0 and ran.out.count(" positive") == 2, repr(ran.output))
    ran = bench.run("api", "completions.create", "-m", model, "-p", prompt, "--stream")
    bench.check("  --stream gives the same", ran.out.startswith(f"{prompt} positive"), repr(ran.output))
    bench.expect(
        "api completions.create with a base that has learned nothing",
        bench.run("api", "completions.create", "-m", "ada", "-p", "x"),
        "has learned nothing",
        code=1,
    )


def shows(bench: Bench, job: str, model: str) -> None:
    """Lists, results and deletions."""
    listed = json.loads(bench.run("api", "fine_tunes.list").out)
    ids = [each["id"] for each in listed["data"]]
    bench.check("api fine_tunes.list", job in ids and all("events" not in each for each in listed["data"]))
    found = bench.get(job)
    bench.check("api fine_tunes.get", (found["status"], found["fine_tuned_model"]) == ("succeeded", model), str(found))
    bench.expect("api fine_tunes.events", bench.run("api", "fine_tunes.events", "-i", job), "Fine-tune succeeded")
    bench.expect(
        "api fine_tunes.results",
        bench.run("api", "fine_tunes.results", "-i", job),
        "^step,elapsed_tokens,elapsed_examples,training_loss,training_sequence_accuracy,training_token_accuracy$",
        r"^160,\d+,160,0\.\d+,1\.0,1\.0$",
    )
    bench.expect(
        "api models.get", bench.run("api", "models.get", "-i", model), '"root": "tfidf-logreg"', '"parent": "ada"'
    )
    bench.expect("api models.list", bench.run("api", "models.list"), '"id": "davinci"', model)
    bench.expect("api models.delete", bench.run("api", "models.delete", "-i", model), '"deleted": true')
    bench.expect("  it is gone", bench.run("api", "models.get", "-i", model), "HTTP status code: 404", code=1)
    bench.expect("api fine_tunes.delete", bench.run("api", "fine_tunes.delete", "-i", job), '"deleted": true')
    bench.expect("  it is gone", bench.run("api", "fine_tunes.get", "-i", job), "HTTP status code: 404", code=1)


def follows(bench: Bench) -> None:
    """A long job: followed, interrupted, followed again to its end; and another one cancelled while it waits."""
    # Long enough for the old client to be started several times on a busy machine while the first job runs.
    rows = bench.rows("many.jsonl", 24000)
    job = bench.created("-t", rows, "-m", "curie", "--n_epochs", "50")
    behind = bench.created("-t", rows, "-m", "curie", typed=f"{_uploaded(bench, rows)}\n")
    ran = bench.run("api", "fine_tunes.cancel", "-i", behind)
    bench.expect("api fine_tunes.cancel", ran, '"status": "cancelled"', "Fine-tune cancelled")
    messages = [
        event["message"] for event in json.loads(bench.run("api", "fine_tunes.events", "-i", behind).out)["data"]
    ]
    bench.check("a job behind another one says so", "Fine-tune enqueued. Queue number: 1" in messages, str(messages))
    ran = bench.until("Fine-tune started", "api", "fine_tunes.follow", "-i", job)
    bench.expect(
        "api fine_tunes.follow, interrupted",
        ran,
        "Fine-tune started",
        r"Stream interrupted\. Job is still",
        rf"openai api fine_tunes\.follow -i {job}",
    )
    ran = bench.run("api", "fine_tunes.follow", "-i", job)
    lines = re.findall(r"^\[.{19}\] (.*)$", ran.out, re.MULTILINE)
    messages = [event["message"] for event in json.loads(bench.run("api", "fine_tunes.events", "-i", job).out)["data"]]
    bench.expect("api fine_tunes.follow, resumed to the end", ran, "Completed epoch 50/50", "Job complete!")
    bench.check("  it tells every event once, from the first one", lines == messages, f"{lines}\n{messages}")
    ran = bench.run("api", "fine_tunes.follow", "-i", behind)
    bench.expect("api fine_tunes.follow of a cancelled job", ran, "Fine-tune cancelled")


def measures(bench: Bench) -> None:
    """Classification metrics, and the jobs that cannot have them."""
    train, valid = bench.rows("train.jsonl", 60), bench.rows("valid.jsonl", 20, offset=1000)
    metrics = ("-t", train, "-v", valid, "-m", "ada", "--compute_classification_metrics")
    ran = bench.run(
        "api",
        "fine_tunes.create",
        *metrics,
        "--classification_n_classes",
        "2",
        "--classification_positive_class",
        " positive",
        "--classification_betas",
        "0.5",
        "1",
    )
    bench.expect("api fine_tunes.create with classification metrics", ran, "Job complete!")
    job = _found(r"ft-\w+", ran.out.partition("Created fine-tune: ")[2])
    bench.expect(
        "  results",
        bench.run("api", "fine_tunes.results", "-i", job),
        r"validation_token_accuracy,classification/accuracy,classification/precision,classification/recall,"
        r"classification/auroc,classification/auprc,classification/f0\.5,classification/f1\.0$",
        r"^240,(?:[\d.]+,){8}(?:1\.0|0\.99\d+)(?:,(?:1\.0|0\.99\d+)){6}$",
    )
    ran = bench.run(
        "api",
        "fine_tunes.create",
        *metrics,
        "--classification_positive_class",
        "neutral",
        typed=f"{_uploaded(bench, train)}\n{_uploaded(bench, valid)}\n",
    )
    bench.expect("  a positive class that is none", ran, "The specified positive class 'neutral' is not among")
    found = bench.ended(_found(r"ft-\w+", ran.out.partition("Created fine-tune: ")[2]))
    bench.check("  fails the job", found["status"] == "failed", str(found))
    ran = bench.run("api", "fine_tunes.create", *metrics, typed="\n\n")
    bench.expect("  neither classes nor a positive one", ran, r"You must provide classification_n_classes", code=1)
    ran = bench.run(
        "api",
        "fine_tunes.create",
        "-t",
        _uploaded(bench, train),
        "-m",
        "ada",
        "--compute_classification_metrics",
        "--classification_n_classes",
        "2",
    )
    bench.expect("  no validation file", ran, "You must provide a validation file", code=1)


def _uploaded(bench: Bench, name: str) -> str:
    files = json.loads(bench.run("api", "files.list").out)["data"]
    return str(next(each["id"] for each in files if each["filename"] == name))


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, f"no {pattern} in: {text}"
    return found[0]


STEPS: tuple[Callable[[Bench], None], ...] = (prepares, creates, follows, measures)


def python39() -> Path | None:
    """Find a Python 3.9, on the path or where pyenv keeps them."""
    kept = sorted((Path.home() / ".pyenv" / "versions").glob("3.9.*/bin/python3"))
    for found in (*kept, Path(shutil.which("python3.9") or "")):
        if found.is_file():
            version = subprocess.run([str(found), "--version"], capture_output=True, text=True, check=False).stdout
            if version.startswith("Python 3.9."):
                return found
    return None


def environment(python: Path, version: str, cache: Path) -> Path:
    """Make the environment of one version, once; return the folder of its commands."""
    home = cache / f"openai-{version}"
    ready = home / "ready"
    if not ready.exists():
        print(f"making an environment for openai {version}", flush=True)
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([str(python), "-m", "venv", str(home)], check=True)
        packages = [f"openai[datalib]=={version}", *BESIDE]
        subprocess.run([str(home / "bin" / "pip"), "install", "-q", *packages], check=True, stderr=subprocess.DEVNULL)
        ready.touch()
    return home / "bin"


@contextmanager
def service(store: Path, *options: str) -> Iterator[str]:
    """Serve a store until the block ends; return the base URL."""
    command = [sys.executable, "-m", "reconciler", "serve", "--port", "0", "--store", str(store), "--api-key", KEY]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().partition("=")[2].strip()
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def settings(commands: Path, url: str) -> dict[str, str]:
    """What the client needs to know."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "PYTHON"))}
    path = f"{commands}{os.pathsep}{env.get('PATH', '')}"
    return {**env, "PATH": path, "OPENAI_API_KEY": KEY, "OPENAI_API_BASE": url, "TQDM_DISABLE": "1"}


def walk(commands: Path, version: str) -> list[str]:
    """Go through every step with one version; return what failed."""
    print(f"openai {version}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with service(folder / "store", "--legacy-bases") as url:
            (folder / "work").mkdir()
            bench = Bench(commands / "openai", folder / "work", settings(commands, url))
            for step in STEPS:
                try:
                    step(bench)
                except (AssertionError, ValueError, subprocess.TimeoutExpired) as error:
                    bench.check(step.__name__, False, str(error))
    print(f"openai {version}: {bench.done} held, {len(bench.failed)} did not", flush=True)
    return bench.failed


def suite(commands: Path, version: str) -> list[str]:
    """Run the tests that lie in the wheel, with the names that they use given to a model that was trained for them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with service(folder / "store", "--legacy-bases") as url:
            bench = Bench(commands / "openai", folder, settings(commands, url))
            model = bench.ended(bench.created("-t", bench.rows("moods.jsonl", 40), "-m", "ada"))["fine_tuned_model"]
        bases = f"--legacy-bases=ada={model},gpt-3.5-turbo={model}"
        with service(folder / "store", bases, *AS_IT_WAS) as url:
            ran = subprocess.run(
                [str(commands / "python"), "-m", "pytest", *SUITE_OPTIONS, "--pyargs", "openai.tests"],
                cwd=folder,
                env=settings(commands, url),
                capture_output=True,
                text=True,
                check=False,
            )
    print(f"tests in the wheel of {version}\n{ran.stdout}", flush=True)
    missed = re.findall(r"^FAILED .*::(\w+)", ran.stdout, re.MULTILINE)
    return [test for test in missed if test not in KNOWN_MISSES] if " passed" in ran.stdout else ["nothing ran"]


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "reconciler-interop")
    parser.add_argument("--versions", nargs="+", default=VERSIONS, choices=VERSIONS)
    parser.add_argument("--suite", action="store_true", help="also the tests in the wheels")
    options = parser.parse_args()
    python = python39()
    if python is None:
        print("Skipped: these clients run on Python 3.9, and none was found here.")
        return SKIPPED
    options.cache.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for version in options.versions:
        commands = environment(python, version, options.cache)
        failed += walk(commands, version)
        if options.suite:
            failed += suite(commands, version)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
