"""LlamaIndex: its engine for fine-tuning jobs, and the model that it hands back."""

import os
import sys
import time

from llama_index.finetuning import OpenAIFinetuneEngine


def main(rows: str, base: str) -> None:
    """Fine-tune, and take the model."""
    engine = OpenAIFinetuneEngine(base, rows)
    engine.finetune()
    print("ok: finetune")
    while engine.get_current_job().finished_at is None:
        time.sleep(0.5)
    assert engine.get_current_job().status == "succeeded"
    print("ok: the job succeeded")
    # It asks only models whose names begin with one of OpenAI's, so the last step is the model's name.
    tuned = engine.get_finetuned_model(api_base=os.environ["OPENAI_BASE_URL"])
    assert tuned.model == engine.get_current_job().fine_tuned_model
    print("ok: the tuned model is handed back")


if __name__ == "__main__":
    main(*sys.argv[1:])
