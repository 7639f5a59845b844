"""Rows in the API's own forms."""

from tests.dataset.small_files import ERROR, VALID, SmallFile

from .builders import a, bot, chat, first, make_preference, make_question, q, rows, user

API = [
    SmallFile("chat", rows(make_question), VALID, rows=first(make_question)),
    SmallFile(
        "chat-null-fields-of-rows",
        rows(
            lambda at: chat(
                {**user(q(at)), "name": None, "tool_call_id": None},
                bot(a(at), name=None, tool_calls=None, function_call=None),
                tools=None,
                functions=None,
                parallel_tool_calls=None,
            )
        ),
        VALID,
    ),
    SmallFile("chat-null-fields", rows(lambda at: chat(user(q(at)), bot(a(at), refusal=None, audio=None))), VALID),
    SmallFile(
        "completion",
        rows(lambda at: {"prompt": q(at), "completion": a(at)}),
        VALID,
        rows=first(lambda at: {"prompt": q(at), "completion": a(at)}),
    ),
    SmallFile("preference", rows(make_preference), VALID, rows=first(make_preference), method="dpo"),
    SmallFile(
        "reinforcement",
        rows(lambda at: chat(user(q(at)), answer=a(at))),
        VALID,
        rows=first(lambda at: chat(user(q(at)), answer=a(at))),
        method="reinforcement",
    ),
    SmallFile(
        "reinforcement-without-references",
        rows(lambda at: chat(user(q(at)))),
        VALID,
        rows=first(lambda at: chat(user(q(at)))),
        method="reinforcement",
    ),
    SmallFile(
        "reinforcement-with-an-answer",
        rows(lambda at: chat(user(q(at)), bot(a(at)), answer=a(at))),
        ERROR,
        "reinforcement.last-turn",
        "the last turn must be the user's",
        method="reinforcement",
        hint="leave the answer out",
    ),
    SmallFile(
        "reinforcement-with-an-answer-only",
        rows(lambda at: chat(user(q(at)), bot(a(at)))),
        ERROR,
        "reinforcement.last-turn",
        "the last turn must be the user's",
        method="reinforcement",
    ),
    SmallFile(
        "reinforcement-of-columns",
        rows(lambda at: {"question": q(at), "answer": a(at)}),
        ERROR,
        "format.other",
        "a question and an answer",
        method="reinforcement",
        hint="a grader reads the other keys",
    ),
    SmallFile(
        "reinforcement-first-row-without-reference",
        rows(lambda at: chat(user(q(at)), **({"answer": a(at)} if at else {}))),
        VALID,
        method="reinforcement",
    ),
    SmallFile(
        "chat-without-answers",
        rows(lambda at: chat(user(q(at)))),
        ERROR,
        "format.other",
        "12 of 12 rows are chat without answers",
        hint="`format: reinforcement`",
    ),
]
