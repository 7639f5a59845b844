"""What the small files of rows are made of."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.dataset.small_files import ERROR, SmallFile, lines

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


def make_question(at: int) -> Json:
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
        first(make_question),
    )


COHERE = [{"role": "USER", "message": "x"}, {"role": "CHATBOT", "message": "y"}]


def label_rows(id: str, row: Callable[[int], Json], hint: str = "") -> SmallFile:  # noqa: A002 (the word of the field)
    return SmallFile(
        f"labeled-{id}",
        rows(row, 24),
        ERROR,
        "format.other",
        "unpaired preferences",
        [make_question(0), make_question(2)],
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


JPEG = "data:image/jpg;base64,/9j/"


def make_row_with_image(url: str) -> Callable[[int], Json]:
    image = {"type": "image_url", "image_url": {"url": url}}
    return lambda at: chat(user([image, {"type": "text", "text": q(at)}]), bot(a(at)))


def make_pair(at: int) -> Json:
    return {"prompt": q(at), "completion": a(at)}
