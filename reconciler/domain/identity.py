"""Names, digests and stamps: what a thing is called, what its content is, and whether it is ours."""

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum

import msgspec

DIGEST_VERSION = "v1"
"""The rules by which the bytes of rows and the facts of a model become a digest."""

NEUTRAL_VERSION = "v2"
"""The same rules for a model whose validation rows change no weights: that there are some counts, their content does
not."""

KNOWN_VERSIONS = frozenset({DIGEST_VERSION, NEUTRAL_VERSION})
"""The versions that this program writes and reads. An object with another one was made by a newer program."""

SHORT_HEX = 12
"""Hex digits of a digest that fit a file name or a suffix: 48 bits, beside the name that they belong to."""

NAME_PATTERN = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
"""Names in specs: what every service takes in a suffix, at most 63 characters."""

_DIGEST = re.compile(r"(v[0-9]+):([0-9a-f]{12,64})")
_CARRIED = re.compile(rf"({NAME_PATTERN}(?:\.validation)?)-([0-9a-f]{{{SHORT_HEX}}})\.jsonl")


class Kind(StrEnum):
    """The kinds of things that have an address."""

    DATASET = "dataset"
    MODEL = "model"


class Address(msgspec.Struct, frozen=True, order=True):
    """The name that an author gives to a thing. It stays while the content changes: `model/support-triage`."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Address | None":
        """Return the address that `kind/name` names; None when the text is not one."""
        kind, _, name = text.partition("/")
        return cls(Kind(kind), name) if kind in set(Kind) and re.fullmatch(NAME_PATTERN, name) else None


class Digest(msgspec.Struct, frozen=True, order=True):
    """SHA-256 over canonical bytes, with the version of the rules that made them canonical.

    Shape:  `hex` has 64 digits, or fewer (at least 12) where a carrier is too short
    """

    version: str
    hex: str

    def __str__(self) -> str:
        return f"{self.version}:{self.hex}"

    @property
    def short(self) -> str:
        """The first 12 hex digits, for names and for people."""
        return self.hex[:SHORT_HEX]

    @property
    def is_known(self) -> bool:
        """Whether this program has the rules of the version."""
        return self.version in KNOWN_VERSIONS

    def agrees(self, other: "Digest") -> bool:
        """Return whether both name the same content, compared in the length of the shorter one.

        Versions are not compared: a short carrier has no room for one, and two rules never give one digest.
        """
        return self.hex.startswith(other.hex) or other.hex.startswith(self.hex)

    @classmethod
    def parse(cls, text: str) -> "Digest | None":
        """Return the digest that `v1:hex` names; None when the text is not one."""
        found = _DIGEST.fullmatch(text)
        return cls(found[1], found[2]) if found else None


class Stamp(msgspec.Struct, frozen=True, order=True):
    """Address and digest. We write it on every remote object that we create; it is the only proof that it is ours."""

    address: Address
    digest: Digest

    def __str__(self) -> str:
        return f"{self.address}@{self.digest.short}"

    def agrees(self, other: "Stamp") -> bool:
        """Return whether both stamps name the same thing with the same content."""
        return self.address == other.address and self.digest.agrees(other.digest)

    @property
    def filename(self) -> str:
        """The name under which a dataset of this stamp is uploaded. Every service returns it."""
        return f"{self.address.name}-{self.digest.short}.jsonl"

    @classmethod
    def of_filename(cls, filename: str) -> "Stamp | None":
        """Return the stamp that a file name carries; None when it carries none."""
        found = _CARRIED.fullmatch(filename)
        return cls(Address(Kind.DATASET, found[1]), Digest(DIGEST_VERSION, found[2])) if found else None


def canonical_json(value: object) -> bytes:
    """Return a JSON value in its canonical form: sorted keys, no spaces, UTF-8, whole floats as integers."""
    plain = _normalize(value)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(facts: Mapping[str, object], version: str = DIGEST_VERSION) -> Digest:
    """Return the digest of a set of facts; `version` names the rule that chose them.

    Raises: ValueError for NaN or infinity, which JSON cannot hold
    """
    return Digest(version, hashlib.sha256(canonical_json(facts)).hexdigest())


def _normalize(value: object) -> object:
    # 2 and 2.0 are the same number in JSON and for every service, so they are the same in a digest.
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _normalize(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normalize(item) for item in value]
    return value


class Tagged(msgspec.Struct, frozen=True, tag_field="is", tag=True):
    """A member of a closed union. Where it is written, the field `is` names its class."""


class PartiallyCompared(msgspec.Struct, frozen=True, eq=False):
    """A value that equals another when what `compared` returns is equal.

    A struct brings its own `!=`, so all three comparisons are defined together.
    """

    def comparison_key(self) -> object:
        """Return the part of the value that is compared."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.comparison_key() == other.comparison_key()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.comparison_key())
