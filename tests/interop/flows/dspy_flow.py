"""DSPy: `finetune` of a language model, which watches the job and gives back the tuned one."""

import json
import os
import sys
from pathlib import Path

import dspy


def main(rows: str, base: str) -> None:
    """Fine-tune and ask."""
    dspy.settings.experimental = True
    there = {"api_base": os.environ["OPENAI_BASE_URL"], "api_key": os.environ["OPENAI_API_KEY"]}
    lm = dspy.LM(f"openai/{base}", finetuning_model=f"openai/{base}", cache=False, **there)
    data = [json.loads(line) for line in Path(rows).read_text().splitlines()]
    tuned = lm.finetune(train_data=data, train_data_format="chat").result()
    if isinstance(tuned, Exception):
        raise tuned
    print("ok: finetune", tuned.model)
    # Its router knows the models of OpenAI by name; for any other model it needs the name of the API.
    asked = dspy.LM(f"openai/{tuned.model}", cache=False, **there)
    assert asked("question 3") == ["odd"]
    print("ok: the tuned model answers")


if __name__ == "__main__":
    main(*sys.argv[1:])
