"""Profiles that an operator describes: what they take over, and where their keys go."""

import httpx
import pytest

from reconciler.domain.errors import DeniedError, UsageError
from reconciler.domain.spec import Format, ProfileSpec
from reconciler.providers import PROFILES, Profile, ProfileCatalog, open_provider
from tests.providers.fakes import Bottom

GATEWAY = ProfileSpec(name="acme-gateway", url="https://llm.acme.example/v1")


def make(spec: ProfileSpec) -> Profile:
    return ProfileCatalog(lambda: (spec,)).find(spec.name)


def send_one(profile: Profile, environ: dict[str, str]) -> httpx.Request:
    bottom = Bottom(httpx.Response(200, json={"data": [], "has_more": False}))
    with open_provider(profile, project="acme", environ=environ, transport=bottom) as provider:
        provider.list_jobs()
    return bottom.asked[0]


def test_the_rest_is_as_the_profile_that_it_is_like() -> None:
    found, usual = make(GATEWAY), PROFILES["compatible"]
    assert (found.dialect, found.capabilities) == (usual.dialect, usual.capabilities)
    assert make(ProfileSpec(name="mine", like="openai")).key_variable == "OPENAI_API_KEY"


def test_what_is_stated_replaces_what_the_other_says() -> None:
    spec = ProfileSpec(
        name="mine",
        bases=("acme-small",),
        lists_all_bases=True,
        methods=("supervised",),
        formats=(Format.CHAT,),
        hyperparameters=("n_epochs",),
        missing_fields=("seed",),
        suffix_length=0,
        max_file_bytes=1000,
        keeps_notes=True,
        closes_on="2027-06-01",
        retiring={"acme-small": "2027-06-30"},
        bounds={"list_lag": 300.0},
        neutral_methods=("supervised",),
    )
    taken = make(spec).capabilities
    assert taken.bases == {"acme-small"}
    assert taken.formats == {Format.CHAT}
    assert taken.retiring == (("acme-small", "2027-06-30"),)
    assert taken.list_lag_seconds == 300.0
    for name in ("lists_all_bases", "methods", "hyperparameters", "missing_fields", "suffix_length", "closes_on"):
        assert getattr(taken, name) == getattr(spec, name)
    assert (taken.max_file_bytes, taken.keeps_notes, taken.neutral_methods) == (1000, True, ("supervised",))


def test_the_dates_of_another_service_are_not_those_of_an_address_of_one_s_own() -> None:
    here = make(ProfileSpec(name="mine", like="openai", url="https://llm.acme.example/v1")).capabilities
    assert (here.closes_on, here.retiring) == ("", ())
    assert make(ProfileSpec(name="mine", like="openai")).capabilities.closes_on == "2027-01-06"


def test_the_key_of_another_service_never_goes_to_an_address_of_one_s_own() -> None:
    profile = make(ProfileSpec(name="mine", like="openai", url="https://llm.acme.example/v1"))
    with pytest.raises(DeniedError, match="MINE_API_KEY is not set"):
        send_one(profile, {"OPENAI_API_KEY": "key-of-openai", "OPENAI_ORG_ID": "org-openai"})
    sent = send_one(profile, {"OPENAI_API_KEY": "key-of-openai", "OPENAI_ORG_ID": "org-x", "MINE_API_KEY": "key-mine"})
    assert sent.url.host == "llm.acme.example"
    assert sent.headers["authorization"] == "Bearer key-mine"
    assert "openai-organization" not in sent.headers


def test_a_key_can_go_in_a_header_of_its_own_and_each_request_can_bear_more() -> None:
    spec = ProfileSpec(
        name="mine",
        url="https://llm.acme.example/v1",
        key_variable="THE_KEY",
        key_header="api-key",
        query={"api-version": "preview", "scope": "a b"},
    )
    sent = send_one(make(spec), {"THE_KEY": "key-mine"})
    assert sent.headers["api-key"] == "key-mine"
    assert "authorization" not in sent.headers
    assert dict(sent.url.params).items() >= {"api-version": "preview", "scope": "a b"}.items()
    assert "limit" in dict(sent.url.params)


def test_the_variable_of_the_address_replaces_the_one_of_the_file() -> None:
    environ = {"ACME_GATEWAY_API_KEY": "key-mine", "ACME_GATEWAY_BASE_URL": "http://127.0.0.1:8000/v1"}
    assert send_one(make(GATEWAY), environ).url.host == "127.0.0.1"


@pytest.mark.parametrize("url", ["http://llm.acme.example/v1", "ftp://llm.acme.example", "https://user:pass@x.example"])
def test_an_address_that_may_not_carry_a_key_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="the url of the profile mine"):
        send_one(make(ProfileSpec(name="mine", url=url)), {"MINE_API_KEY": "key-mine"})


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (ProfileSpec(name="openai", url="https://llm.acme.example/v1"), "is built in and cannot be described anew"),
        (ProfileSpec(name="mine", like="local"), "runs inside this program; write `like: compatible`"),
        (ProfileSpec(name="mine", like="nix"), "like nix, and there is none; there are azure, compatible, local"),
        (ProfileSpec(name="mine", like="mine"), "like mine, and there is none"),
        (ProfileSpec(name="mine", bounds={"send": 0.0}), "the bound send cannot be 0 seconds"),
    ],
)
def test_a_profile_that_cannot_be_used_is_an_error(spec: ProfileSpec, why: str) -> None:
    catalog = ProfileCatalog(lambda: (spec,))
    with pytest.raises(UsageError, match=why):
        catalog.find("mine")


def test_the_operator_s_file_is_not_read_for_a_built_in_name() -> None:
    def read() -> tuple[ProfileSpec, ...]:
        raise AssertionError("read for a built-in name")

    assert ProfileCatalog(read).find("openai") is PROFILES["openai"]
    assert "openai" in ProfileCatalog(read)


def test_the_names_are_listed_with_those_of_the_operator() -> None:
    catalog = ProfileCatalog(lambda: (GATEWAY,))
    assert {*PROFILES, "acme-gateway"} <= set(catalog)
    assert "acme-gateway" in catalog
    assert len(catalog) == len(list(catalog))
    with pytest.raises(UsageError, match="there are acme-gateway, azure, compatible"):
        catalog.find("acme")
