"""Schemathesis against our service: requests made from the API's own description, answers held against it.

    python tests/interop/schemathesis_run.py openapi.yaml openapi-legacy.yaml --cases 300

Takes the paths of OpenAPI descriptions, which OpenAI publishes (openai/openai-openapi) and this project does not ship.
No answer may be a 5xx, be of another content type, or lie outside its schema; every refusal must have the error
envelope. Status codes are not checked: the description names 200 alone for most routes. Ends with 1 if anything failed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fixtures import BASE, HERE, KEY, asked, environment, serving, trained, training

CHECKS = ("not_a_server_error", "response_schema_conformance", "content_type_conformance", "refusals_have_the_envelope")
NOT_SERVED = r"/chat/completions/\{completion_id\}"
"""Stored conversations, which this service does not keep."""


def main(arguments: list[str] | None = None) -> int:
    """Run every description that was named; return 1 when something was found."""
    parser = argparse.ArgumentParser(description="Fuzz reconciler serve from OpenAPI descriptions.")
    parser.add_argument("descriptions", nargs="+", type=Path, metavar="OPENAPI")
    parser.add_argument("--cases", type=int, default=300, help="the most generated for one operation and phase")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    parser.add_argument("--only", default="", metavar="REGEX", help="the paths to look at; all of them by default")
    parser.add_argument("--seconds", type=int, help="when to end, whatever is left")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "reconciler-interop")
    options = parser.parse_args(arguments)
    python = environment("schemathesis", ("schemathesis==4.32.5",), options.cache.absolute())
    total = failed = 0
    for description in options.descriptions:
        chosen = ["--phases", options.phases, "--max-examples", str(options.cases), "--seed", str(options.seed)]
        chosen += ["--include-path-regex", options.only] if options.only else []
        chosen += ["--max-time", str(options.seconds)] if options.seconds else []
        code, cases = run(python, description.absolute(), chosen)
        print(f"{description.name}: {cases} cases, {'FAILED' if code else 'nothing found'}", flush=True)
        total += cases
        failed += bool(code)
    print(f"{total} generated cases in all")
    return 1 if failed else 0


def run(python: Path, description: Path, chosen: list[str]) -> tuple[int, int]:
    """Run one description against a service of its own; return the exit code and how many cases were made."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        serving(Path(scratch) / "store", "--legacy-bases", "ada=tfidf-logreg,curie=tfidf-logreg") as url,
    ):
        rows = Path(scratch) / "rows.jsonl"
        rows.write_text("".join(json.dumps(row) + "\n" for row in training()), encoding="utf-8")
        job = trained(url, rows)
        command = [
            *(str(python.with_name("schemathesis")), "run", str(description), "--url", url),
            *("--header", f"Authorization: Bearer {KEY}"),
            *("--checks", ",".join(CHECKS)),
            *chosen,
            *("--exclude-path-regex", NOT_SERVED, "--exclude-operation-id", "listChatCompletions"),
            *(
                "--continue-on-failure",
                "--suppress-health-check",
                "all",
                "--request-timeout",
                "60",
                "--no-color",
                "--warnings",
                "off",
            ),
            *("--generation-database", "none", "--no-shrink"),
        ]
        settings = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "PYTHONPATH": str(HERE),
            "WITNESS_IDS": json.dumps(_ids(url, job)),
            "NO_PROXY": "127.0.0.1",
        }
        lines = []
        with subprocess.Popen(
            command, env=settings, cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running:
            assert running.stdout
            for line in running.stdout:
                lines.append(line)
                print(line, end="", flush=True)
    found = re.search(r"(\d+) generated", "".join(lines))
    return running.returncode, int(found[1]) if found else 0


def _ids(url: str, job: dict[str, object]) -> dict[str, list[str]]:
    """Name things that exist, some of each kind; deleted and finished ones are not missed."""
    fine_tune = {"model": "ada", "training_file": job["training_file"]}
    old = asked(f"{url}/fine-tunes", json.dumps(fine_tune).encode())
    return {
        "base": [BASE],
        "file_id": [str(job["training_file"])],
        "fine_tuning_job_id": [str(job["id"])],
        "fine_tune_id": [str(old["id"])],
        "model": [str(job["fine_tuned_model"]), BASE],
    }


if __name__ == "__main__":
    sys.exit(main())
