"""Keys and columns that say more about training."""

from tests.dataset.small_files import ERROR, VALID, SmallFile

from .builders import IMAGE, LOOK, URL, a, bot, chat, csv, first, make_question, q, rows, sharegpt, user, weighted_by

MEANING = [
    SmallFile(
        "images-beside",
        rows(lambda at: {"messages": [user(f"<image>{q(at)}"), bot(a(at))], "images": [URL]}),
        ERROR,
        "format.other",
        "12 of 12 rows are chat with images beside it",
        first(lambda at: chat(user([IMAGE, {"type": "text", "text": q(at)}]), bot(a(at)))),
    ),
    SmallFile(
        "images-lost-in-conversion",
        rows(lambda at: {"messages": [user(f"<image>{q(at)}"), bot(a(at))], "images": [URL]}),
        ERROR,
        "prepare.lost-key",
        "`images` is left out, and 12 of 12 rows have it",
        first(lambda at: chat(user([IMAGE, {"type": "text", "text": q(at)}]), bot(a(at)))),
        dataset={"prepare": [{"convert": {"from": "chat"}}]},
    ),
    SmallFile(
        "loss-in-turns",
        rows(lambda at: chat(user(q(at)), bot("no", loss=False), user("again"), bot(a(at), loss=True))),
        ERROR,
        "format.other",
        "training weight",
        first(lambda at: chat(user(q(at)), bot("no", weight=0), user("again"), bot(a(at)))),
    ),
    SmallFile(
        "loss-weight-lost-in-conversion",
        rows(lambda at: chat(user(q(at)), bot("no", loss_weight=0.0), user("again"), bot(a(at), loss_weight=1.0))),
        ERROR,
        "prepare.lost-key",
        "`messages[].loss_weight` is left out, and 12 of 12 rows have it",
        first(lambda at: chat(user(q(at)), bot("no", weight=0), user("again"), bot(a(at)))),
        dataset={"prepare": [{"convert": {"from": "chat"}}]},
    ),
    SmallFile(
        "loss-in-sharegpt",
        rows(lambda at: sharegpt(at, loss=True)),
        ERROR,
        "format.other",
        "ShareGPT",
        first(make_question),
    ),
    SmallFile(
        "train-in-turns",
        rows(lambda at: chat(user(q(at)), bot("no", train=0), user("again"), bot(a(at)))),
        ERROR,
        "format.other",
        "training weight",
        first(lambda at: chat(user(q(at)), bot("no", weight=0), user("again"), bot(a(at)))),
    ),
    *(
        SmallFile(
            f"{key}-in-turns",
            rows(weighted_by(key)),
            ERROR,
            "format.other",
            "training weight",
            first(lambda at: chat(user(q(at)), bot("no", weight=0), user("again"), bot(a(at)))),
        )
        for key in ("training", "trainable", "is_loss", "learn", "computeLoss")
    ),
    *(
        SmallFile(
            f"{key}-in-turns",
            rows(weighted_by(key)),
            ERROR,
            "format.other",
            "training weight",
            hint="inverted: true",
        )
        for key in ("masked", "loss_mask", "ignore", "no_loss")
    ),
    SmallFile(
        "unknown-yes-or-no-in-turns",
        rows(lambda at: chat(user(q(at)), bot("no", good_one=False), user("again"), bot(a(at), good_one=True))),
        ERROR,
        "chat.unknown-key",
        "an unknown key",
        first(lambda at: chat(user(q(at)), bot("no", weight=0), user("again"), bot(a(at)))),
        dataset={"prepare": [{"drop_empty_turns": ["system"]}]},
    ),
    SmallFile(
        "images-in-sharegpt",
        rows(lambda at: {**sharegpt(at, image=None), "image": URL}),
        ERROR,
        "format.other",
        "ShareGPT",
        first(lambda at: chat(user([IMAGE, {"type": "text", "text": q(at)}]), bot(a(at)))),
    ),
    SmallFile(
        "mask-in-turns",
        rows(lambda at: chat(user(q(at)), bot(a(at), mask=1))),
        ERROR,
        "format.other",
        "training weight",
        hint="inverted: true",
    ),
    SmallFile(
        "context-lost-in-mapping",
        rows(lambda at: {"question": q(at), "context": "c", "answer": a(at)}),
        ERROR,
        "mapping.lost-key",
        "`context` is left out, and 12 of 12 rows have it",
        dataset={"prompt": "{question}", "completion": "{answer}"},
        hint="`drop_columns: [context]`",
    ),
    SmallFile(
        "context-dropped-on-purpose",
        rows(lambda at: {"question": q(at), "context": "c", "answer": a(at)}),
        VALID,
        rows=first(make_question),
        dataset={"prepare": [{"drop_columns": ["context"]}], "prompt": "{question}", "completion": "{answer}"},
    ),
    SmallFile(
        "context-lost-in-alpaca",
        rows(lambda at: {"instruction": q(at), "context": "c", "output": a(at)}),
        ERROR,
        "prepare.lost-key",
        "`context` is left out",
        dataset={"prepare": [{"convert": {"from": "alpaca"}}]},
    ),
    SmallFile(
        "other-keys-are-named",
        rows(lambda at: {**sharegpt(at), "id": at, "source": "x"}),
        VALID,
        "prepare.left-out",
        "`id`, `source` left out, in up to 12 of 12 rows",
        first(make_question),
        dataset={"prepare": [{"convert": {"from": "sharegpt"}}]},
    ),
    SmallFile(
        "other-columns-are-named",
        rows(lambda at: {"id": at, "question": q(at), "answer": a(at)}),
        VALID,
        "mapping.left-out",
        "`id` left out",
        first(make_question),
        dataset={"prompt": "{question}", "completion": "{answer}"},
    ),
    SmallFile(
        "tools-lost",
        rows(lambda at: {"instruction": q(at), "output": a(at), "tools": [LOOK]}),
        ERROR,
        "prepare.lost-key",
        "`tools` is left out",
        dataset={"prepare": [{"convert": {"from": "alpaca"}}]},
    ),
]

JUDGED_COLUMNS = [
    SmallFile(
        "columns-label-y-n",
        csv("question,answer,label", lambda at: (q(at), a(at), "ny"[at % 2]), 24),
        ERROR,
        "mapping.missing",
        "`label` says of each answer whether it is desired",
        [make_question(at) for at in (1, 3)],
        name="rows.csv",
        hint="this trains on the desired answers only",
    ),
    *(
        SmallFile(
            f"columns-{name}-of-{word}",
            csv(f"question,answer,{name}", lambda at, held=held: (q(at), a(at), held[at % 2]), 24),  # type: ignore[misc]  # bound for each case
            ERROR,
            "mapping.missing",
            f"`{name}` may say how good each answer is",
            [make_question(at) for at in (0, 1)],
            name="rows.csv",
            hint=f"then, and where it says something else, add `prepare: [{{drop_columns: [{name}]}}]`, `prompt:",
        )
        for name, word, held in (
            ("label", "grades", "51"),
            ("label", "letters", "uv"),
            ("label", "words", ("great", "poor")),
            ("rating", "stars", ("*****", "*")),
            ("answer_quality", "numbers", ("0.93", "0.12")),
            ("avgScore", "numbers", "71"),
            ("human-rating", "words", ("fine", "awful")),
            ("feedback", "sentences", ("I liked it", "It is wrong")),
        )
    ),
    SmallFile(
        "columns-label-in-some-rows",
        csv("question,answer,label", lambda at: (q(at), a(at), "5" if at in (7, 8) else ""), 24),
        ERROR,
        "mapping.missing",
        "`label` may say how good each answer is",
        [make_question(at) for at in (0, 1)],
        name="rows.csv",
    ),
    SmallFile(
        "columns-label-of-yes-no-and-grades",
        csv("question,answer,label", lambda at: (q(at), a(at), ("1", "0", "5")[at % 3]), 24),
        ERROR,
        "mapping.missing",
        '`label` may say how good each answer is: it holds "1", "0", "5"',
        [make_question(at) for at in (0, 1)],
        name="rows.csv",
    ),
    SmallFile(
        "rows-reward-of-fractions",
        rows(lambda at: {"prompt": q(at), "completion": a(at), "reward": at / 7 - 1}),
        ERROR,
        "format.other",
        "`reward` may say how good each answer is",
        first(make_question),
    ),
    SmallFile(
        "rows-score-of-alpaca",
        rows(lambda at: {"instruction": q(at), "output": a(at), "score": 4.5 - at}),
        ERROR,
        "format.other",
        "`score` may say how good each answer is",
        first(make_question),
    ),
    SmallFile(
        "rows-stars-of-chat",
        rows(lambda at: {**make_question(at), "stars": 1 + at % 5}),
        ERROR,
        "format.other",
        "`stars` may say how good each answer is",
        first(make_question),
    ),
    SmallFile(
        "rows-grade-lost-in-mapping",
        rows(lambda at: {"question": q(at), "answer": a(at), "grade": "ABC"[at % 3]}),
        ERROR,
        "mapping.lost-key",
        "`grade` is left out, and 12 of 12 rows have it",
        dataset={"prompt": "{question}", "completion": "{answer}"},
        hint="`drop_columns: [grade]`",
    ),
    SmallFile(
        "columns-label-of-a-class",
        csv("question,answer,label", lambda at: (q(at), ["yes", "no"][at % 2], "10"[at % 2]), 24),
        ERROR,
        "mapping.missing",
        "has no columns `prompt` and `completion`",
        [chat(user(q(at)), bot(["yes", "no"][at % 2])) for at in (0, 1)],
        name="rows.csv",
    ),
    *(
        SmallFile(
            f"columns-{name}-is-no-judgement",
            csv(f"question,answer,{name}", lambda at, held=held: (q(at), a(at), held[at % 2]), 24),  # type: ignore[misc]  # bound for each case
            ERROR,
            "mapping.missing",
            "has no columns `prompt` and `completion`",
            [make_question(at) for at in (0, 1)],
            name="rows.csv",
        )
        for name, held in (("category", "51"), ("credit_score", "71"), ("difficulty", "12"), ("language", ("en", "de")))
    ),
    SmallFile(
        "columns-rating-beside-a-class",
        csv("text,label,rating", lambda at: (q(at), "ab"[at % 2], "1345"[at % 4]), 24),
        ERROR,
        "mapping.missing",
        "has no columns `prompt` and `completion`",
        [chat(user(q(at)), bot("ab"[at % 2])) for at in (0, 1)],
        name="rows.csv",
        hint="{drop_columns: [rating]}",
    ),
]
