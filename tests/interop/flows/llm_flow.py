"""simonw/llm: a fine-tuned model as an extra OpenAI model, chat and completion, from the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path


def main(rows: str, base: str) -> None:
    """Describe the models in the file that llm reads, then ask them."""
    home = Path(os.environ["WITNESS_SCRATCH"]) / "llm"
    home.mkdir(parents=True, exist_ok=True)
    (home / "keys.json").write_text(json.dumps({"ours": os.environ["OPENAI_API_KEY"]}))
    there = {"api_base": os.environ["OPENAI_BASE_URL"], "api_key_name": "ours"}
    model = {"model_name": os.environ["WITNESS_MODEL"], **there}
    described = [
        {"model_id": "ours", **model},
        {"model_id": "ours-text", "completion": True, **model},
    ]
    # JSON is YAML, and this file is read as YAML.
    (home / "extra-openai-models.yaml").write_text(json.dumps(described))
    llm = [str(Path(sys.executable).with_name("llm"))]
    environment = {**os.environ, "LLM_USER_PATH": str(home)}
    for arguments in (["-m", "ours"], ["-m", "ours", "--no-stream"], ["-m", "ours-text"]):
        ran = subprocess.run(
            [*llm, *arguments, "question 3"], capture_output=True, text=True, env=environment, timeout=120, check=False
        )
        assert (ran.returncode, ran.stdout.strip()) == (0, "odd"), ran.stdout + ran.stderr
        print("ok: llm", *arguments)
    logged = subprocess.run(
        [*llm, "logs", "--json", "-n", "1", "-m", "ours"], capture_output=True, text=True, env=environment, check=True
    )
    assert json.loads(logged.stdout)[0]["response"] == "odd"
    print("ok: llm logs")


if __name__ == "__main__":
    main(*sys.argv[1:])
