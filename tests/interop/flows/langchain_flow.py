"""langchain-openai: a chat model and a text model over a fine-tuned one, whole and streaming."""

import os
import sys

from langchain_openai import ChatOpenAI, OpenAI


def main(rows: str, base: str) -> None:
    """Ask a model that was trained before."""
    model = os.environ["WITNESS_MODEL"]
    chat = ChatOpenAI(model=model, temperature=0)
    assert chat.invoke("question 3").content == "odd"
    print("ok: chat")
    assert "".join(str(part.content) for part in chat.stream("question 4")) == "even"
    print("ok: chat, streaming")
    assert [answer.content for answer in chat.batch(["question 3", "question 4"])] == ["odd", "even"]
    print("ok: chat, in a batch")
    text = OpenAI(model=model, temperature=0)
    assert text.invoke("question 3") == "odd"
    assert "".join(text.stream("question 4")) == "even"
    print("ok: completions")


if __name__ == "__main__":
    main(*sys.argv[1:])
