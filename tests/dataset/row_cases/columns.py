"""Columns beside a question and an answer that say which rows, or which answers, are to be learned."""

from typing import Any

from tests.dataset.small_files import ERROR, VALID, SmallFile

from .builders import a, chat, csv, first, make_pair, make_preference, make_question, q, rows, sharegpt, user

_PARTS = ("train", "test", "validation", "train")
_IN_TRAINING = (0, 3)


def _part(at: int) -> str:
    return _PARTS[at % len(_PARTS)]


SPLITS = [
    SmallFile(
        "split-of-columns",
        csv("question,answer,split", lambda at: (q(at), a(at), _part(at)), 24),
        ERROR,
        "mapping.missing",
        "has no columns `prompt` and `completion`",
        [make_question(at) for at in _IN_TRAINING],
        name="rows.csv",
        hint="this leaves out the rows that `split` holds out",
    ),
    *(
        SmallFile(
            f"split-beside-{form}-{name}",
            rows(lambda at, make=make, name=name, held=held: {**make(at), name: held(at)}, 24),  # type: ignore[misc]  # bound for each case
            ERROR,
            f"{form}.unknown-key",
            "an unknown key; it says which rows are for training, and which are held out",
            [make(at) for at in _IN_TRAINING],
        )
        for form, make in (("completion", make_pair), ("chat", make_question))
        for name, held in (
            ("split", _part),
            ("subset", lambda at: _part(at).upper()),
            ("dataSplit", lambda at: f"{_part(at)}_sft"),
            ("is_test", lambda at: _part(at) != "train"),
            ("is_train", lambda at: int(_part(at) == "train")),
        )
    ),
    SmallFile(
        "split-lost-in-mapping",
        rows(lambda at: {"q": q(at), "a": a(at), "split": _part(at)}, 24),
        ERROR,
        "mapping.lost-key",
        "`split` is left out, and 24 of 24 rows have it; it says which rows are for training",
        [make_question(at) for at in _IN_TRAINING],
        dataset={"prompt": "{q}", "completion": "{a}"},
    ),
    SmallFile(
        "split-lost-in-conversion",
        rows(lambda at: {**sharegpt(at), "split": _part(at)}, 24),
        ERROR,
        "prepare.lost-key",
        "`split` is left out",
        [make_question(at) for at in _IN_TRAINING],
        dataset={"prepare": [{"convert": {"from": "sharegpt"}}]},
    ),
    SmallFile(
        "split-of-training-only",
        rows(lambda at: {"q": q(at), "a": a(at), "split": "train"}),
        VALID,
        "mapping.left-out",
        "`split` left out",
        first(make_question),
        dataset={"prompt": "{q}", "completion": "{a}"},
    ),
    SmallFile(
        "set-that-is-no-part",
        rows(lambda at: {"q": q(at), "a": a(at), "set": "testament"}),
        VALID,
        "mapping.left-out",
        "`set` left out",
        first(make_question),
        dataset={"prompt": "{q}", "completion": "{a}"},
    ),
]

JUDGED_BY_VALUE = [
    *(
        SmallFile(
            f"columns-{name}-of-{held[0]}",
            csv(f"question,answer,{name}", lambda at, held=held: (q(at), a(at), held[at % 2]), 24),  # type: ignore[misc]  # bound for each case
            ERROR,
            "mapping.missing",
            f"`{name}` may say how good each answer is",
            first(make_question),
            name="rows.csv",
            hint="keep those to learn with a `filter` on it, as the first step; then, and where it says something "
            f"else, add `prepare: [{{drop_columns: [{name}]}}]`",
        )
        for name, held in (
            ("status", ("good", "bad")),
            ("review", ("Accept", "Reject")),
            ("result", ("\U0001f44d", "\U0001f44e")),
            ("outcome", ("thumbs up", "thumbs down")),
            ("check", ("correct", "wrong")),
        )
    ),
    SmallFile(
        "sharegpt-review-of-accept",
        rows(lambda at: {**sharegpt(at), "review": ("accept", "reject")[at % 2]}),
        ERROR,
        "format.other",
        "`review` may say how good each answer is",
        first(make_question),
    ),
    SmallFile(
        "chat-review-of-accept",
        rows(lambda at: {**make_question(at), "review": ("accept", "reject")[at % 2]}),
        ERROR,
        "chat.unknown-key",
        "it says how good an answer is",
        first(make_question),
        hint="where it judges the answers, keep those to learn with a `filter` on it",
    ),
    SmallFile(
        "review-lost-in-mapping",
        rows(lambda at: {"q": q(at), "a": a(at), "review": ("accept", "reject")[at % 2]}),
        ERROR,
        "mapping.lost-key",
        "`review` is left out, and 12 of 12 rows have it; it says how good an answer is",
        dataset={"prompt": "{q}", "completion": "{a}"},
        hint="`drop_columns: [review]`",
    ),
    SmallFile(
        "columns-of-yes-or-no",
        csv("question,answer,ok", lambda at: (q(at), a(at), "01"[at % 2]), 24),
        ERROR,
        "mapping.missing",
        "has no columns `prompt` and `completion`",
        first(make_question),
        name="rows.csv",
        hint="this trains whatever `ok` says: where it says which answers to learn, keep those with a `filter` first",
    ),
    SmallFile(
        "a-word-in-one-row-is-no-judgement",
        csv("question,answer,title", lambda at: (q(at), a(at), "t" if at else "Good"), 24),
        ERROR,
        "mapping.missing",
        "has no columns `prompt` and `completion`",
        first(make_question),
        name="rows.csv",
    ),
    SmallFile(
        "a-word-in-one-row-is-left-out",
        rows(lambda at: {"q": q(at), "a": a(at), "title": "t" if at else "Good"}),
        VALID,
        "mapping.left-out",
        "`title` left out",
        first(make_question),
        dataset={"prompt": "{q}", "completion": "{a}"},
    ),
    SmallFile(
        "a-judging-word-as-the-answer",
        csv("text,label", lambda at: (q(at), ("good", "bad")[at % 2]), 24),
        ERROR,
        "mapping.missing",
        "has no columns `prompt` and `completion`",
        first(lambda at: {"messages": [user(q(at)), {"role": "assistant", "content": ("good", "bad")[at % 2]}]}),
        name="rows.csv",
    ),
]

_LETTERS = "ABCD"


def _choose(question: str, *names: str, answer: str = "{mark}", lines: str = "") -> list[dict[str, Any]]:
    listed = lines or "".join(f"\n{mark}. {mark.lower()}{{at}}" for mark in _LETTERS)
    return [
        chat(
            user(f"{question.format(at=at)}\n{listed.format(at=at)}"),
            {"role": "assistant", "content": answer.format(mark=_LETTERS[at % 4], at=at, low=_LETTERS[at % 4].lower())},
        )
        for at in range(2)
    ]


def _options(at: int, names: tuple[str, ...]) -> dict[str, str]:
    return {name: f"{mark.lower()}{at}" for name, mark in zip(names, _LETTERS, strict=True)}


_NAMED = ("option_a", "option_b", "option_c", "option_d")

CHOICES = [
    *(
        SmallFile(
            f"choices-{names[0]}",
            rows(lambda at, names=names: {"question": q(at), **_options(at, names), "answer": _LETTERS[at % 4]}),  # type: ignore[misc]  # bound for each case
            ERROR,
            "format.other",
            "a question and an answer",
            _choose("question {at}"),
        )
        for names in (tuple(_LETTERS), _NAMED, ("choiceA", "choiceB", "choiceC", "choiceD"))
    ),
    SmallFile(
        "choices-with-the-text-as-answer",
        rows(lambda at: {"question": q(at), **_options(at, _NAMED), "answer": f"{_LETTERS[at % 4].lower()}{at}"}),
        ERROR,
        "format.other",
        "a question and an answer",
        _choose("question {at}", answer="{low}{at}"),
    ),
    SmallFile(
        "choices-with-the-name-as-answer",
        rows(lambda at: {"question": q(at), **_options(at, _NAMED), "answer": _NAMED[at % 4]}),
        ERROR,
        "format.other",
        "a question and an answer",
        _choose(
            "question {at}",
            answer="option_{low}",
            lines="".join(f"\n{name}. {name[-1]}{{at}}" for name in _NAMED),
        ),
    ),
    SmallFile(
        "choices-with-a-number-as-answer",
        rows(lambda at: {"question": q(at), **_options(at, _NAMED), "answer": str(at % 4)}),
        ERROR,
        "format.other",
        "a question and an answer",
        hint="`option_a`, `option_b`, `option_c`, `option_d` hold the answers to choose from",
    ),
    SmallFile(
        "choices-in-a-list",
        rows(lambda at: {"question": q(at), "choices": ["x", "y"], "answer": at % 2}),
        ERROR,
        "format.unknown",
        "rows have neither",
        hint="`choices` holds the answers to choose from",
    ),
    SmallFile(
        "choices-in-a-list-with-a-letter",
        rows(lambda at: {"question": q(at), "options": ["x", "y"], "answer": "AB"[at % 2]}),
        ERROR,
        "format.other",
        "a question and an answer",
        hint="`options` holds the answers to choose from",
    ),
    SmallFile(
        "choices-lost-in-mapping",
        rows(lambda at: {"question": q(at), **_options(at, tuple(_LETTERS)), "answer": _LETTERS[at % 4]}),
        ERROR,
        "mapping.lost-key",
        "`A`, `B`, `C`, `D` are left out, and 12 of 12 rows have them; they hold the answers to choose from",
        _choose("question {at}"),
        dataset={"prompt": "{question}", "completion": "{answer}"},
        hint="to train without them, add `drop_columns: [A, B, C, D]`",
    ),
]


def _beside_facts(name: str, before: bool) -> SmallFile:
    facts = {f"chosen_{name}": "m1", f"rejected_{name}": "m2"}

    def row(at: int) -> dict[str, Any]:
        pair = {"prompt": q(at), "chosen": f"good {at}", "rejected": f"bad {at}"}
        return {**facts, **pair} if before else {**pair, **facts}

    made = first(make_preference)
    return SmallFile(
        f"preference-beside-{name}", rows(row), ERROR, "format.other", "preference pairs", made, method="dpo"
    )


FACTS = [
    *(_beside_facts(name, before) for name, before in (("model", True), ("source", False), ("id", True))),
    SmallFile(
        "preference-behind-ratings",
        rows(
            lambda at: {
                "chosen_rating": 5,
                "rejected_rating": 1.5,
                "prompt": q(at),
                "chosen": f"good {at}",
                "rejected": f"bad {at}",
            }
        ),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "models-of-two-answers-beside-a-pair",
        rows(lambda at: {**make_pair(at), "chosen_model": "m1", "rejected_model": "m2"}),
        ERROR,
        "completion.unknown-key",
        "an unknown key",
        hint="leave it out",
    ),
]
