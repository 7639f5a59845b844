"""How a service is to behave, beyond where its store lies. Loads nothing."""

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from reconciler.service.webhook import Webhook


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever starts the service may choose.

    Shape:  `show_paused` lets paused jobs say `paused`, a word that strict clients do not know; `seeds` names a set of
            objects that are always there; `requests_per_minute` is counted, and refused beyond
    """

    show_paused: bool = False
    seeds: str | None = None
    requests_per_minute: int | None = None
    webhook: "Webhook | None" = None
