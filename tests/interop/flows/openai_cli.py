"""openai 1.109.1, the last release with a command line: files, jobs, answers, and the data tool, as typed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

OPENAI = str(Path(sys.executable).with_name("openai"))


def say(*arguments: str) -> str:
    """Type a command; return what it printed."""
    ran = subprocess.run([OPENAI, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, f"openai {' '.join(arguments)}: {ran.stdout}{ran.stderr}"
    print("ok: openai", *arguments[:2])
    return ran.stdout


def run_json(*arguments: str) -> Any:
    """Type a command that prints an object."""
    return json.loads(say(*arguments))


def ids(*arguments: str) -> set[str]:
    """Type a command that prints a list, which it does object after object; return their ids."""
    text, found, decoder = say(*arguments).strip(), set(), json.JSONDecoder()
    while text:
        thing, end = decoder.raw_decode(text)
        found |= {str(each["id"]) for each in thing.get("data", [thing])}
        text = text[end:].lstrip()
    return found


def main(rows: str, base: str) -> None:
    """Train by command line, ask, cancel, list."""
    file = run_json("api", "files.create", "-f", rows, "-p", "fine-tune")
    assert file["bytes"] == Path(rows).stat().st_size
    assert file["id"] in ids("api", "files.list")

    job = run_json("api", "fine_tuning.jobs.create", "-m", base, "-F", file["id"], "-s", "typed")
    while (job := run_json("api", "fine_tuning.jobs.retrieve", "-i", job["id"]))["finished_at"] is None:
        time.sleep(1)
    assert job["status"] == "succeeded"
    model = job["fine_tuned_model"]
    assert len(ids("api", "fine_tuning.jobs.list_events", "-i", job["id"])) > 3
    assert job["id"] in ids("api", "fine_tuning.jobs.list")
    assert model in ids("api", "models.list")

    for stream in ((), ("--stream",)):
        chat = ("api", "chat.completions.create", "-m", model, "-g", "user", "question 3", *stream)
        assert say(*chat).strip() == "odd"
        assert say("api", "completions.create", "-m", model, "-p", "question 4", *stream).strip() == "even"

    other = run_json("api", "fine_tuning.jobs.create", "-m", base, "-F", file["id"])
    assert run_json("api", "fine_tuning.jobs.cancel", "-i", other["id"])["status"] == "cancelled"
    pairs = Path(os.environ["WITNESS_SCRATCH"]) / "pairs.jsonl"
    pairs.write_text('{"prompt": "a ->", "completion": " b\\n"}\n{"prompt": "c ->", "completion": " d\\n"}\n')
    assert "Analyzing..." in say("tools", "fine_tunes.prepare_data", "-f", str(pairs), "-q")


if __name__ == "__main__":
    main(*sys.argv[1:])
