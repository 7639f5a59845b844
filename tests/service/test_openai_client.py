"""The official client works with the service over a real connection."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.service.service_fixtures import chat, dismiss, jsonl, wait_until
from tests.service.training_rows import messages

pytestmark = pytest.mark.loopback

KEY = "local-key"
SERVING = """
import pathlib, sys
from reconciler.service import serve

serve(
    pathlib.Path(sys.argv[1]),
    host="127.0.0.1",
    port=0,
    api_key=sys.argv[2],
    on_ready=lambda url: print(url, flush=True),
)
print("stopped", flush=True)
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a service on a port, in its own process with warnings as errors; return its base URL."""
    root: Path = tmp_path_factory.mktemp("served") / "store"
    command = [sys.executable, "-W", "error", "-c", SERVING, str(root), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/v1")
        yield url
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "stopped\n"
        assert process.stderr.read() == ""
        assert process.wait(10) == 0
    dismiss(root)


@pytest.fixture
def client(served: str) -> Iterator[openai.OpenAI]:
    """Return the newest official client, without repetition, so the test gets every answer."""
    with openai.OpenAI(base_url=served, api_key=KEY, max_retries=0) as client:
        yield client


def test_a_model_is_trained_asked_and_deleted(client: openai.OpenAI) -> None:
    """The test uses the built-in base."""
    rows = jsonl(chat(text, intent) for text, intent in messages(20, seed=1))
    training = client.files.create(file=("rows.jsonl", rows), purpose="fine-tune")
    validation = client.files.create(
        file=("held-out.jsonl", jsonl(chat(*pair) for pair in messages(5, seed=2))), purpose="fine-tune"
    )
    assert client.files.wait_for_processing(training.id).bytes == len(rows)

    job = client.fine_tuning.jobs.create(
        model="tfidf-logreg",
        training_file=training.id,
        validation_file=validation.id,
        suffix="triage",
        seed=3,
        metadata={"address": "model/triage"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 6}}},
    )
    wait_until(lambda: client.fine_tuning.jobs.retrieve(job.id).finished_at is not None, seconds=60)
    done = client.fine_tuning.jobs.retrieve(job.id)
    assert done.status == "succeeded"
    model = done.fine_tuned_model
    assert model
    assert [each.id for each in client.fine_tuning.jobs.list(metadata={"address": "model/triage"})] == [job.id]

    event_texts = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=4)]
    assert event_texts[0] == "The job has successfully completed"
    assert event_texts[-1] == f"Created fine-tuning job: {job.id}"
    assert len(event_texts) == len(set(event_texts)) == 15
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id, limit=1))
    assert [each.step_number for each in checkpoints] == [360, 300, 240]
    assert checkpoints[0].metrics.full_valid_loss
    assert done.result_files
    assert client.files.content(done.result_files[0]).text.startswith("step,train_loss,train_accuracy,valid_loss")

    asked = "when is the delivery of my envelope"
    for name in (model, checkpoints[-1].fine_tuned_model_checkpoint):
        completion = client.chat.completions.create(model=name, messages=[{"role": "user", "content": asked}])
        assert completion.choices[0].message.content == "card_arrival"
    stream = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": asked}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "card_arrival"
    assert chunks[-1].usage
    assert chunks[-1].usage.total_tokens == 8
    plain = client.completions.create(model=model, prompt=[asked, "euro and dollar"], logprobs=2)
    assert [choice.text for choice in plain.choices] == ["card_arrival", "exchange_rate"]
    streamed = client.completions.create(model=model, prompt=asked, stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed) == "card_arrival"

    assert {each.id for each in client.models.list()} == {"tfidf-logreg", model}
    assert client.models.retrieve(model).shutdown_date is None
    assert client.models.delete(model).deleted
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(model)
    assert client.files.delete(training.id).deleted
    assert training.id not in {each.id for each in client.files.list(limit=1)}


def test_refusals_become_the_errors_of_the_client(client: openai.OpenAI, served: str) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.files.retrieve("file-none")
    assert missing.value.request_id
    with pytest.raises(openai.BadRequestError, match="invalid training_file: file-none") as bad:
        client.fine_tuning.jobs.create(model="tfidf-logreg", training_file="file-none")
    assert bad.value.param == "training_file"
    with pytest.raises(openai.BadRequestError) as unknown:
        client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file="file-none")
    assert unknown.value.code == "model_not_available"
    with pytest.raises(openai.BadRequestError, match="Line 1 is not"):
        client.files.create(file=("rows.jsonl", b"no rows"), purpose="fine-tune")
    with pytest.raises(openai.NotFoundError) as stranger:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}])
    assert stranger.value.code == "model_not_found"
    with (
        openai.OpenAI(base_url=served, api_key="another", max_retries=0) as other,
        pytest.raises(openai.AuthenticationError) as locked,
    ):
        other.models.list()
    assert locked.value.code == "invalid_api_key"


def test_a_base_url_that_ends_in_a_slash_works(served: str) -> None:
    with openai.OpenAI(base_url=f"{served}/", api_key=KEY) as client:
        assert "tfidf-logreg" in {model.id for model in client.models.list()}


def test_a_socket_answer_has_one_date(client: openai.OpenAI) -> None:
    headers = client.models.with_raw_response.list().headers

    assert len(headers.get_list("date")) == 1
    assert "server" not in headers


def test_a_failed_job_has_its_reason(client: openai.OpenAI) -> None:
    file = client.files.create(file=("few.jsonl", jsonl([chat("a", "b")])), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model="tfidf-logreg", training_file=file.id)
    wait_until(lambda: client.fine_tuning.jobs.retrieve(job.id).status == "failed")

    error = client.fine_tuning.jobs.retrieve(job.id).error
    assert error
    assert (error.code, error.param) == ("invalid_n_examples", "training_file")
    assert client.fine_tuning.jobs.list_events(job.id).data[0].level == "error"
