"""The profiles file of a machine: what it may say, and what is wrong with it, at its place."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.domain.errors import InputError, UsageError
from reconciler.domain.spec import Format, ProfileSpec
from reconciler.specfile import read_profiles, schema_text

WHOLE = """\
apiVersion: reconciler/v1
kind: Profile
name: acme-gateway
like: compatible
url: https://llm.acme.example/v1
key_variable: ACME_KEY
key_header: api-key
query: {scope: mine}
bases: [acme-small]
lists_all_bases: true
methods: [supervised]
formats: [chat]
hyperparameters: [n_epochs]
missing_fields: [seed]
suffix_length: 40
max_file_bytes: 1000
keeps_notes: false
neutral_methods: [supervised]
closes_on: "2027-06-01"
retiring: {acme-small: "2027-06-30"}
bounds: {list_lag: 120}
---
kind: Profile
name: plain
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "profiles.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_profiles(write(tmp_path, text))
    return [str(problem).removeprefix(tmp_path.as_posix() + "/") for problem in caught.value.problems]


def test_every_field_of_the_schema_is_read(tmp_path: Path) -> None:
    whole, plain = read_profiles(write(tmp_path, WHOLE))
    assert plain == ProfileSpec(name="plain")
    fields = set(json.loads(schema_text("profiles"))["properties"]) - {"apiVersion", "kind"}
    assert fields == set(ProfileSpec.__struct_fields__)
    assert all(getattr(whole, name) is not None for name in fields)
    assert (whole.formats, whole.bounds) == ((Format.CHAT,), {"list_lag": 120})


def test_the_schema_is_valid_and_every_field_is_described() -> None:
    schema = json.loads(schema_text("profiles"))
    Draft202012Validator.check_schema(schema)
    for name, field in schema["properties"].items():
        assert field["description"].endswith("."), name
        for example in field["examples"]:
            Draft202012Validator(field).validate(example)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("kind: Profile\nname: x\nkey: abc\n", ("profiles.yaml:3:1", "key")),
        ("kind: Profile\nname: x\nkey_variable: sk-1-2\n", ("profiles.yaml:3:15", "an environment variable")),
        ("kind: Profile\nname: Acme Gateway\n", ("profiles.yaml:2:7", "small letters")),
        ("kind: Profile\nname: x\nbounds: {lag: 3}\n", ("profiles.yaml:3:10", "lag")),
        ("kind: Profile\nname: x\nclosed_on: '2027-01-01'\n", ("profiles.yaml:3:1", "closes_on")),
        ("kind: Profile\nurl: https://x.example\n", ("profiles.yaml:1:1", "name")),
        ("kind: Model\nname: x\n", ("profiles.yaml:1:7", "Profile")),
        ("kind: Profile\nname: [x\n", ("profiles.yaml:", "")),
    ],
)
def test_a_mistake_is_shown_at_its_place(tmp_path: Path, text: str, wrong: tuple[str, str]) -> None:
    shown = problems_of(tmp_path, text)
    assert any(each.startswith(wrong[0]) and wrong[1] in each for each in shown), shown


def test_a_name_that_is_described_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="describes x twice"):
        read_profiles(write(tmp_path, "kind: Profile\nname: x\n---\nkind: Profile\nname: x\n"))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_profiles(tmp_path)
    with pytest.raises(UsageError, match="No such file"):
        read_profiles(tmp_path / "none.yaml")
