"""Conversations in one text, lists and objects in templates, thoughts, and weights and tools in other words."""

from typing import Any

from tests.dataset.small_files import ERROR, VALID, WARNING, SmallFile

from .builders import a, bot, chat, csv, first, pair_row, q, rows, user

_WRITE_TURNS = "write each row as its turns, without these marks"
_OLD = "\n\nHuman: {}\n\nAssistant:"
_ALPACA = "Below is an instruction.\n\n### Instruction:\n{}\n\n### Response:\n"

TRANSCRIPTS = [
    *(
        SmallFile(
            f"transcript-of-{name}",
            rows(lambda at, text=text: {"input": text.format(q(at)), "output": a(at)}),  # type: ignore[misc]  # bound for each case
            ERROR,
            "format.other",
            "a question and an answer",
            hint=f"the texts of `input` are conversations, marked by {marks}: {_WRITE_TURNS}",
        )
        for name, text, marks in (
            ("human-and-assistant", _OLD, "`Human:` and `Assistant:`"),
            ("instruction-and-response", _ALPACA, "`### Instruction:` and `### Response:`"),
            ("im-start", "<|im_start|>user\n{}<|im_end|>", "`<|im_start|>` and `<|im_end|>`"),
            ("inst", "<s>[INST] {} [/INST]", "`[INST]` and `[/INST]`"),
        )
    ),
    *(
        SmallFile(
            f"plain-transcript-of-{name}",
            rows(lambda at, text=text: {"text": text.format(q(at)) + f" {a(at)}"}),  # type: ignore[misc]  # bound for each case
            ERROR,
            "format.other",
            "plain text",
            hint=_WRITE_TURNS,
        )
        for name, text in (("human-and-assistant", _OLD), ("instruction-and-response", _ALPACA))
    ),
    SmallFile(
        "transcript-in-a-turn",
        rows(lambda at: chat(user(_OLD.format(q(at))), bot(a(at)))),
        WARNING,
        "text.transcript",
        "a conversation in one text, marked by `Human:` and `Assistant:`",
        hint="write each turn with its role",
    ),
    SmallFile(
        "transcript-of-a-mapping",
        csv("q,a", lambda at: (f'"### Instruction:\n{q(at)}\n\n### Response:"', a(at))),
        WARNING,
        "text.transcript",
        "a conversation in one text",
        name="rows.csv",
        dataset={"messages": [{"role": "user", "content": "{q}"}, {"role": "assistant", "content": "{a}"}]},
    ),
    SmallFile(
        "a-talk-that-is-quoted",
        rows(lambda at: chat(user(f"Sum up {at}:\nHuman: hi\nAssistant: hello\nIn a word?"), bot(a(at)))),
        VALID,
    ),
    SmallFile(
        "prompts-for-a-model-of-plain-text",
        rows(lambda at: {"prompt": _OLD.format(q(at)), "completion": a(at)}),
        VALID,
    ),
    SmallFile(
        "thoughts-in-an-answer",
        rows(lambda at: chat(user(q(at)), bot(f"<think>hm</think>{a(at)}"))),
        WARNING,
        "text.reserved-token",
        "think>",
    ),
    SmallFile(
        "thoughts-as-a-block",
        rows(
            lambda at: chat(
                user(q(at)), bot([{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": a(at)}])
            )
        ),
        ERROR,
        "prepare.convert",
        "a chat row cannot hold a block of type `redacted_thinking`",
        dataset={"prepare": [{"convert": {"from": "anthropic"}}]},
        hint="write the thoughts into the text before the answer, where the model should learn them",
    ),
]

NESTED = [
    SmallFile(
        f"{kind}-in-a-template".replace(" ", "-"),
        rows(lambda at, cell=cell: {"q": q(at), "a": cell}),  # type: ignore[misc]  # bound for each case
        WARNING,
        "row.nested-cell",
        f"the column `a` holds {kind}, which is written as JSON into the text",
        dataset={"prompt": "{q}", "completion": "{a}"},
        hint="where that is JSON, allow this rule",
    )
    for kind, cell in (("a list", ["x", "y"]), ("an object", {"text": ["x"]}))
]


def _weigh(off: object, on: object, **asked: object) -> SmallFile:
    def row(at: int) -> dict[str, Any]:
        return chat({**user(q(at)), **asked}, bot("no", weight=off), user("again"), bot(a(at), weight=on))

    weighted = first(lambda at: chat(user(q(at)), bot("no", weight=0), user("again"), bot(a(at))))
    name = f"weight-of-{type(off).__name__}-{off}-{len(asked)}".lower()
    return SmallFile(name, rows(row), ERROR, "chat.weight", "", weighted, hint="`turn_weight: {key: weight}`")


OTHER_WORDS = [
    _weigh(False, True),
    _weigh("0", "1"),
    _weigh("false", "true"),
    _weigh(0, 1, weight=0),
    SmallFile(
        "tools-empty-in-a-preference",
        rows(lambda at: pair_row([user(q(at))], at, tools=[])),
        ERROR,
        "chat.tools",
        "is an empty list",
        first(lambda at: pair_row([user(q(at))], at)),
        method="dpo",
        hint="`mend_calls: true`",
    ),
    SmallFile(
        "tools-empty-in-chat",
        rows(lambda at: chat(user(q(at)), bot(a(at)), tools=[])),
        ERROR,
        "chat.tools",
        "is an empty list",
        first(lambda at: chat(user(q(at)), bot(a(at)))),
    ),
]
