"""A stamp in the name of a model: within the length limit, and never read from another name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.identity import NAME_PATTERN, Address, Kind, Stamp
from reconciler.domain.observed import ModelId
from reconciler.providers.openai_legacy.labels import read_carried, slug_length, slug_of, suffix_of
from tests.factories import a_digest
from tests.providers.fakes import anything

NAMES = st.from_regex(NAME_PATTERN, fullmatch=True)
LENGTHS = st.integers(min_value=0, max_value=64)


def stamped(name: str, of: str = "rows") -> Stamp:
    return Stamp(Address(Kind.MODEL, name), a_digest(of))


def named(suffix: str, base: str = "ada:ft-acme") -> ModelId:
    return ModelId(f"{base}:{suffix}-2022-02-15-04-21-04")


def test_what_a_suffix_looks_like() -> None:
    stamp = stamped("support-triage")
    digits = stamp.digest.short
    assert suffix_of(stamp, 40) == f"support-triage-{digits}"
    assert suffix_of(stamp, 18) == f"suppo-{digits}"
    assert suffix_of(stamp, 13) == suffix_of(stamp, 12) == digits
    assert suffix_of(stamp, 11) == ""
    assert suffix_of(stamped("a-name-of-many-letters-indeed"), 40) == f"a-name-of-many-lette-{digits}"


@anything
@given(NAMES, LENGTHS)
def test_a_suffix_fits_and_keeps_all_its_digits(name: str, length: int) -> None:
    suffix = suffix_of(stamped(name), length)
    assert len(suffix) <= min(length, 40)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", suffix) or not suffix, "services would write it otherwise"
    assert suffix.endswith(a_digest().short) or length < 12


@anything
@given(NAMES, LENGTHS, st.text(max_size=4))
def test_a_name_is_read_back_in_full_or_not_at_all(name: str, length: int, of: str) -> None:
    """No name is invented from a shortened one."""
    stamp = stamped(name, of)
    carried = read_carried(named(suffix_of(stamp, length)))
    if carried is None:
        assert length < 12
        return
    assert carried.may_be(stamp, length)
    read = carried.stamp(length)
    assert read is None or read.agrees(stamp)
    assert (read is not None) == (len(name) < slug_length(length) and "--" not in name)


@anything
@given(NAMES, NAMES, LENGTHS)
def test_two_names_with_one_slug_are_never_identified_by_it(one: str, other: str, length: int) -> None:
    length_left = slug_length(length)
    if one != other and slug_of(one, length_left) == slug_of(other, length_left):
        carried = read_carried(named(f"{slug_of(one, length_left)}-{a_digest().short}"))
        assert carried is None or carried.stamp(length) is None


@pytest.mark.parametrize(
    "model",
    [
        None,
        "curie",
        "ada:ft-acme-2022-02-15-04-21-04",
        "ada:ft-acme:triage-2022-02-15-04-21-04",
        "ada:ft-acme:triage-0123456789ab",
        "ada:ft-acme:triage-0123456789AB-2022-02-15-04-21-04",
        "ada:ft-acme:-0123456789ab-2022-02-15-04-21-04",
        "ada:ft-acme:a:triage-0123456789ab-2022-02-15-04-21-04\n",
        "ft:gpt-4o:acme:triage-0123456789ab:abc",
    ],
)
def test_a_foreign_suffix_carries_no_stamp(model: str | None) -> None:
    assert read_carried(ModelId(model) if model else None) is None


def test_a_model_made_from_a_fine_tuned_one_is_read_by_its_last_suffix() -> None:
    stamp = stamped("ft-x")
    carried = read_carried(named(suffix_of(stamp, 40), base="ada:ft-acme:other-2022-01-01-00-00-00:ft-acme"))
    assert carried is not None
    assert carried.may_be(stamp, 40)
