"""Every request has a budget in bytes and work: beyond it, it is refused in the API's words, and the next one works."""

import asyncio
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.evaluation import FormulaError, read_formula, read_grader, text_similarity
from reconciler.service import ServiceSettings, open_service
from reconciler.service.store import JobRecord, Store, add_job
from tests.service.service_fixtures import ECHO, Json, Service, dismiss, error_of, open_local, plain_rows
from tests.service.test_graders import CLOSE, EXACT

RUN, VALIDATE = "/fine_tuning/alpha/graders/run", "/fine_tuning/alpha/graders/validate"
MEGABYTE = 1024 * 1024


@contextmanager
def at_most(cpu_seconds: float) -> Iterator[None]:
    """Fail when a block takes more time of this process than its work is worth."""
    began = time.process_time()
    yield
    assert time.process_time() - began < cpu_seconds


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    root: Path = tmp_path_factory.mktemp("budgets") / "store"
    service = open_local(root)
    yield service, service.done(service.train())["fine_tuned_model"]
    dismiss(root)


def run(service: Service, grader: Json, sample: str = "a", **item: object) -> tuple[int, Json]:
    return error_of(service.client.post(RUN, json={"grader": grader, "model_sample": sample, "item": item}))


@pytest.mark.parametrize("template", ["{{" + " " * 1500, "{{" * 3000, "{{ a " * 3000, "{{" + " a" * 1500 + "}"])
def test_a_template_is_read_in_linear_time(service: Service, template: str) -> None:
    grader = {**EXACT, "input": template, "reference": template}
    with at_most(1):
        found = service.post(RUN, {"grader": grader, "model_sample": "a", "item": {}})
    assert found["reward"] == 1.0


def test_a_template_that_repeats_a_long_text_is_refused(service: Service) -> None:
    status, error = run(service, {**EXACT, "input": "{{item.answer}}" * 300}, answer="x" * 100_000)
    assert (status, error["param"], error["code"]) == (400, "grader", "string_above_max_length")


def test_a_sample_is_parsed_once_for_all_places_of_a_template(service: Service) -> None:
    sample = msgspec.json.encode({"a": "b", "rest": list(range(100_000))}).decode()
    grader = {**EXACT, "input": "{{sample.output_json.a}}" * 300, "reference": "b" * 300}
    with at_most(1):
        found = service.post(RUN, {"grader": grader, "model_sample": sample, "item": {}})
    assert found["reward"] == 1.0


def test_texts_of_many_different_characters_are_compared_in_little_memory() -> None:
    letters = "".join(map(chr, range(0x10000, 0x10000 + 40_000)))
    tracemalloc.start()
    try:
        assert text_similarity(letters, letters[:8]) == 16 / 40_008
        assert tracemalloc.get_traced_memory()[1] < 16 * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("sizes", [(4095, 10), (4096, 4096), (4097, 9000), (9000, 4097)])
def test_similarity_is_the_same_across_the_blocks_of_a_long_text(sizes: tuple[int, int]) -> None:
    left = "".join(chr(97 + place * place % 7) for place in range(sizes[0]))
    right = "".join(chr(97 + place * place * place % 11) for place in range(sizes[1]))
    assert text_similarity(left, right) == text_similarity(right, left)
    assert text_similarity(left, left) == 1.0


def test_a_multi_grader_has_so_many_graders(service: Service) -> None:
    graders = {f"g{place}": EXACT for place in range(65)}
    body = {"type": "multi", "name": "many", "graders": graders, "calculate_output": "g0"}
    status, error = run(service, body, answer="a")
    assert (status, error["param"], error["code"]) == (400, "grader.graders", "object_above_max_properties")


def test_the_comparisons_of_one_grading_are_counted_together(service: Service) -> None:
    graders = {f"g{place}": CLOSE for place in range(3)}
    body = {"type": "multi", "name": "many", "graders": graders, "calculate_output": "g0"}
    with at_most(5):
        status, error = run(service, body, "a" * 49_000, answer="b" * 49_000)
    assert (status, error["code"]) == (400, "string_above_max_length")


def test_an_error_of_a_grader_is_explained_in_linear_time(service: Service) -> None:
    field = " - at `$" * 6000
    with at_most(1):
        status, error = error_of(service.client.post(VALIDATE, json={"grader": {**BOTH_SHAPE, field: 1}}))
    assert (status, error["code"]) == (400, "unknown_parameter")
    assert len(error["message"]) < 2100
    assert len(error["param"]) < 210


BOTH_SHAPE = {"type": "multi", "name": "both", "graders": {"exact": EXACT}, "calculate_output": "exact"}


@pytest.mark.parametrize("text", ["-" * 4000 + "a", "abs(" * 90 + "-" * 90 + "a" + ")" * 90, "a" + "+a" * 2000])
def test_a_formula_that_is_nested_too_deep_is_refused(text: str) -> None:
    with pytest.raises(FormulaError, match=r"within each other|cannot be read"):
        read_formula(text, ["a"])


def test_what_is_nested_too_deep_to_be_used_is_refused(service: Service) -> None:
    nested: object = "a"
    for _ in range(900):
        nested = {"a": nested}
    body = {"grader": {**EXACT, "input": "{{item.a}}"}, "model_sample": "a", "item": {"a": nested}}
    response = service.client.post(RUN, json=body)
    assert response.status_code in {200, 400}


def test_a_field_that_is_a_long_text_is_not_repeated_whole(service: Service) -> None:
    for body in ({"x" * 500_000: 1}, {"model": "m" * 500_000, "training_file": "file-a"}):
        status, error = error_of(service.client.post("/fine_tuning/jobs", json=body))
        assert (status, len(error["message"]) < 2100) == (400, True)


@pytest.mark.parametrize("count", [17, 900, 1500])
def test_more_metadata_filters_than_a_job_has_pairs_are_refused(service: Service, count: int) -> None:
    pairs = {f"metadata[k{place}]": "v" for place in range(count)}
    status, error = error_of(service.client.get("/fine_tuning/jobs", params=pairs))
    assert (status, error["param"]) == (400, "metadata")


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/uploads", 64 * 1024),
        ("/uploads/upload_x/complete", MEGABYTE),
        ("/fine_tuning/jobs", MEGABYTE),
        ("/fine-tunes", MEGABYTE),
        ("/fine_tuning/checkpoints/x/permissions", MEGABYTE),
        (RUN, 4 * MEGABYTE),
        (VALIDATE, 4 * MEGABYTE),
        ("/chat/completions", 4 * MEGABYTE),
        ("/completions", 4 * MEGABYTE),
        ("/engines/x/completions", 4 * MEGABYTE),
        ("/responses", 4 * MEGABYTE),
    ],
)
def test_each_route_has_its_own_largest_body(service: Service, path: str, most: int) -> None:
    assert error_of(service.client.post(path, content=b" " * (most + 1)))[0] == 413
    assert error_of(service.client.post(path, content=b" " * most))[0] == 400


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"prompt": "x" * 2 * MEGABYTE, "n": 128, "echo": True}, "context_length_exceeded"),
        ({"prompt": ["x " * 100_000] * 6}, "context_length_exceeded"),
        ({"prompt": "x" * 200_000, "n": 128, "echo": True}, "response_too_large"),
        ({"prompt": "x " * 20_000, "n": 128, "max_tokens": 20_000, "logprobs": 5}, "response_too_large"),
        ({"prompt": ["x"] * 17, "n": 128}, "out_of_range"),
    ],
)
def test_an_answer_that_is_too_large_is_refused(trained: tuple[Service, str], asked: Json, code: str) -> None:
    service, model = trained
    with at_most(5):
        status, error = error_of(service.client.post("/completions", json={"model": model, **asked}))
    assert (status, error["code"]) == (400, code)


@pytest.mark.parametrize(("path", "field"), [("/chat/completions", "messages"), ("/responses", "input")])
def test_a_conversation_that_is_too_long_is_refused(trained: tuple[Service, str], path: str, field: str) -> None:
    service, model = trained
    messages = [{"role": "user", "content": "x" * 10_000}] * 40
    status, error = error_of(service.client.post(path, json={"model": model, field: messages}))
    assert (status, error["param"], error["code"]) == (400, field, "context_length_exceeded")


def test_the_probabilities_of_many_tokens_are_bounded(trained: tuple[Service, str]) -> None:
    service, model = trained
    asked = {"model": model, "messages": [{"role": "user", "content": "x " * 50_000}], "n": 20}
    status, error = error_of(service.client.post("/chat/completions", json={**asked, "logprobs": True}))
    assert (status, error["code"]) == (400, "response_too_large")


def test_bodies_that_do_not_fit_beside_each_other_wait(tmp_path: Path) -> None:
    """Eight callers have sent most of a large body. The ninth is asked to come again, and is answered afterwards."""
    app = open_service(tmp_path / "store", ServiceSettings(engines=ECHO))
    block = b" " * (4 * MEGABYTE - 2)

    async def send(first: bytes, rest: asyncio.Future[bytes]) -> int:
        blocks = iter([first])
        found: list[int] = []

        async def receive() -> dict[str, Any]:
            for each in blocks:
                return {"type": "http.request", "body": each, "more_body": True}
            return {"type": "http.request", "body": await rest, "more_body": False}

        async def keep(message: Any) -> None:
            if message["type"] == "http.response.start":
                found.append(message["status"])

        scope = {"type": "http", "method": "POST", "path": "/v1/responses", "query_string": b"", "headers": []}
        await app(scope, receive, keep)
        return found[0]

    async def all_of_them() -> tuple[list[int], int, int]:
        rest: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        at_once: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        at_once.set_result(b"{}")
        eight = [asyncio.create_task(send(block, rest)) for _ in range(8)]
        await asyncio.sleep(0)
        ninth = await send(block, at_once)
        rest.set_result(b"{}")
        before = [await each for each in eight]
        return before, ninth, await send(block, at_once)

    assert asyncio.run(all_of_them()) == ([400] * 8, 429, 400)


@pytest.mark.parametrize("file", ["", " ", ".", "..", "../files", "a/b", "file x", "file-\0", "é", "x" * 200, "\n"])
@pytest.mark.parametrize("field", ["training_file", "validation_file"])
@pytest.mark.parametrize("path", ["/fine_tuning/jobs", "/fine-tunes"])
def test_an_id_that_no_file_can_have_is_refused_at_create(service: Service, path: str, field: str, file: str) -> None:
    body = {"model": "test-echo", "training_file": service.upload(plain_rows())["id"], field: file}
    status, error = error_of(service.client.post(path, json=body))
    assert (status, error["param"], error["message"]) == (400, field, f"invalid {field}: {file}")
    assert service.get("/fine_tuning/jobs")["data"] == []


def test_an_error_of_a_job_does_not_say_where_the_store_is(service: Service) -> None:
    job = service.train(plain_rows("fail"))
    (service.root / "files" / job["training_file"]).unlink(missing_ok=True)
    failed = service.done(job)
    assert failed["status"] == "failed"
    assert str(service.root) not in str(failed) + str(service.messages(job))


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/uploads", {"filename": "a", "purpose": "fine-tune", "bytes": 1, "mime_type": ""}, "mime_type"),
        ("/uploads", {"filename": "a", "purpose": "fine-tune", "bytes": 1, "mime_type": "x" * 257}, "mime_type"),
        ("/uploads", {"filename": "", "purpose": "fine-tune", "bytes": 1, "mime_type": "x"}, "filename"),
        ("/uploads", {"filename": "a", "purpose": "fine-tune", "bytes": 10**30, "mime_type": "x"}, "bytes"),
        ("/fine_tuning/checkpoints/x/permissions", {"project_ids": [""]}, "project_ids[0]"),
        ("/fine_tuning/checkpoints/x/permissions", {"project_ids": ["a", "x" * 257]}, "project_ids[1]"),
        ("/fine_tuning/checkpoints/x/permissions", {"project_ids": ["a"] * 1001}, "project_ids"),
    ],
)
def test_every_text_and_number_has_its_bounds(service: Service, path: str, body: Json, param: str) -> None:
    status, error = error_of(service.client.post(path, json=body))
    assert (status, error["param"]) == (400, param)


@pytest.mark.parametrize(("change", "param"), [({"md5": "x"}, "md5"), ({"part_ids": ["a"] * 10_001}, "part_ids")])
def test_an_upload_is_completed_with_bounded_fields(service: Service, change: Json, param: str) -> None:
    upload = service.post("/uploads", {"filename": "a", "purpose": "batch", "bytes": 1, "mime_type": "text/jsonl"})
    body = {"part_ids": [], **change}
    status, error = error_of(service.client.post(f"/uploads/{upload['id']}/complete", json=body))
    assert (status, error["param"]) == (400, param)


def test_a_label_grader_of_many_labels_is_read_quickly() -> None:
    labels = [f"label {place}" for place in range(1000)]
    message = {"role": "user", "content": "?"}
    body = {"type": "label_model", "name": "l", "model": "m", "input": [message], "labels": labels}
    with at_most(1):
        read_grader({**body, "passing_labels": labels})


@pytest.mark.parametrize("path", ["/fine_tuning/jobs", "/fine-tunes"])
def test_so_many_jobs_may_wait(service: Service, path: str) -> None:
    file = service.upload(plain_rows())["id"]
    with Store(service.root).write() as db:
        for number in range(1000):
            add_job(db, waiting_job(f"ftjob-{number}", file))

    status, error = error_of(service.client.post(path, json={"model": "test-echo", "training_file": file}))

    assert (status, error["code"], error["type"]) == (429, "rate_limit_exceeded", "requests")


def waiting_job(name: str, file: str) -> JobRecord:
    return JobRecord(
        id=name,
        base="test-echo",
        training_file=file,
        validation_file=None,
        suffix="",
        seed=1,
        metadata=None,
        hyperparameters={},
        status="paused",
        created_at=1,
    )
