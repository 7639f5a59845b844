"""Old names and old models; every answer shows the engine behind an old name."""

from pathlib import Path

import pytest

from reconciler.domain.errors import UsageError
from reconciler.service import ALL_LEGACY_BASES, read_legacy_bases
from tests.service.legacy.old import LegacyService
from tests.service.service_fixtures import dismiss, error_of, open_local


@pytest.fixture
def model(old: LegacyService) -> str:
    """Return the name of a finished model."""
    return str(old.done(old.train(suffix="triage"))["fine_tuned_model"])


def test_an_old_name_is_listed_with_the_engine_behind_it(old: LegacyService) -> None:
    listed = {each["id"]: each for each in old.service.get("/models")["data"]}

    assert list(listed) == ["test-echo", "ada", "curie"]
    assert (listed["ada"]["root"], listed["ada"]["parent"]) == ("test-echo", None)
    assert listed["ada"]["owned_by"] == listed["test-echo"]["owned_by"]
    assert old.service.get("/models/ada") == listed["ada"]


def test_an_old_model_names_its_engine_and_the_requested_base(old: LegacyService, model: str) -> None:
    shown = old.service.get(f"/models/{model}")

    assert (shown["root"], shown["parent"]) == ("test-echo", "ada")
    (permission,) = shown["permission"]
    assert (permission["object"], permission["allow_sampling"]) == ("model_permission", True)
    assert shown in old.service.get("/models")["data"]


def test_a_name_that_the_operator_did_not_give_does_not_exist(old: LegacyService, tmp_path: Path) -> None:
    service = open_local(tmp_path / "plain")

    assert error_of(service.client.get("/models/ada"))[0] == 404
    status, error = error_of(service.client.post("/fine-tunes", json={"training_file": "file-x"}))
    assert (status, error["code"]) == (404, "model_not_found")
    assert "'curie'" in error["message"]
    assert "--legacy-bases" in error["message"]


def test_a_model_is_deleted_by_its_name_with_colons_escaped(old: LegacyService, model: str) -> None:
    escaped = model.replace(":", "%3A")
    assert escaped != model

    deleted = old.service.client.delete(f"/models/{escaped}").json()

    assert deleted == {"id": model, "object": "model", "deleted": True}
    assert old.service.client.get(f"/models/{escaped}").status_code == 404


def test_an_old_name_is_not_deleted(old: LegacyService) -> None:
    assert error_of(old.service.client.delete("/models/ada"))[0] == 403


def test_engines_are_the_models(old: LegacyService, model: str) -> None:
    engines = old.service.get("/engines")["data"]

    assert [engine["id"] for engine in engines] == ["test-echo", "ada", "curie", model]
    assert old.service.get(f"/engines/{model}") in engines
    assert error_of(old.service.client.get("/engines/none"))[0] == 404


def test_a_model_answers_as_an_engine_with_everything_else_null(old: LegacyService, model: str) -> None:
    nothing = dict.fromkeys(("n", "max_tokens", "temperature", "top_p", "stop", "logprobs", "stream"))

    answer = old.service.post(f"/engines/{model}/completions", {"prompt": "hello ->", "echo": True, **nothing})

    assert answer["choices"][0]["text"] == "hello -> answer 0"
    assert answer["model"] == model


def test_an_answer_ends_after_sixteen_tokens_by_default(old: LegacyService, model: str) -> None:
    long = " ".join(str(number) for number in range(20))

    answers = [
        old.service.post("/completions", {"model": model, "prompt": long, **limit})
        for limit in ({}, {"max_tokens": 20})
    ]

    assert [answer["choices"][0]["finish_reason"] for answer in answers] == ["length", "stop"]
    assert answers[0]["choices"][0]["text"] == " ".join(str(number) for number in range(16))
    assert answers[0]["usage"]["completion_tokens"] == 16


def test_an_echoed_prompt_has_no_probability(old: LegacyService, model: str) -> None:
    answer = old.service.post("/completions", {"model": model, "prompt": "hello ->", "echo": True, "logprobs": 1})

    logprobs = answer["choices"][0]["logprobs"]
    assert "".join(logprobs["tokens"]) == answer["choices"][0]["text"]
    assert (logprobs["tokens"][0], logprobs["token_logprobs"][0]) == ("hello ->", None)
    assert logprobs["top_logprobs"][0] is None
    assert all(logprob is not None for logprob in logprobs["token_logprobs"][1:])
    assert logprobs["text_offset"][:2] == [0, len("hello ->")]


def test_an_untrained_base_has_no_answers(old: LegacyService) -> None:
    for path, body in (("/completions", {"model": "ada"}), ("/engines/ada/completions", {})):
        status, error = error_of(old.service.client.post(path, json={"prompt": "hello", **body}))
        assert (status, error["code"]) == (400, "model_not_trained")


def test_an_old_name_can_stand_for_a_model_of_this_service(old: LegacyService, model: str) -> None:
    """It answers under the real name of the model, and it cannot be trained, because it is not a base."""
    again = open_local(old.service.root, legacy_bases={"ada": model})

    answer = again.post("/completions", {"model": "ada", "prompt": "hello ->"})

    assert (answer["choices"][0]["text"], answer["model"]) == (" answer 0", model)
    shown = again.get("/models/ada")
    assert (shown["root"], shown["parent"]) == ("test-echo", model)
    refused = again.client.post("/fine-tunes", json={"model": "ada", "training_file": "file-x"})
    assert error_of(refused)[0] == 404
    dismiss(old.service.root)


def test_bases_are_read_from_the_option() -> None:
    assert read_legacy_bases("ada=x, babbage = y") == {"ada": "x", "babbage": "y"}
    assert set(read_legacy_bases(ALL_LEGACY_BASES)) == {"ada", "babbage", "curie", "davinci"}


@pytest.mark.parametrize("option", ["", "ada", "ada=", "=x", "ada=x,ada=y", "a b=x", "../x=y"])
def test_an_option_that_cannot_be_read_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match="--legacy-bases"):
        read_legacy_bases(option)


@pytest.mark.parametrize("bases", [{"ada": "nothing"}, {"test-echo": "test-echo"}])
def test_an_old_name_for_an_unknown_engine_is_refused(tmp_path: Path, bases: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--legacy-bases"):
        open_local(tmp_path, legacy_bases=bases)
