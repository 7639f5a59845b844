"""Small files of every row form, naming and defect. Made by hand from knowledge of the formats; none is copied."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from .small_files import ERROR, VALID, WARNING, SmallFile, lines

Json = dict[str, Any]


def user(text: object) -> Json:
    return {"role": "user", "content": text}


def bot(text: object, **more: object) -> Json:
    return {"role": "assistant", "content": text, **more}


def system(text: str) -> Json:
    return {"role": "system", "content": text}


def chat(*turns: Json, **more: object) -> Json:
    return {"messages": list(turns), **more}


def rows(row: Callable[[int], object], count: int = 12) -> str:
    return lines(row(at) for at in range(count))


def first(row: Callable[[int], object], count: int = 2) -> list[object]:
    return [row(at) for at in range(count)]


def pair_row(before: list[Json], at: int, **more: object) -> Json:
    return {
        "input": {"messages": before, **more},
        "preferred_output": [bot(f"good {at}")],
        "non_preferred_output": [bot(f"bad {at}")],
    }


def csv(header: str, row: Callable[[int], Iterable[str]], count: int = 12) -> str:
    return header + "\n" + "".join(",".join(row(at)) + "\n" for at in range(count))


def q(at: int) -> str:
    return f"question {at}"


def a(at: int) -> str:
    return f"answer {at}"


def asked(at: int) -> Json:
    return chat(user(q(at)), bot(a(at)))


def make_preference(at: int) -> Json:
    return pair_row([user(q(at))], at)


def sharegpt(at: int, **more: object) -> Json:
    return {"conversations": [{"from": "human", "value": q(at)}, {"from": "gpt", "value": a(at), **more}]}


def weighted_by(key: str) -> Callable[[int], Json]:
    return lambda at: chat(user(q(at)), bot("no", **{key: False}), user("again"), bot(a(at), **{key: True}))


def naming(id: str, better: str, worse: str, question: str = "prompt") -> SmallFile:  # noqa: A002 (the word of the field)
    return SmallFile(
        f"preference-{id}",
        rows(lambda at: {question: q(at), worse: f"bad {at}", better: f"good {at}"}),
        ERROR,
        "format.other",
        "preference pairs",
        first(make_preference),
        method="dpo",
    )


def defect(id: str, row: Callable[[int], object], rule: str, cause: str) -> SmallFile:  # noqa: A002 (the word of the field)
    return SmallFile(id, rows(row), ERROR, rule, cause)


def table_naming(question: str, answer: str) -> SmallFile:
    return SmallFile(
        f"pair-{question}-{answer}".lower().replace(" ", "-"),
        rows(lambda at: {"id": at, question: q(at), answer: a(at)}),
        ERROR,
        "format.other",
        "a question and an answer",
        first(asked),
    )


COHERE = [{"role": "USER", "message": "x"}, {"role": "CHATBOT", "message": "y"}]
API = [
    SmallFile("chat", rows(asked), VALID, rows=first(asked)),
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


def labeled(id: str, row: Callable[[int], Json], hint: str = "") -> SmallFile:  # noqa: A002 (the word of the field)
    return SmallFile(
        f"labeled-{id}",
        rows(row, 24),
        ERROR,
        "format.other",
        "unpaired preferences",
        [asked(0), asked(2)],
        hint=hint,
    )


def make_unpaired_case(id: str, row: Callable[[int, str, bool], Json], hint: str = "") -> SmallFile:  # noqa: A002
    def each(at: int) -> Json:
        return row(at // 2, f"{'bad' if at % 2 else 'good'} {at // 2}", at % 2 == 0)

    return SmallFile(
        f"labeled-for-dpo-{id}",
        rows(each, 24),
        ERROR,
        "format.other",
        "unpaired preferences",
        first(make_preference),
        method="dpo",
        hint=hint,
    )


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
    labeled("chat", lambda at: {**asked(at), "label": at % 2 == 0}, "pair_labels"),
    labeled("completion", lambda at: {"prompt": q(at), "completion": a(at), "label": at % 2 == 0}),
    labeled("kto-tag-sharegpt", lambda at: {**sharegpt(at), "kto_tag": at % 2 == 0}),
    labeled("kto-tag-alpaca", lambda at: {"instruction": q(at), "output": a(at), "kto_tag": at % 2 == 0}),
    labeled("is-good-words", lambda at: {"question": q(at), "answer": a(at), "is_good": "no" if at % 2 else "yes"}),
    labeled("thumbs-up", lambda at: {"question": q(at), "answer": a(at), "thumbs_up": 0 if at % 2 else 1}),
    labeled(
        "thumbs", lambda at: {"question": q(at), "answer": a(at), "feedback": f"thumbs_{'down' if at % 2 else 'up'}"}
    ),
    labeled(
        "signs", lambda at: {"question": q(at), "answer": a(at), "label": "\U0001f44e" if at % 2 else "\U0001f44d"}
    ),
    labeled("words", lambda at: {"question": q(at), "answer": a(at), "label": f"{'not_' * (at % 2)}preferred"}),
    labeled("reward", lambda at: {"question": q(at), "answer": a(at), "reward": -1 if at % 2 else 1}),
    labeled("score", lambda at: {"question": q(at), "answer": a(at), "score": 0.0 if at % 2 else 1.0}),
    labeled("toxic", lambda at: {"question": q(at), "answer": a(at), "toxic": at % 2 == 1}),
    labeled("is-hallucination", lambda at: {"question": q(at), "answer": a(at), "is_hallucination": at % 2}),
    labeled("rejected-flag", lambda at: {"prompt": q(at), "completion": a(at), "rejected": at % 2 == 1}),
    labeled("is-bad", lambda at: {"question": q(at), "answer": a(at), "is_bad": 1 if at % 2 else 0}),
    SmallFile(
        "labeled-table",
        csv("question,answer,is_good", lambda at: (q(at), a(at), "false" if at % 2 else "true"), 24),
        ERROR,
        "mapping.missing",
        "unpaired preferences",
        [asked(0), asked(2)],
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

URL = "https://example.test/cat.png"
IMAGE = {"type": "image_url", "image_url": {"url": URL}}
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def calling(*calls: Json, results: Iterable[Json] = (), content: object = None) -> Callable[[int], Json]:
    def row(at: int) -> Json:
        made = {"role": "assistant", "content": content, "tool_calls": list(calls)}
        return chat(user(q(at)), made, *results, bot(a(at)), tools=[LOOK])

    return row


def call(arguments: object = '{"n":1}', id: str = "c1", **more: object) -> Json:  # noqa: A002 (the word of the field)
    return {"id": id, "type": "function", "function": {"name": "look", "arguments": arguments}, **more}


def result(id: str = "c1", content: object = "seen") -> Json:  # noqa: A002 (the word of the field)
    return {"role": "tool", "content": content, "tool_call_id": id}


FORMS = [
    SmallFile("sharegpt", rows(sharegpt), ERROR, "format.other", "ShareGPT", first(asked)),
    SmallFile(
        "sharegpt-conversation-role-content",
        rows(lambda at: {"conversation": asked(at)["messages"]}),
        ERROR,
        "format.other",
        "ShareGPT",
        first(asked),
    ),
    SmallFile(
        "chat-other-words",
        rows(lambda at: chat({"role": "human", "content": q(at)}, {"role": "bot", "content": a(at)})),
        ERROR,
        "format.other",
        "12 of 12 rows are chat with other words",
        first(asked),
    ),
    SmallFile(
        "chat-capital-roles",
        rows(lambda at: chat({"role": "User", "content": q(at)}, {"role": "Chatbot", "content": a(at)})),
        ERROR,
        "format.other",
        "chat with other words",
        first(asked),
    ),
    SmallFile(
        "chat-values",
        rows(lambda at: chat({"role": "user", "value": q(at)}, {"role": "assistant", "value": a(at)})),
        ERROR,
        "format.other",
        "chat with other words",
        first(asked),
    ),
    SmallFile(
        "chat-from-in-messages",
        rows(lambda at: chat({"from": "human", "value": q(at)}, {"from": "gpt", "value": a(at)})),
        ERROR,
        "format.other",
        "chat with other words",
        first(asked),
    ),
    SmallFile(
        "chat-system-beside",
        rows(lambda at: {"system": "s", **asked(at)}),
        ERROR,
        "format.other",
        "chat with other words",
        first(lambda at: chat(system("s"), user(q(at)), bot(a(at)))),
    ),
    SmallFile(
        "anthropic",
        rows(
            lambda at: {
                "system": [{"type": "text", "text": "s"}],
                "messages": [user([{"type": "text", "text": q(at)}]), bot([{"type": "text", "text": a(at)}])],
            }
        ),
        ERROR,
        "format.other",
        "Anthropic",
        first(lambda at: chat(system("s"), user(q(at)), bot(a(at)))),
    ),
    SmallFile(
        "anthropic-tools",
        rows(
            lambda at: {
                "messages": [
                    user(q(at)),
                    bot([{"type": "tool_use", "id": "c1", "name": "look", "input": {"n": 1}}]),
                    user([{"type": "tool_result", "tool_use_id": "c1", "content": "seen"}]),
                    bot(a(at)),
                ],
                "tools": [{"name": "look", "input_schema": {"type": "object", "properties": {}}}],
            }
        ),
        ERROR,
        "format.other",
        "Anthropic",
        first(lambda at: calling(call(), results=[result()])(at)),
    ),
    SmallFile(
        "bedrock",
        rows(
            lambda at: {
                "schemaVersion": "bedrock-conversation-2024",
                "system": [{"text": "s"}],
                "messages": [user([{"text": q(at)}]), bot([{"text": a(at)}])],
            }
        ),
        ERROR,
        "format.other",
        "Amazon Bedrock",
        first(lambda at: chat(system("s"), user(q(at)), bot(a(at)))),
    ),
    SmallFile(
        "bedrock-without-version",
        rows(lambda at: chat(user([{"text": q(at)}]), bot([{"text": a(at)}]))),
        ERROR,
        "format.other",
        "Amazon Bedrock",
        first(asked),
    ),
    SmallFile(
        "vertex",
        rows(
            lambda at: {
                "systemInstruction": {"role": "system", "parts": [{"text": "s"}]},
                "contents": [
                    {"role": "user", "parts": [{"text": q(at)}]},
                    {"role": "model", "parts": [{"text": a(at)}]},
                ],
            }
        ),
        ERROR,
        "format.other",
        "Google",
        first(lambda at: chat(system("s"), user(q(at)), bot(a(at)))),
    ),
    SmallFile(
        "alpaca",
        rows(lambda at: {"instruction": "Do.", "input": q(at), "output": a(at)}),
        ERROR,
        "format.other",
        "Alpaca",
        first(lambda at: chat(user(f"Do.\n\n{q(at)}"), bot(a(at)))),
    ),
    SmallFile(
        "alpaca-with-context",
        rows(lambda at: {"instruction": "Do.", "context": q(at), "output": a(at)}),
        ERROR,
        "format.other",
        "Alpaca",
        first(lambda at: chat(user(f"Do.\n\n{q(at)}"), bot(a(at)))),
    ),
    SmallFile(
        "alpaca-history",
        rows(lambda at: {"instruction": q(at), "input": "", "output": a(at), "history": [["x", "y"]]}),
        ERROR,
        "format.other",
        "Alpaca",
        first(lambda at: chat(user("x"), bot("y"), user(q(at)), bot(a(at)))),
    ),
    SmallFile(
        "dolly",
        rows(lambda at: {"instruction": q(at), "context": "c", "response": a(at), "category": "closed_qa"}),
        ERROR,
        "format.other",
        "Dolly",
        first(lambda at: chat(user(f"c\n\n{q(at)}"), bot(a(at)))),
    ),
    SmallFile(
        "question-context-answer",
        rows(lambda at: {"id": at, "question": q(at), "context": "c", "answer": a(at)}),
        ERROR,
        "format.other",
        "questions with a context",
        first(lambda at: chat(user(f"c\n\n{q(at)}"), bot(a(at)))),
    ),
    SmallFile(
        "pair-with-system",
        rows(lambda at: {"system_prompt": "s", "question": q(at), "response": a(at)}),
        ERROR,
        "format.other",
        "a question and an answer",
        first(lambda at: chat(system("s"), user(q(at)), bot(a(at)))),
    ),
    table_naming("question", "answer"),
    table_naming("input", "output"),
    table_naming("query", "response"),
    table_naming("instruction", "response"),
    table_naming("user", "assistant"),
    table_naming("User Prompt", "Model Response"),
    table_naming("input_text", "output_text"),
    table_naming("text", "label"),
    table_naming("utterance", "intent"),
    SmallFile(
        "pair-answer-first",
        rows(lambda at: {"answer": a(at), "question": q(at)}),
        ERROR,
        "format.other",
        "a question and an answer",
        first(asked),
    ),
    SmallFile(
        "pair-table",
        csv("id,text,category", lambda at: (str(at), q(at), a(at))),
        ERROR,
        "mapping.missing",
        "no columns `prompt` and `completion`",
        first(asked),
        name="rows.csv",
    ),
    SmallFile(
        "pair-beside-documents",
        rows(lambda at: {"question": q(at), "chat_history": [], "answer": a(at), "documents": ["d"], "context": "c"}),
        ERROR,
        "format.other",
        "questions with a context",
        first(lambda at: chat(user(f"c\n\n{q(at)}"), bot(a(at)))),
        hint="this trains without `documents`",
    ),
    SmallFile(
        "numbers-and-a-target",
        rows(lambda at: {"target": str(at), "nums": f"{at} 1"}),
        ERROR,
        "format.unknown",
        "`target`, `nums`",
        hint="which columns to use",
    ),
    SmallFile(
        "class-beside-its-answer",
        rows(lambda at: {"prompt": q(at), "completion": f" {at % 2}@", "label": at % 2}),
        ERROR,
        "completion.unknown-key",
        "an unknown key",
        first(lambda at: {"prompt": q(at), "completion": f" {at % 2}@"}),
        hint="leave it out",
    ),
    SmallFile(
        "prompts-as-turns",
        rows(lambda at: {"prompt": [user(q(at))], "completion": [bot(a(at))]}),
        ERROR,
        "format.other",
        "lists of turns",
        first(asked),
    ),
    SmallFile(
        "unknown-columns",
        rows(lambda at: {"alpha": q(at), "beta": a(at), "gamma": at}),
        ERROR,
        "format.unknown",
        "their keys are `alpha`, `beta`, `gamma`",
        hint='alpha ("question 0"), beta ("answer 0"), gamma (0)',
    ),
    SmallFile(
        "unknown-columns-table",
        csv("c1,c2,c3", lambda at: (q(at), a(at), "x")),
        ERROR,
        "mapping.missing",
        "its columns are `c1`, `c2`, `c3`",
        name="rows.csv",
        hint='c1 ("question 0")',
    ),
    SmallFile(
        "lists-are-not-mapped",
        rows(lambda at: {"question": [q(at)], "answer": {"text": a(at)}}),
        ERROR,
        "format.unknown",
        "their keys are",
        hint="question (a list), answer (an object)",
    ),
    SmallFile(
        "rejected-only",
        rows(lambda at: {"text": q(at), "rejected_response": "bad"}),
        ERROR,
        "format.unknown",
        "their keys are",
        hint="which columns to use",
    ),
    SmallFile("plain-text", rows(lambda at: {"text": q(at)}), ERROR, "format.other", "plain text", hint="no question"),
    SmallFile(
        "oasst",
        rows(lambda at: {"message_id": str(at), "parent_id": None, "text": q(at), "role": "prompter"}),
        ERROR,
        "format.other",
        "OpenAssistant",
        hint='by `parent_id`, to one row, with `prompter` as `user`: {"messages": [{"role": "user"',
    ),
    SmallFile(
        "cohere-history",
        rows(lambda at: {"chat_history": COHERE, "message": q(at), "response": a(at)}),
        ERROR,
        "format.other",
        "Cohere",
        [{"messages": [user("x"), bot("y"), user(q(0)), bot(a(0))]}],
    ),
    SmallFile(
        "cohere-history-without-answers",
        rows(lambda at: {"chat_history": COHERE, "message": q(at)}),
        ERROR,
        "format.other",
        "Cohere",
        hint="as the key `response`",
    ),
    SmallFile("empty-objects", "{}\n" * 12, ERROR, "format.unknown", "an empty object"),
    SmallFile("numbers", "7\n" * 12, ERROR, "row.not-an-object", "a single value"),
]

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
        first(asked),
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
        rows=first(asked),
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
        first(asked),
        dataset={"prepare": [{"convert": {"from": "sharegpt"}}]},
    ),
    SmallFile(
        "other-columns-are-named",
        rows(lambda at: {"id": at, "question": q(at), "answer": a(at)}),
        VALID,
        "mapping.left-out",
        "`id` left out",
        first(asked),
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

CALLS = [
    SmallFile("calls", rows(calling(call(), results=[result()])), VALID),
    SmallFile(
        "calls-arguments-as-object",
        rows(calling(call({"n": 1}), results=[result()])),
        ERROR,
        "format.other",
        "calls as another service writes them",
        first(calling(call(), results=[result()])),
    ),
    SmallFile(
        "calls-without-type",
        rows(calling({"id": "c1", "name": "look", "arguments": {"n": 1}}, results=[result()])),
        ERROR,
        "format.other",
        "calls as another service writes them",
        first(calling(call(), results=[result()])),
    ),
    SmallFile(
        "calls-arguments-in-a-text-in-a-text",
        rows(calling(call(json.dumps('{"n":1}')), results=[result()])),
        WARNING,
        "chat.arguments",
        "the text of a text",
        first(calling(call(), results=[result()])),
    ),
    SmallFile(
        "calls-arguments-empty",
        rows(calling(call(""), results=[result()])),
        WARNING,
        "chat.arguments",
        "is empty",
        first(calling(call("{}"), results=[result()])),
    ),
    SmallFile(
        "calls-beside-an-empty-text",
        rows(calling(call(), results=[result(content="")], content="")),
        VALID,
    ),
    SmallFile(
        "calls-beside-an-empty-part",
        rows(
            calling(
                call(),
                results=[result(content=[{"type": "text", "text": ""}])],
                content=[{"type": "text", "text": ""}],
            )
        ),
        VALID,
    ),
    SmallFile(
        "calls-null-in-other-turns",
        rows(lambda at: chat(user(q(at)), bot(a(at), tool_calls=None, function_call=None), tools=[LOOK])),
        VALID,
    ),
    defect("calls-without-result", calling(call()), "chat.tools", "has no result before the next turn"),
    defect(
        "calls-with-one-id", calling(call(), call(), results=[result()]), "chat.tools", "is the id of an earlier call"
    ),
    defect("calls-with-two-results", calling(call(), results=[result(), result()]), "chat.tools", "a second time"),
    SmallFile(
        "calls-with-a-late-result",
        rows(calling(call(), call(id="c2"), results=[result("c2"), bot("wait"), result()])),
        ERROR,
        "chat.tools",
        "has no result before the next turn",
    ),
    SmallFile(
        "calls-at-the-end",
        rows(lambda at: chat(user(q(at)), {"role": "assistant", "tool_calls": [call()]}, tools=[LOOK])),
        VALID,
    ),
]

JPEG = "data:image/jpg;base64,/9j/"


def make_row_with_image(url: str) -> Callable[[int], Json]:
    image = {"type": "image_url", "image_url": {"url": url}}
    return lambda at: chat(user([image, {"type": "text", "text": q(at)}]), bot(a(at)))


DEFECTS = [
    defect("answer-of-white-space", lambda at: chat(user(q(at)), bot(" \n")), "chat.content", "is only white space"),
    defect("answer-empty", lambda at: chat(user(q(at)), bot("")), "chat.content", "is empty"),
    defect(
        "answer-of-an-empty-part",
        lambda at: chat(user(q(at)), bot([{"type": "text", "text": ""}])),
        "chat.content",
        "is empty",
    ),
    SmallFile(
        "question-empty",
        rows(lambda at: chat(user(""), user(q(at)), bot(a(at)))),
        ERROR,
        "chat.content",
        "is empty",
        first(asked),
    ),
    defect(
        "completion-of-white-space",
        lambda at: {"prompt": q(at), "completion": " "},
        "completion.completion",
        "is only white space",
    ),
    SmallFile(
        "completion-of-white-space-in-one-row",
        rows(lambda at: {"prompt": q(at), "completion": a(at) if at else " "}),
        ERROR,
        "completion.completion",
        "is only white space",
        [{"prompt": q(at), "completion": a(at)} for at in (1, 2)],
    ),
    SmallFile(
        "system-empty",
        rows(lambda at: chat(system(""), user(q(at)), bot(a(at)))),
        WARNING,
        "chat.empty-turn",
        "is empty",
        first(asked),
    ),
    SmallFile(
        "system-empty-part",
        rows(lambda at: chat({"role": "system", "content": [{"type": "text", "text": ""}]}, user(q(at)), bot(a(at)))),
        WARNING,
        "chat.empty-turn",
        "is empty",
        first(asked),
    ),
    SmallFile(
        "system-cell-empty",
        csv("s,q,a", lambda at: ("s" if at else "", q(at), a(at))),
        WARNING,
        "row.empty-system",
        "the column `s` is: such rows get no system turn",
        name="rows.csv",
        dataset={"system": "{s}", "prompt": "{q}", "completion": "{a}"},
    ),
    SmallFile(
        "question-cell-empty",
        csv("q,a", lambda at: (q(at) if at else "", a(at))),
        ERROR,
        "row.empty-cell",
        "the column `q` is",
        [asked(1), asked(2)],
        name="rows.csv",
        dataset={"prepare": [{"strip": ["a"]}], "prompt": "{q}", "completion": "{a}"},
    ),
    SmallFile(
        "image-jpg",
        rows(make_row_with_image(JPEG)),
        WARNING,
        "chat.image-type",
        "image/jpg",
        first(make_row_with_image("data:image/jpeg;base64,/9j/")),
    ),
    defect("image-gif", make_row_with_image("data:image/gif;base64,R0lG"), "chat.images", "is not the URL of an image"),
    defect("image-path", make_row_with_image("cat.png"), "chat.images", "is not the URL of an image"),
    defect(
        "role-unknown", lambda at: chat(user(q(at)), {"role": "boss", "content": "x"}, bot("x")), "chat.role", "`boss`"
    ),
    defect("content-number", lambda at: chat(user(q(at)), bot(at)), "chat.content", "not text"),
    defect("last-turn-user", lambda at: chat(user(q(at)), bot(a(at)), user("?")), "chat.last-turn", "the assistant's"),
    defect("weight-half", lambda at: chat(user(q(at)), bot(a(at), weight=0.5)), "chat.weight", "not 0 or 1"),
    defect("weights-zero", lambda at: chat(user(q(at)), bot(a(at), weight=0)), "chat.weight", "every answer"),
    defect("message-text", lambda at: {"messages": [q(at), a(at)]}, "chat.message", "not an object"),
    SmallFile("messages-text", rows(lambda at: {"messages": q(at)}), ERROR, "chat.messages", "not a list of turns"),
    SmallFile(
        "unknown-key",
        rows(lambda at: {**asked(at), "note": "x"}),
        ERROR,
        "chat.unknown-key",
        "an unknown key",
        first(asked),
        hint="leave it out",
    ),
    SmallFile(
        "unknown-key-in-turns",
        rows(lambda at: chat(user(q(at)), bot(a(at), note="x"))),
        ERROR,
        "chat.unknown-key",
        "an unknown key",
        first(asked),
    ),
    SmallFile("no-user", rows(lambda at: chat(system(q(at)), bot(a(at)))), WARNING, "chat.no-user", "the user's"),
    SmallFile("two-rows", rows(asked, 2), ERROR, "rows.too-few", "2 examples"),
]

EMPTY = [
    SmallFile(
        "empty-only-answer",
        rows(lambda at: chat(user(q(at)), bot(" " if at == 3 else a(at)))),
        ERROR,
        "chat.content",
        "is only white space",
        [*first(asked, 3), asked(4)],
        hint="leave such rows out: `drop_empty: [messages]`",
    ),
    SmallFile(
        "null-only-answer",
        rows(lambda at: chat(user(q(at)), bot(None if at == 3 else a(at)))),
        ERROR,
        "chat.content",
        "is null",
        [*first(asked, 3), asked(4)],
    ),
    SmallFile(
        "empty-only-question",
        rows(lambda at: chat(user("" if at == 3 else q(at)), bot(a(at)))),
        ERROR,
        "chat.content",
        "is empty",
        [*first(asked, 3), asked(4)],
    ),
    SmallFile(
        "empty-last-answer-of-two",
        rows(lambda at: chat(user(q(at)), bot(a(at)), *([user("more"), bot("")] if at == 3 else []))),
        ERROR,
        "chat.content",
        "is empty",
        [*first(asked, 3), asked(4)],
    ),
    SmallFile(
        "empty-first-answer-of-two",
        rows(lambda at: chat(user(q(at)), bot(""), user("again"), bot(a(at)))),
        ERROR,
        "chat.content",
        "is empty",
        first(lambda at: chat(user(q(at)), user("again"), bot(a(at)))),
        hint="leave such turns out: `drop_empty_turns: [assistant]`",
    ),
    SmallFile(
        "empty-answer-dropped-as-a-turn",
        rows(lambda at: chat(user(q(at)), bot("" if at == 3 else a(at)))),
        ERROR,
        "chat.no-assistant",
        "no turn is the assistant's",
        [*first(asked, 3), asked(4)],
        dataset={"prepare": [{"drop_empty_turns": ["assistant"]}]},
    ),
    *(
        SmallFile(
            f"empty-{key}",
            rows(lambda at, key=key: {**make_preference(at), **({key: [bot("  ")]} if at == 1 else {})}),  # type: ignore[misc]  # bound for each case
            ERROR,
            "chat.content",
            "is only white space",
            [make_preference(0), make_preference(2)],
            hint=f"leave such rows out: `drop_empty: [{key}]`",
            method="dpo",
        )
        for key in ("preferred_output", "non_preferred_output")
    ),
    SmallFile(
        "empty-system-of-a-preference",
        rows(lambda at: pair_row([system(""), user(q(at))], at)),
        WARNING,
        "chat.empty-turn",
        "is empty",
        first(make_preference),
        method="dpo",
    ),
    SmallFile(
        "empty-question-of-a-preference",
        rows(lambda at: pair_row([user("" if at == 1 else q(at))], at)),
        ERROR,
        "chat.content",
        "is empty",
        hint="add the text, or drop the row",
        method="dpo",
    ),
]

JUDGED_COLUMNS = [
    SmallFile(
        "columns-label-y-n",
        csv("question,answer,label", lambda at: (q(at), a(at), "ny"[at % 2]), 24),
        ERROR,
        "mapping.missing",
        "`label` says of each answer whether it is desired",
        [asked(at) for at in (1, 3)],
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
            [asked(at) for at in (0, 1)],
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
        [asked(at) for at in (0, 1)],
        name="rows.csv",
    ),
    SmallFile(
        "columns-label-of-yes-no-and-grades",
        csv("question,answer,label", lambda at: (q(at), a(at), ("1", "0", "5")[at % 3]), 24),
        ERROR,
        "mapping.missing",
        '`label` may say how good each answer is: it holds "1", "0", "5"',
        [asked(at) for at in (0, 1)],
        name="rows.csv",
    ),
    SmallFile(
        "rows-reward-of-fractions",
        rows(lambda at: {"prompt": q(at), "completion": a(at), "reward": at / 7 - 1}),
        ERROR,
        "format.other",
        "`reward` may say how good each answer is",
        first(asked),
    ),
    SmallFile(
        "rows-score-of-alpaca",
        rows(lambda at: {"instruction": q(at), "output": a(at), "score": 4.5 - at}),
        ERROR,
        "format.other",
        "`score` may say how good each answer is",
        first(asked),
    ),
    SmallFile(
        "rows-stars-of-chat",
        rows(lambda at: {**asked(at), "stars": 1 + at % 5}),
        ERROR,
        "format.other",
        "`stars` may say how good each answer is",
        first(asked),
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
            [asked(at) for at in (0, 1)],
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


def paired(at: int) -> Json:
    return {"prompt": q(at), "completion": a(at)}


MIXED = [
    SmallFile(
        "stated-format-of-no-row",
        rows(asked),
        ERROR,
        "format.other",
        "12 of 12 rows are chat",
        first(asked),
        dataset={"format": "completion"},
    ),
    SmallFile(
        "mixed-pairs-and-chat",
        rows(lambda at: asked(at) if at % 2 else paired(at), 24),
        ERROR,
        "format.mixed",
        "the row has another form (chat), and the dataset's rows are completion (in 12 rows: lines 2, 4, 6 and 9 more)",
        [paired(0), paired(2)],
    ),
    SmallFile(
        "mixed-preference-in-chat",
        rows(lambda at: make_preference(at) if at == 5 else asked(at)),
        ERROR,
        "format.mixed",
        "the row has another form (preference rows), and the dataset's rows are chat",
        first(asked),
    ),
    SmallFile(
        "mixed-chat-in-preference",
        rows(lambda at: make_preference(at) if at else asked(at)),
        ERROR,
        "format.mixed",
        "the row has another form (chat), and the dataset's rows are preference",
        [make_preference(1), make_preference(2)],
        method="dpo",
    ),
    SmallFile(
        "mixed-sharegpt-in-chat",
        rows(lambda at: sharegpt(at) if at == 0 else asked(at)),
        ERROR,
        "format.mixed",
        "the row has another form (ShareGPT conversations)",
        [asked(1), asked(2)],
    ),
    SmallFile(
        "mixed-sharegpt-and-chat",
        rows(lambda at: asked(at) if at % 2 else sharegpt(at), 24),
        ERROR,
        "format.other",
        "line 2 has another form (chat)",
        [asked(0), asked(2)],
    ),
]

ROWS: list[SmallFile] = [
    *API,
    *PREFERENCES,
    *LABELED,
    *FORMS,
    *MEANING,
    *CALLS,
    *DEFECTS,
    *JUDGED_COLUMNS,
    *MIXED,
    *EMPTY,
]
