"""Better and worse answers, and answers with a label."""

import json

from tests.dataset.small_files import ERROR, VALID, SmallFile

from .builders import (
    a,
    bot,
    chat,
    csv,
    first,
    label_rows,
    make_preference,
    make_question,
    make_unpaired_case,
    naming,
    pair_row,
    q,
    rows,
    sharegpt,
    system,
    user,
)

PREFERENCES = [
    naming("chosen-rejected", "chosen", "rejected"),
    naming("chosen-response", "chosen_response", "rejected_response"),
    naming("response-chosen", "response_chosen", "response_rejected", "question"),
    naming("preferred-dispreferred", "preferred", "dispreferred"),
    naming("win-lose", "win", "lose", "query"),
    naming("winner-loser", "winner", "loser", "instruction"),
    naming("better-worse", "better_answer", "worse_answer", "question"),
    naming("accepted-rejected", "accepted", "rejected", "user_prompt"),
    naming("good-bad", "good", "bad", "input"),
    naming("camel-case", "chosenResponse", "rejectedResponse", "userPrompt"),
    naming("y-w-y-l", "y_w", "y_l"),
    naming("completion-and-rejected", "completion", "rejected"),
    SmallFile(
        "preference-messages-beside",
        rows(lambda at: chat(user(q(at)), chosen=f"good {at}", rejected=f"bad {at}")),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "preference-turns",
        rows(
            lambda at: {
                "prompt": [system("s"), user(q(at))],
                "chosen": [bot(f"good {at}")],
                "rejected": [bot(f"bad {at}")],
            }
        ),
        ERROR,
        "format.other",
        "preference pairs",
        first(lambda at: pair_row([system("s"), user(q(at))], at)),
        method="dpo",
    ),
    SmallFile(
        "preference-whole-conversations",
        rows(
            lambda at: {
                "prompt": q(at),
                "chosen": [user(q(at)), bot(f"good {at}")],
                "rejected": [user(q(at)), bot(f"bad {at}")],
            }
        ),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "preference-messages-names",
        rows(
            lambda at: {
                "chosen_messages": [user(q(at)), bot(f"good {at}")],
                "rejected_messages": [user(q(at)), bot(f"bad {at}")],
            }
        ),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "preference-sharegpt",
        rows(
            lambda at: {
                "conversations": [{"from": "human", "value": q(at)}],
                "chosen": {"from": "gpt", "value": f"good {at}"},
                "rejected": {"from": "gpt", "value": f"bad {at}"},
            }
        ),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "preference-rejected-response-beside-chat",
        rows(lambda at: chat(user(q(at)), bot(f"good {at}"), rejected_response=f"bad {at}")),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "preference-alpaca",
        rows(lambda at: {"instruction": "Do.", "input": q(at), "chosen": f"good {at}", "rejected": f"bad {at}"}),
        ERROR,
        "format.other",
        "preference pairs",
        first(lambda at: pair_row([user(f"Do.\n\n{q(at)}")], at)),
        method="dpo",
    ),
    SmallFile(
        "preference-api-names-with-texts",
        rows(lambda at: {"prompt": q(at), "preferred_output": f"good {at}", "non_preferred_output": f"bad {at}"}),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "preference-system",
        rows(lambda at: {"system": "s", "question": q(at), "chosen": f"good {at}", "rejected": f"bad {at}"}),
        ERROR,
        "format.other",
        "preference pairs",
        first(lambda at: pair_row([system("s"), user(q(at))], at)),
        method="dpo",
    ),
    SmallFile(
        "preference-transcripts",
        rows(
            lambda at: {
                "chosen": f"\n\nHuman: {q(at)}\n\nAssistant: good {at}",
                "rejected": f"\n\nHuman: {q(at)}\n\nAssistant: bad {at}",
            }
        ),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "preference-without-question",
        rows(lambda at: {"chosen": f"good {at}", "rejected": f"bad {at}"}),
        ERROR,
        "format.other",
        "preference pairs",
        method="dpo",
        hint="there is no question beside the two answers",
    ),
    SmallFile(
        "preference-with-ratings",
        rows(
            lambda at: {
                "prompt": q(at),
                "chosen": f"good {at}",
                "rejected": f"bad {at}",
                "chosen_rating": 5,
                "rejected_rating": 1.5,
            }
        ),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "preference-table",
        csv("question,chosen,rejected", lambda at: (q(at), f"good {at}", f"bad {at}")),
        ERROR,
        "mapping.missing",
        "preference pairs",
        first(make_preference),
        name="rows.csv",
        method="dpo",
    ),
    SmallFile(
        "compared-response-a-b",
        rows(
            lambda at: {
                "prompt": q(at),
                "response_a": f"{'bad' if at % 2 else 'good'} {at}",
                "response_b": f"{'good' if at % 2 else 'bad'} {at}",
                "winner": "b" if at % 2 else "a",
            }
        ),
        ERROR,
        "format.other",
        "pairs of answers with a winner",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "compared-answer-1-2",
        rows(
            lambda at: {"question": q(at), "answer_1": f"bad {at}", "answer_2": f"good {at}", "preference": "answer_2"}
        ),
        ERROR,
        "format.other",
        "pairs of answers with a winner",
        first(make_preference),
        method="dpo",
    ),
]

LABELED = [
    make_unpaired_case(
        "completion", lambda at, text, good: {"prompt": q(at), "completion": text, "label": good}, "pair_labels"
    ),
    make_unpaired_case(
        "answer", lambda at, text, good: {"question": q(at), "answer": text, "is_good": "yes" if good else "no"}
    ),
    make_unpaired_case("query", lambda at, text, good: {"query": q(at), "response": text, "reward": 1 if good else -1}),
    make_unpaired_case("alpaca", lambda at, text, good: {"instruction": q(at), "output": text, "kto_tag": good}),
    make_unpaired_case("chat", lambda at, text, good: {**chat(user(q(at)), bot(text)), "label": good}),
    make_unpaired_case(
        "sharegpt",
        lambda at, text, good: {
            "conversations": [{"from": "human", "value": q(at)}, {"from": "gpt", "value": text}],
            "kto_tag": good,
        },
    ),
    SmallFile(
        "labeled-for-dpo-without-partners",
        rows(lambda at: {"prompt": q(at), "completion": a(at), "label": at % 2 == 0}, 24),
        ERROR,
        "format.other",
        "unpaired preferences",
        method="dpo",
        hint="use `method: supervised`",
    ),
    SmallFile(
        "turns-as-json-in-a-table",
        "messages\n"
        + "".join('"' + json.dumps([user(q(at)), bot(a(at))]).replace('"', '""') + '"\n' for at in range(12)),
        ERROR,
        "mapping.missing",
        "the cells of `messages` in `rows.csv` hold turns as JSON",
        name="rows.csv",
        hint="write the rows as JSON Lines",
    ),
    SmallFile(
        "labeled-for-dpo-table",
        csv(
            "question,answer,is_good",
            lambda at: (
                q(at // 2),
                f"{'bad' if at % 2 else 'good'} {at // 2}",
                "false" if at % 2 else "true",
            ),
            24,
        ),
        ERROR,
        "mapping.missing",
        "unpaired preferences",
        first(make_preference),
        method="dpo",
        name="rows.csv",
    ),
    SmallFile(
        "preference-conversations-beside-the-chosen-one",
        rows(
            lambda at: {
                "prompt": q(at),
                "prompt_id": f"p{at}",
                "chosen": [user(q(at)), bot(f"good {at}")],
                "rejected": [user(q(at)), bot(f"bad {at}")],
                "messages": [user(q(at)), bot(f"good {at}")],
                "score_chosen": 8.0,
            }
        ),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "preference-of-unknown-names",
        rows(lambda at: {"one": q(at), "two": f"good {at}", "three": f"bad {at}"}),
        ERROR,
        "format.unknown",
        "their keys are",
        method="dpo",
        hint="prepare: [{rename: {COLUMN: prompt, COLUMN: chosen, COLUMN: rejected}}, {convert: {from: preference}}]",
    ),
    SmallFile(
        "labeled-with-id",
        rows(
            lambda at: {
                "id": f"x{at}",
                "prompt": q(at // 2),
                "completion": f"{'bad' if at % 2 else 'good'} {at // 2}",
                "label": at % 2 == 0,
            },
            24,
        ),
        ERROR,
        "format.other",
        "unpaired preferences",
        first(make_preference),
        method="dpo",
        hint="drop_columns: [id]",
    ),
    label_rows("chat", lambda at: {**make_question(at), "label": at % 2 == 0}, "pair_labels"),
    label_rows("completion", lambda at: {"prompt": q(at), "completion": a(at), "label": at % 2 == 0}),
    label_rows("kto-tag-sharegpt", lambda at: {**sharegpt(at), "kto_tag": at % 2 == 0}),
    label_rows("kto-tag-alpaca", lambda at: {"instruction": q(at), "output": a(at), "kto_tag": at % 2 == 0}),
    label_rows("is-good-words", lambda at: {"question": q(at), "answer": a(at), "is_good": "no" if at % 2 else "yes"}),
    label_rows("thumbs-up", lambda at: {"question": q(at), "answer": a(at), "thumbs_up": 0 if at % 2 else 1}),
    label_rows(
        "thumbs", lambda at: {"question": q(at), "answer": a(at), "feedback": f"thumbs_{'down' if at % 2 else 'up'}"}
    ),
    label_rows(
        "signs", lambda at: {"question": q(at), "answer": a(at), "label": "\U0001f44e" if at % 2 else "\U0001f44d"}
    ),
    label_rows("words", lambda at: {"question": q(at), "answer": a(at), "label": f"{'not_' * (at % 2)}preferred"}),
    label_rows("reward", lambda at: {"question": q(at), "answer": a(at), "reward": -1 if at % 2 else 1}),
    label_rows("score", lambda at: {"question": q(at), "answer": a(at), "score": 0.0 if at % 2 else 1.0}),
    label_rows("toxic", lambda at: {"question": q(at), "answer": a(at), "toxic": at % 2 == 1}),
    label_rows("is-hallucination", lambda at: {"question": q(at), "answer": a(at), "is_hallucination": at % 2}),
    label_rows("rejected-flag", lambda at: {"prompt": q(at), "completion": a(at), "rejected": at % 2 == 1}),
    label_rows("is-bad", lambda at: {"question": q(at), "answer": a(at), "is_bad": 1 if at % 2 else 0}),
    SmallFile(
        "labeled-table",
        csv("question,answer,is_good", lambda at: (q(at), a(at), "false" if at % 2 else "true"), 24),
        ERROR,
        "mapping.missing",
        "unpaired preferences",
        [make_question(0), make_question(2)],
        name="rows.csv",
    ),
    SmallFile(
        "labeled-in-pairs",
        rows(
            lambda at: {
                "prompt": q(at // 2),
                "completion": f"{'bad' if at % 2 else 'good'} {at // 2}",
                "label": at % 2 == 0,
            },
            24,
        ),
        VALID,
        rows=first(make_preference),
        dataset={
            "prepare": [
                {"pair_labels": {"column": "label", "desired": ["true"]}},
                {"convert": {"from": "preference"}},
            ]
        },
        method="dpo",
    ),
]
