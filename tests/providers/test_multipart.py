"""An upload's body, byte by byte."""

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import HTTP

import pytest

from reconciler.domain.errors import StalePlanError
from reconciler.providers.http.client import Multipart


def body_of(*blocks: bytes, size: int, filename: str = "tickets-0123456789ab.jsonl") -> Multipart:
    return Multipart(
        fields={"purpose": "fine-tune"}, filename=filename, size_bytes=size, blocks=iter(blocks), boundary="edge"
    )


def test_the_bytes_of_the_body() -> None:
    body = body_of(b'{"a": 1}\n', b'{"b": 2}\n', size=18)
    assert b"".join(body) == (
        b"--edge\r\n"
        b'Content-Disposition: form-data; name="purpose"\r\n'
        b"\r\n"
        b"fine-tune\r\n"
        b"--edge\r\n"
        b'Content-Disposition: form-data; name="file"; filename="tickets-0123456789ab.jsonl"\r\n'
        b"Content-Type: application/octet-stream\r\n"
        b"\r\n"
        b'{"a": 1}\n{"b": 2}\n'
        b"\r\n--edge--\r\n"
    )


def test_the_length_is_known_before() -> None:
    announced = body_of(b"x" * 1000, size=1000).headers["content-length"]
    assert int(announced) == len(b"".join(body_of(b"x" * 1000, size=1000)))


def test_a_mail_parser_reads_the_body() -> None:
    body = body_of(b"rows\n", size=5)
    head = f"Content-Type: {body.headers['content-type']}\r\n\r\n"
    message = message_from_bytes(head.encode() + b"".join(body), policy=HTTP)
    purpose, file = message.iter_parts()
    assert purpose.get_content() == "fine-tune"
    assert file.get_filename() == "tickets-0123456789ab.jsonl"
    assert file.get_content() == b"rows\n"


def test_blocks_are_read_one_at_a_time() -> None:
    drawn: list[int] = []

    def blocks() -> Iterator[bytes]:
        for number in range(3):
            drawn.append(number)
            yield b"x"

    parts = iter(Multipart(fields={}, filename="f", size_bytes=3, blocks=blocks(), boundary="b"))
    next(parts)
    assert drawn == []
    next(parts)
    assert drawn == [0]


@pytest.mark.parametrize("size", [17, 19])
def test_an_upload_of_changed_rows_is_never_complete(size: int) -> None:
    """More or fewer bytes than measured: the body breaks off before its last boundary."""
    sent: list[bytes] = []
    with pytest.raises(StalePlanError, match="plan again") as caught:
        sent.extend(body_of(b'{"a": 1}\n', b'{"b": 2}\n', size=size))
    assert b"--edge--" not in b"".join(sent)
    assert caught.value.moved == ("specs",)


def test_a_file_name_cannot_add_headers() -> None:
    body = b"".join(body_of(size=0, filename='a"\r\nX-Evil: 1.jsonl'))
    assert b'filename="a%22%0D%0AX-Evil: 1.jsonl"' in body
