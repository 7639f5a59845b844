"""A key that says something about training is never left out by the way: a finding says what it is and how to use it.

Each hint is applied as it is written, and the rows that it leads to are compared with the rows wanted.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.domain.errors import InputError
from reconciler.domain.prepare import PlaceImages
from reconciler.prepare_data.suggest import examine

from .row_cases.builders import URL, a, bot, chat, first, make_question, q, rows, system, user
from .small_files import ERROR, VALID, SmallFile, apply_hint, check_small_file, find_problems, lines

IMAGE = {"type": "image_url", "image_url": {"url": URL}}
CONVERT = {"convert": {"from": "prompt_completion"}}


def add_key(make: Callable[[int], Any], name: str, held: object, start: int = 0) -> Callable[[int], object]:
    """Return what makes rows with one more key, from some row on."""
    return lambda at: {**make(at), **({name: held} if at >= start else {})}


def pair(at: int, **more: object) -> dict[str, object]:
    return {"prompt": q(at), "completion": a(at), **more}


def with_system(at: int) -> dict[str, object]:
    return chat(system("Be brief."), user(q(at)), bot(a(at)))


def with_image(at: int) -> dict[str, object]:
    return chat(user([IMAGE, {"type": "text", "text": q(at)}]), bot(a(at)))


SYSTEM_NAMES = (
    "system",
    "system_prompt",
    "systemMessage",
    "instructions",
    "system_instruction",
    "developer",
    "preamble",
)

CASES = [
    *(
        SmallFile(
            f"{name}-beside-a-pair",
            rows(add_key(pair, name, "Be brief.")),
            ERROR,
            "completion.unknown-key",
            "an unknown key; it holds a text for the system",
            first(with_system),
        )
        for name in SYSTEM_NAMES
    ),
    *(
        SmallFile(
            f"{name}-beside-turns",
            rows(add_key(make_question, name, "Be brief.")),
            ERROR,
            "chat.unknown-key",
            "it holds a text for the system",
            first(with_system),
        )
        for name in SYSTEM_NAMES[1:]
    ),
    *(
        SmallFile(
            f"{name}-lost-by-{form}",
            rows(add_key(make, name, "Be brief.")),
            ERROR,
            "prepare.lost-key",
            f"`{name}` is left out",
            first(with_system),
            dataset={"prepare": [{"convert": {"from": form}}]},
            hint='"system"',
        )
        for name in ("system_prompt", "instructions")
        for form, make in (
            ("chat", make_question),
            ("prompt_completion", pair),
            ("alpaca", lambda at: {"instruction": q(at), "output": a(at)}),
            ("dolly", lambda at: {"instruction": q(at), "response": a(at)}),
            (
                "sharegpt",
                lambda at: {"conversations": [{"from": "human", "value": q(at)}, {"from": "gpt", "value": a(at)}]},
            ),
        )
    ),
    SmallFile(
        "system-lost-by-a-mapping",
        rows(lambda at: {"q": q(at), "a": a(at), "system_prompt": "Be brief."}),
        ERROR,
        "mapping.lost-key",
        "it holds a text for the system",
        first(with_system),
        dataset={"prompt": "{q}", "completion": "{a}"},
    ),
    SmallFile(
        "context-beside-a-pair",
        rows(lambda at: pair(at, context="It rains.")),
        ERROR,
        "completion.unknown-key",
        "a text that the question is about",
        first(lambda at: chat(user(f"It rains.\n\n{q(at)}"), bot(a(at)))),
    ),
    SmallFile(
        "context-beside-turns",
        rows(lambda at: {**make_question(at), "context": "Be brief."}),
        ERROR,
        "chat.unknown-key",
        "a text that the question is about",
        first(with_system),
    ),
    SmallFile(
        "history-beside-a-pair",
        rows(lambda at: pair(at, history=[["Hello", "Hi"]])),
        ERROR,
        "completion.unknown-key",
        "the turns before the question",
        first(lambda at: chat(user("Hello"), bot("Hi"), user(q(at)), bot(a(at)))),
    ),
    *(
        SmallFile(
            f"{name}-beside-a-pair",
            rows(add_key(pair, name, held)),
            ERROR,
            "completion.unknown-key",
            "an image that belongs to the question",
            first(with_image),
        )
        for name, held in (("image", URL), ("image_url", URL), ("images", [URL]))
    ),
    *(
        SmallFile(
            f"{name}-in-some-rows",
            rows(add_key(make_question, name, ["v.mp4"], start=11)),
            ERROR,
            "chat.unknown-key",
            "sound or film",
            [make_question(at) for at in range(11)],
        )
        for name in ("videos", "audios", "audio", "video_path")
    ),
    SmallFile(
        "loss-weight-of-a-row",
        rows(lambda at: pair(at, loss_weight=at % 2), 24),
        ERROR,
        "completion.unknown-key",
        "what is trained on, or how much",
        [pair(at) for at in (1, 3, 5)],
    ),
    SmallFile(
        "loss-weight-of-a-row-of-chat",
        rows(lambda at: {**make_question(at), "weight": (0.0, 1.0)[at % 2]}, 24),
        ERROR,
        "chat.unknown-key",
        "what is trained on, or how much",
        [make_question(at) for at in (1, 3, 5)],
    ),
    *(
        SmallFile(
            f"{name}-of-a-row",
            rows(add_key(make_question, name, True)),
            ERROR,
            "chat.unknown-key",
            "which turns, or how much of a row, are trained on",
            hint='write `"weight": 0` on those to leave out',
        )
        for name in ("mask_history", "train_on_last", "train_on_prompt")
    ),
    SmallFile(
        "image-placed-after-a-conversion",
        rows(lambda at: pair(at, image=URL)),
        VALID,
        rows=first(with_image),
        dataset={"prepare": [CONVERT, {"place_images": "image"}]},
    ),
    SmallFile(
        "image-for-each-mark-in-parts",
        rows(
            lambda at: {
                "messages": [user([{"type": "image"}, {"type": "text", "text": q(at)}]), bot(a(at))],
                "images": [URL],
            }
        ),
        VALID,
        rows=first(with_image),
        dataset={"prepare": [{"place_images": "images"}]},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_training_key_is_an_error_and_its_hint_uses_it(case: SmallFile, tmp_path: Path) -> None:
    check_small_file(case, tmp_path)


FORMS: dict[str, dict[str, Any]] = {
    "prompt_completion": {"prompt": "q", "completion": "a"},
    "alpaca": {"instruction": "q", "output": "a"},
    "dolly": {"instruction": "q", "response": "a"},
    "preference": {"prompt": "q", "chosen": "a", "rejected": "b"},
    "vertex": {"contents": [{"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": [{"text": "a"}]}]},
    "cohere": {"chat_history": [], "message": "q", "response": "a"},
    "sharegpt": {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
    "chat": chat(user("q"), bot("a")),
    "anthropic": chat(user("q"), bot("a")),
}
HAVE_TURNS = {"sharegpt", "chat", "anthropic"}


@pytest.mark.parametrize("place_first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("form", FORMS)
def test_an_image_is_placed_or_its_row_is_an_error_in_every_order(form: str, place_first: bool, tmp_path: Path) -> None:
    steps = [{"convert": {"from": form}}, {"place_images": "image"}]
    method = "dpo" if form == "preference" else "supervised"
    content = lines({**FORMS[form], "image": URL} for _ in range(12))
    document = {
        "kind": "Dataset",
        "name": "rows",
        "source": "rows.jsonl",
        "prepare": steps[::-1] if place_first else steps,
    }
    (tmp_path / "rows.jsonl").write_text(content, encoding="utf-8")
    found = find_problems(document, SmallFile("", content, "", method=method), tmp_path)
    errors = [each for each in found if each.severity == "error"]
    if form == "preference":
        assert {each.rule for each in errors} <= {"preference.text-only", "prepare.convert"}
        assert errors
    elif place_first and form not in HAVE_TURNS:
        (problem,) = errors
        assert problem.what.startswith("there are no turns that the image could be placed in")
        assert problem.hint.startswith("put `place_images: image` after the step `convert`")
    else:
        assert not errors


def test_an_image_beside_a_mapping_has_steps_in_place_of_it(tmp_path: Path) -> None:
    content = rows(lambda at: {"q": q(at), "a": a(at), "image_url": URL})
    document = {"kind": "Dataset", "name": "rows", "source": "rows.jsonl", "prompt": "{q}", "completion": "{a}"}
    (tmp_path / "rows.jsonl").write_text(content, encoding="utf-8")
    found = find_problems(document, SmallFile("", content, ""), tmp_path)
    (problem,) = (each for each in found if each.severity == "error")
    assert problem.rule == "mapping.lost-key"
    assert "in place of `prompt`, `completion`" in problem.hint
    steps = apply_hint(problem.hint, {})
    check_small_file(SmallFile("", content, VALID, rows=first(with_image), dataset=steps), tmp_path)


def test_images_beside_a_table_have_steps(tmp_path: Path) -> None:
    content = rows(lambda at: {"question": q(at), "answer": a(at), "image_url": URL})
    case = SmallFile("", content, ERROR, "format.other", "a question and an answer", first(with_image))
    check_small_file(case, tmp_path)
    assert examine(tmp_path / "rows.jsonl").steps[-1] == PlaceImages("image_url")


@pytest.mark.parametrize("key", ["loss_weight", "videos", "mask_history", "chat_history"])
def test_prepare_writes_no_step_that_drops_such_a_column(key: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(lines({"question": f"q{at}", "answer": f"a{at}", key: 1} for at in range(12)), encoding="utf-8")
    with pytest.raises(InputError) as stop:
        examine(file)
    (problem,) = stop.value.problems
    assert problem.hint.startswith(f"decide on what says more about training: `{key}`: ")
