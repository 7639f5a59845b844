"""Secrets and personal data in texts: found with their place, judged by their checksum, and masked."""

import base64
import json
from pathlib import Path

import pytest

from reconciler.dataset.sensitive.personal_data import find_personal_data, passes_luhn, passes_mod97
from reconciler.domain.errors import Severity
from reconciler.domain.expectations import Allowance, OptionalCheck
from reconciler.foundation.secret_shapes import entropy, find_secrets
from tests.dataset.factories import a_chat, only, rules

from .factories import LETTERS, found, github_token, noise, says


def web_token(header: object) -> str:
    parts = [json.dumps(header), json.dumps({"sub": "somebody at all"})]
    return ".".join([*(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts), noise(40)])


UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SECRETS = [
    "AK" + "IA" + noise(16, UPPER),
    "xox" + "b-" + noise(40),
    "s" + "k-proj-" + noise(48),
    "s" + "k_live_" + noise(24),
    "AI" + "za" + noise(35),
    "gl" + "pat-" + noise(20),
    "h" + "f_" + noise(34),
    "S" + "G." + noise(22) + "." + noise(43),
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "postgres://admin:" + noise(12) + "@db.test/x",
    web_token({"alg": "HS256"}),
]


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret[:4])
def test_text_that_looks_like_a_secret_is_a_warning_and_masked(tmp_path: Path, secret: str) -> None:
    problems = found(tmp_path, [a_chat("hi", f"use {secret} here")])
    problem = only(problems, "text.secret")
    assert problem.severity is Severity.WARNING
    assert (problem.where.line, problem.path) == (11, "messages[1].content")
    assert secret not in str(problems)
    assert secret[8:] not in str(problems)


def test_a_right_checksum_is_an_error_and_a_wrong_one_a_warning(tmp_path: Path) -> None:
    assert only(found(tmp_path, [says(f"token {github_token()} ok")]), "text.secret").severity is Severity.ERROR
    wrong = only(found(tmp_path, [says(f"token {github_token(right=False)} ok")]), "text.secret")
    assert wrong.severity is Severity.WARNING


@pytest.mark.parametrize(
    "text",
    [
        "AK" + "IA" + "A" * 16,
        "s" + "k-" + "x" * 48,
        web_token({"typ": "none"}),
        "eyJ" + noise(20),
        "a task-force-of-many-people-who-meet-on-mondays",
        "https://example.test/a:b@c",
        noise(400, LETTERS),
    ],
)
def test_text_that_only_begins_like_a_secret_is_no_finding(text: str) -> None:
    assert list(find_secrets(text)) == []


def test_secrets_within_calls_and_tools_are_found_too(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "f", "description": f"with {SECRETS[0]}"}}
    problem = only(found(tmp_path, [{**a_chat(), "tools": [tool]}]), "text.secret")
    assert problem.path == "tools[0].function.description"


def test_an_allowance_counts_and_gives_its_reason(tmp_path: Path) -> None:
    rows = [a_chat(SECRETS[0], "a"), a_chat(SECRETS[1], "b")]
    allow = [Allowance(rule="text.secret", reason="revoked long ago", lines=(11,))]
    problems = found(tmp_path, rows, allow=allow)
    assert only(problems, "text.secret").where.line == 12
    assert only(problems, "rows.allowed").what == "1 finding of text.secret allowed: revoked long ago"
    unused = only(found(tmp_path, [], allow=allow), "rows.unused-allowance")
    assert unused.severity is Severity.INFO


def test_an_allowed_error_is_not_fatal(tmp_path: Path) -> None:
    allow = [Allowance(rule="text.secret", reason="made up")]
    assert rules(found(tmp_path, [says(github_token())], allow=allow)) == ["rows.allowed"]


CARD, ACCOUNT = "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"
PERSONAL = [
    (f"pay with {CARD}.", "a payment card"),
    ("amex 378282246310005", "a payment card"),
    (f"to {ACCOUNT} TODAY", "a bank account"),
    ("GB82WEST12345698765432", "a bank account"),
    ("write to jane.doe@somewhere.net", "an e-mail address"),
    ("call +49 (30) 1234-5678", "a telephone number"),
    ("ssn 123-45-6789", "a social security number"),
    ("NI number QA 12 34 56 C".replace("QA", "JA"), "a national insurance number"),
    ("030 901820 14 Berlin, Tel.", "a telephone number"),
    ("john (at) gmail.com", "an e-mail address"),
]


@pytest.mark.parametrize(("text", "kind"), PERSONAL)
def test_personal_data_is_found_and_masked(tmp_path: Path, text: str, kind: str) -> None:
    problems = found(tmp_path, [says(text)], looks=[OptionalCheck.PERSONAL_DATA])
    shown = [problem for problem in problems if problem.rule == "text.personal-data"]
    assert shown
    assert all(kind in problem.what for problem in shown)
    assert not any(part in str(shown) for part in ("4111", "3704", "jane", "1234", "6789", "901820", "john"))
    assert "text.personal-data" not in rules(found(tmp_path, [says(text)]))


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "order 1234567890123456",
        "9999999999999995",
        "DE88 3704 0044 0532 0130 00",
        "XX89 3704 0044 0532 0130 00",
        "joe@example.com",
        "me@host.test",
        "a@b",
        "1 + 1 = 2",
        "3.14159265358979323846",
        "+12",
    ],
)
def test_numbers_and_words_that_are_not_personal_are_no_findings(text: str) -> None:
    assert list(find_personal_data(text)) == []


def test_check_digits() -> None:
    assert passes_luhn("79927398713")
    assert not passes_luhn("79927398710")
    assert passes_mod97("GB82WEST12345698765432")
    assert not passes_mod97("GB83WEST12345698765432")
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2


@pytest.mark.parametrize(
    "token", ["<|im_start|>", "<|endoftext|>", "<|eot_id|>", "[INST]", "[/INST]", "<<SYS>>", "<end_of_turn>"]
)
def test_every_reader_reports_reserved_tokens(tmp_path: Path, token: str) -> None:
    for row in (
        a_chat(f"a {token} b"),
        {**a_chat(f"a {token} b"), "tools": [{"type": "function", "function": {"name": "f"}}]},
    ):
        problem = only(found(tmp_path, [row]), "text.reserved-token")
        assert (problem.where.line, problem.path) == (11, "messages[0].content")
        assert token in problem.what


@pytest.mark.parametrize("text", ["a [inst] b", "an end_of_turn", "a <| b", "<|>", "<| im_start |>", "|<", "x || y"])
def test_bars_alone_are_no_tokens(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, [says(text)]) == ()
