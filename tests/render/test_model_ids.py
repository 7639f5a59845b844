"""Ids of models for other programs: exact, and unable to break out of their line."""

import json
import subprocess

import pytest

from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.lock import LockEntry
from reconciler.domain.observed import JobId, ModelId
from reconciler.render import ModelIdFormat, model_ids_text
from tests.factories import a_digest


def locked(name: str = "support-triage", model: str = "ft:gpt-4.1-mini-2025-04-14:acme::AxK9") -> LockEntry:
    """A model that answers."""
    return LockEntry(
        stamp=Stamp(Address(Kind.MODEL, name), a_digest()),
        provider="openai",
        service="api.example.test",
        job=JobId("ftjob-A1"),
        model=ModelId(model),
        finished_at=1_790_000_000,
    )


ID = "ft:gpt-4.1-mini-2025-04-14:acme::AxK9"
BOTH = (locked("router", "ft:router"), locked())


def test_one_id_is_all_there_is() -> None:
    assert model_ids_text((locked(),), ModelIdFormat.PLAIN) == f"{ID}\n"


def test_several_ids_have_their_names() -> None:
    assert model_ids_text(BOTH, ModelIdFormat.PLAIN) == f"router          ft:router\nsupport-triage  {ID}\n"


def test_without_models_every_format_is_empty() -> None:
    assert [model_ids_text((), each) for each in ModelIdFormat] == ["", "{}\n", "", ""]


def test_json_has_everything_that_is_known() -> None:
    assert json.loads(model_ids_text((locked(),), ModelIdFormat.JSON)) == {
        "support-triage": {
            "model": ID,
            "job": "ftjob-A1",
            "digest": str(a_digest()),
            "provider": "openai",
            "service": "api.example.test",
            "finished_at": 1_790_000_000,
        }
    }


def test_dotenv() -> None:
    assert model_ids_text(BOTH, ModelIdFormat.ENV) == f"ROUTER_MODEL=ft:router\nSUPPORT_TRIAGE_MODEL={ID}\n"
    assert model_ids_text((locked("3d-triage", "m"),), ModelIdFormat.ENV) == "_3D_TRIAGE_MODEL=m\n"


@pytest.mark.parametrize(
    "model", ["a b", "$(touch owned)", "`id`", "it's", 'a"b', "a;b", "a\\b", "a#b", "${HOME}", "*"]
)
def test_sourcing_gives_the_id_and_does_nothing_else(model: str) -> None:
    script = model_ids_text((locked("triage", model),), ModelIdFormat.ENV) + 'printf %s "$TRIAGE_MODEL"'

    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True, text=True).stdout == model


def test_an_id_cannot_bring_a_line_of_its_own() -> None:
    evil = (locked("triage", "a\nPATH=/evil"),)

    assert model_ids_text(evil, ModelIdFormat.ENV) == "TRIAGE_MODEL='a\\nPATH=/evil'\n"
    assert model_ids_text(evil, ModelIdFormat.PLAIN) == "a\\nPATH=/evil\n"


def test_github() -> None:
    assert model_ids_text(BOTH, ModelIdFormat.GITHUB, delimiter="d-81") == f"router=ft:router\nsupport-triage={ID}\n"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x85", "\u2028"])
def test_several_lines_stand_between_delimiters(end: str) -> None:
    evil = (locked("triage", f"a{end}other=1"),)

    assert model_ids_text(evil, ModelIdFormat.GITHUB, delimiter="d-81") == f"triage<<d-81\na{end}other=1\nd-81\n"


@pytest.mark.parametrize("delimiter", ["", "d-81"])
def test_a_delimiter_that_does_not_protect_is_refused(delimiter: str) -> None:
    evil = (locked("triage", "a\nd-81\nother=1"),)

    with pytest.raises(ValueError, match="triage"):
        model_ids_text(evil, ModelIdFormat.GITHUB, delimiter=delimiter)
