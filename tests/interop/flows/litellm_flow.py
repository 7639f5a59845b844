"""LiteLLM as a client: files, jobs and answers with `custom_llm_provider="openai"`."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import litellm


def main(rows: str, base: str) -> None:
    """Send, train, ask, list, cancel, delete."""
    there: dict[str, Any] = {
        "custom_llm_provider": "openai",
        "api_base": os.environ["OPENAI_BASE_URL"],
        "api_key": os.environ["OPENAI_API_KEY"],
    }
    with Path(rows).open("rb") as handle:
        file = litellm.create_file(file=handle, purpose="fine-tune", **there)
    assert litellm.file_retrieve(file_id=file.id, **there).bytes == Path(rows).stat().st_size
    assert litellm.file_content(file_id=file.id, **there).content == Path(rows).read_bytes()
    assert file.id in {each.id for each in litellm.file_list(**there)}
    print("ok: files")

    job = litellm.create_fine_tuning_job(model=base, training_file=file.id, **there)
    while job.status not in {"succeeded", "failed", "cancelled"}:
        time.sleep(0.5)
        job = litellm.retrieve_fine_tuning_job(fine_tuning_job_id=job.id, **there)
    assert job.status == "succeeded"
    assert job.id in {each.id for each in litellm.list_fine_tuning_jobs(limit=2, **there).data}
    other = litellm.create_fine_tuning_job(model=base, training_file=file.id, **there)
    assert litellm.cancel_fine_tuning_job(fine_tuning_job_id=other.id, **there).status == "cancelled"
    print("ok: jobs")

    model = f"openai/{job.fine_tuned_model}"
    messages = [{"role": "user", "content": "question 3"}]
    whole = litellm.completion(model=model, messages=messages, api_base=there["api_base"])
    assert whole.choices[0].message.content == "odd"
    parts = litellm.completion(model=model, messages=messages, api_base=there["api_base"], stream=True)
    assert "".join(part.choices[0].delta.content or "" for part in parts) == "odd"
    text = litellm.text_completion(
        model=f"text-completion-openai/{job.fine_tuned_model}", prompt="question 4", api_base=there["api_base"]
    )
    assert text.choices[0].text == "even"
    print("ok: answers")
    assert litellm.file_delete(file_id=file.id, **there).deleted
    print("ok: deletion")


if __name__ == "__main__":
    main(*sys.argv[1:])
