"""What of a stamp goes into the name of a model: `‹slug›-‹12 hex›`, in all the room a service gives. Pure.

The twelve hex digits are never cut; the slug is what people read, and is cut to what is left. A slug with fewer letters
than there was room for is the whole name. One that fills the room may be the beginning of any longer name, so it is
never taken for a name by itself.
"""

import re

import msgspec

from reconciler.domain.identity import DIGEST_VERSION, NAME_PATTERN, SHORT_HEX, Address, Digest, Kind, Stamp
from reconciler.domain.observed import ModelId

LONGEST_SLUG = 20
"""Letters of a name that are shown at most; more would only push the date out of sight."""

_FILLER = "x"
_DATE = r"-[0-9]{4}(?:-[0-9]{2}){5}"
_MADE = re.compile(rf".*:ft-[^:]*:([^:]*?){_DATE}", re.DOTALL)
_OURS = re.compile(rf"(?:({NAME_PATTERN})-)?([0-9a-f]{{{SHORT_HEX}}})")


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """What the name of a model says of us.

    Shape:  `slug` may be a name, or the beginning of one; `digest` has 12 hex digits
    """

    slug: str
    digest: Digest

    def may_be(self, stamp: Stamp, suffix_length: int) -> bool:
        """Return whether a model of this stamp would have been named so."""
        return self.digest.agrees(stamp.digest) and self.slug == slug_of(stamp.address.name, room_of(suffix_length))

    def stamp(self, suffix_length: int) -> Stamp | None:
        """Return the stamp, as far as its digest was carried; None where the slug may be cut."""
        if not 0 < len(self.slug) < room_of(suffix_length):
            return None
        return Stamp(Address(Kind.MODEL, self.slug), self.digest)


def room_of(suffix_length: int) -> int:
    """Count the letters that a slug may have beside the digits and a dash."""
    return max(0, min(LONGEST_SLUG, suffix_length - SHORT_HEX - 1))


def slug_of(name: str, room: int) -> str:
    """Return what stands for a name: itself where it fits, else exactly as many letters as there is room for.

    Services make one dash of several, so a name with a double dash counts as one that does not fit.
    """
    if len(name) <= room and "--" not in name:
        return name
    return re.sub("-+", "-", name)[:room].rstrip("-").ljust(room, _FILLER)


def suffix_of(stamp: Stamp, suffix_length: int) -> str:
    """Return the suffix that carries a stamp; empty where not even the digits fit."""
    if suffix_length < SHORT_HEX:
        return ""
    slug = slug_of(stamp.address.name, room_of(suffix_length))
    return f"{slug}-{stamp.digest.short}" if slug else stamp.digest.short


def read_carried(model: ModelId | None) -> Carried | None:
    """Read what a model's name carries, `‹base›:ft-‹org›:‹suffix›-‹date›`; None when its suffix is none of ours."""
    made = _MADE.fullmatch(model or "")
    ours = _OURS.fullmatch(made[1]) if made else None
    return Carried(slug=ours[1] or "", digest=Digest(DIGEST_VERSION, ours[2])) if ours else None
