"""An answer of a model that is not whole is printed, and the person learns why it ended."""

import json
import socket
import threading
from pathlib import Path

import pytest

from reconciler.cli.app import run as run_command
from tests.acceptance.test_time_is_up import serving

pytestmark = pytest.mark.loopback


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ("stop", 0, ""),
        ("length", 0, "the answer was cut"),
        ("tool_calls", 0, "the call of a tool"),
        ("content_filter", 1, "content filter"),
    ],
)
def test_an_answer_that_is_not_whole_says_so(
    reason: str,
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = json.dumps({"choices": [{"message": {"content": "a part"}, "finish_reason": reason}]}).encode()

    def answer(connection: socket.socket, _: threading.Event) -> None:
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head.encode() + body)

    monkeypatch.chdir(tmp_path)
    with serving(answer) as port:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "key-of-a-test")
        found = run_command(["run", "ft:base:acme:name:1", "--provider", "openai", "-p", "hello"])
    captured = capsys.readouterr()
    assert found == code
    assert captured.out == "a part\n"
    assert words in captured.err
    assert ("Warning:" in captured.err) == bool(words)
