"""Whether the service that answers is the one the specs are meant for. The specs direct nothing; they only expect."""

from collections.abc import Iterator

from reconciler.domain.observed import Observed
from reconciler.domain.spec import Expect


def mismatches(expect: Expect, seen: Observed) -> Iterator[str]:
    """Say in words, one for each, what is another than expected, or not said although it is expected."""
    told = {
        "organization": (expect.organization, seen.organization),
        "project": (expect.project, seen.project),
        "region": (expect.region, seen.region),
        "host": (expect.host, seen.host),
    }
    for what, (right, found) in told.items():
        if right and found is None:
            yield f"the service does not say its {what}, and {' or '.join(right)} is expected"
        elif right and found is not None and _plain(what, found) not in {_plain(what, each) for each in right}:
            yield f"the {what} is {found}, and {' or '.join(right)} is expected"


def _plain(what: str, name: str) -> str:
    # Ids are what they are. A host has no case, and one region is written in several ways: Sweden Central.
    match what:
        case "host":
            return name.casefold()
        case "region":
            return name.casefold().replace(" ", "")
        case _:
            return name
