"""The base `tfidf-logreg`: it learns, reports its measurements, and refuses rows that it cannot learn."""

import csv
from pathlib import Path

import numpy as np
import pytest

from reconciler.service.engines.tfidf_logreg import auto_epochs
from tests.service.service_fixtures import Json, chat, jsonl
from tests.service.training_rows import answer, chat_rows, messages, of_kind, train


def test_it_answers_messages_that_are_not_in_its_training_rows(tmp_path: Path) -> None:
    train(tmp_path, chat_rows(messages(20, seed=1)))

    held_out = messages(20, seed=2)
    right = sum("".join(answer(tmp_path, text).tokens) == intent for text, intent in held_out)

    assert right >= 0.95 * len(held_out)


def test_prompts_and_completions_teach_the_same_as_chats(tmp_path: Path) -> None:
    pairs = messages(10, seed=1)
    train(tmp_path / "chat", chat_rows(pairs))
    train(tmp_path / "plain", jsonl({"prompt": text, "completion": intent} for text, intent in pairs))

    assert answer(tmp_path / "chat", "my wallet is gone") == answer(tmp_path / "plain", "my wallet is gone")


def test_answers_are_equal_to_those_of_the_rows(tmp_path: Path) -> None:
    """Nothing is stripped: a space or a line feed is part of the answer."""
    rows = jsonl({"prompt": text, "completion": f" {intent}\n ✓"} for text, intent in messages(10, seed=1))
    train(tmp_path, rows)

    assert answer(tmp_path, "the exchange rate").tokens == (" exchange_rate\n ✓",)


def test_its_reported_metrics_are_correct(tmp_path: Path) -> None:
    """The last metrics are those of the saved weights; the test computes them again from its answers."""
    pairs, other = messages(10, seed=1), messages(5, seed=2)
    lines = train(tmp_path, chat_rows(pairs), validation=chat_rows(other), n_epochs=4)

    metrics = [each["data"] for each in of_kind(lines, "metrics")]
    assert [(each["step"], each["total_steps"]) for each in metrics] == [(30, 120), (60, 120), (90, 120), (120, 120)]
    assert metrics[0]["train_loss"] > metrics[-1]["train_loss"]
    for part, loss, accuracy in (
        (pairs, "train_loss", "train_mean_token_accuracy"),
        (other, "full_valid_loss", "full_valid_mean_token_accuracy"),
    ):
        answers = [(answer(tmp_path, text), intent) for text, intent in part]
        right = [found.tokens == (intent,) for found, intent in answers]
        assert metrics[-1][accuracy] == pytest.approx(sum(right) / len(right))
        losses = [-dict(found.alternatives)[intent] for found, intent in answers]
        assert metrics[-1][loss] == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_the_result_file_holds_every_epoch(tmp_path: Path) -> None:
    lines = train(tmp_path, chat_rows(messages(10, seed=1)), validation=chat_rows(messages(3, seed=2)), n_epochs=5)

    rows = list(csv.DictReader((tmp_path / "out" / "step_metrics.csv").read_text().splitlines()))

    names = ["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"]
    assert [list(row) for row in rows] == [names] * 5
    data = [each["data"] for each in of_kind(lines, "metrics")]
    assert [float(row["train_loss"]) for row in rows] == [each["train_loss"] for each in data]
    assert [float(row["valid_loss"]) for row in rows] == [each["full_valid_loss"] for each in data]


@pytest.mark.parametrize(("epochs", "kept"), [(1, [30]), (2, [30, 60]), (5, [90, 120, 150])])
def test_the_last_three_epochs_are_kept(tmp_path: Path, epochs: int, kept: list[int]) -> None:
    lines = train(tmp_path, chat_rows(messages(10, seed=1)), n_epochs=epochs)

    assert [each["step"] for each in of_kind(lines, "checkpoint")] == kept
    assert sorted(path.name for path in (tmp_path / "out").glob("step-*")) == sorted(f"step-{step}" for step in kept)


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tmp_path: Path) -> None:
    rows = chat_rows(messages(10, seed=1))
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        train(tmp_path / name, rows, seed=seed)

    found = {name: answer(tmp_path / name, "the post and my card") for name in "abc"}
    assert found["a"] == found["b"] != found["c"]


def test_every_hyperparameter_is_used(tmp_path: Path) -> None:
    rows = chat_rows(messages(10, seed=1))
    plain = train(tmp_path / "plain", rows, n_epochs=3)
    faster = train(tmp_path / "faster", rows, n_epochs=3, learning_rate_multiplier=3.0)
    longer = train(tmp_path / "longer", rows, n_epochs=6)

    last = [of_kind(lines, "metrics")[-1]["data"]["train_loss"] for lines in (plain, faster, longer)]
    assert last[0] > last[1]
    assert last[0] > last[2]
    assert of_kind(longer, "metrics")[2]["data"]["train_loss"] == last[0]
    assert of_kind(faster, "validated")[0]["hyperparameters"] == {
        "n_epochs": 3,
        "batch_size": 1,
        "learning_rate_multiplier": 3.0,
    }


@pytest.mark.parametrize(("rows", "epochs"), [(10, 20), (200, 20), (1000, 4), (100_000, 3)])
def test_epochs_are_chosen_by_the_number_of_rows(rows: int, epochs: int) -> None:
    assert auto_epochs(rows) == epochs


def test_tokens_are_the_words_that_it_reads(tmp_path: Path) -> None:
    """Each epoch reads the words of each question, and one answer."""
    rows = jsonl(chat("two words", "a") for _ in range(8)) + jsonl(chat("three words, here!", "b") for _ in range(4))

    lines = train(tmp_path, rows, n_epochs=2)

    assert of_kind(lines, "trained") == [{"kind": "trained", "tokens": 2 * (8 * 3 + 4 * 4)}]
    assert answer(tmp_path, "how many words?").prompt_tokens == 3


def test_an_answer_has_its_probabilities(tmp_path: Path) -> None:
    train(tmp_path, chat_rows(messages(10, seed=1)))

    found = answer(tmp_path, "the exchange rate of the euro")

    assert sum(np.exp([logprob for _, logprob in found.alternatives])) == pytest.approx(1)
    assert found.alternatives[0] == (found.tokens[0], found.logprobs[0])
    assert found.tokens == ("exchange_rate",)


def test_two_answers_are_enough(tmp_path: Path) -> None:
    pairs = [(text, intent) for text, intent in messages(10, seed=1) if intent != "lost_card"]
    train(tmp_path, chat_rows(pairs))

    found = [answer(tmp_path, text) for text, _ in pairs]

    assert [each.tokens[0] for each in found] == [intent for _, intent in pairs]
    assert sum(np.exp([logprob for _, logprob in found[0].alternatives])) == pytest.approx(1)


def test_constant_instructions_do_not_outweigh_the_message(tmp_path: Path) -> None:
    """A system message is often the same in every row; the model answers equally with and without it."""
    pairs = messages(10, seed=1)
    system = {"role": "system", "content": "You are a card and currency desk. Say lost_card, exchange_rate or else."}
    rows = jsonl({"messages": [system, *chat(text, intent)["messages"]]} for text, intent in pairs)
    train(tmp_path / "with", rows)
    train(tmp_path / "without", chat_rows(pairs))

    asked = "my wallet is gone"
    assert answer(tmp_path / "with", asked, system["content"]) == answer(tmp_path / "without", asked)
    assert answer(tmp_path / "with", asked) == answer(tmp_path / "with", asked, "something else")


def test_instructions_that_differ_are_read(tmp_path: Path) -> None:
    rows = jsonl(
        {"messages": [{"role": "developer", "content": tongue}, *chat("hello there", reply)["messages"]]}
        for tongue, reply in [("English", "hi"), ("Swabian", "grüß Gott")] * 6
    )
    train(tmp_path, rows)

    assert answer(tmp_path, "hello there", "Swabian").tokens == ("grüß Gott",)
    assert answer(tmp_path, "hello there", "English").tokens == ("hi",)


def test_earlier_turns_are_part_of_the_question(tmp_path: Path) -> None:
    def talk(topic: str, label: str) -> Json:
        turns = [("user", topic), ("assistant", "go on"), ("user", "that is all"), ("assistant", label)]
        return {"messages": [{"role": role, "content": content} for role, content in turns]}

    train(tmp_path, jsonl([talk("about cats", "animal"), talk("about oaks", "plant")] * 6))

    assert answer(tmp_path, "about cats\ngo on\nthat is all").tokens == ("animal",)
    assert answer(tmp_path, "about oaks\ngo on\nthat is all").tokens == ("plant",)


def test_validation_answers_that_are_not_in_the_training_rows_count_as_wrong(tmp_path: Path) -> None:
    other = [("the exchange rate", "exchange_rate"), ("a card", "unheard_of"), ("x", "unheard_of"), ("y", "unheard_of")]

    lines = train(tmp_path, chat_rows(messages(10, seed=1)), validation=chat_rows(other), n_epochs=1)

    (note,) = of_kind(lines, "note")
    assert note["message"].startswith("3 of 4 validation rows have an answer that no training row has")
    assert of_kind(lines, "metrics")[0]["data"]["full_valid_mean_token_accuracy"] == 0.25


def test_validation_rows_without_a_known_answer_have_no_loss(tmp_path: Path) -> None:
    lines = train(
        tmp_path, chat_rows(messages(10, seed=1)), validation=chat_rows([("a card", "unheard_of")]), n_epochs=1
    )

    data = of_kind(lines, "metrics")[0]["data"]
    assert "full_valid_loss" not in data
    assert data["full_valid_mean_token_accuracy"] == 0
