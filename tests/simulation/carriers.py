"""What services and gateways do to the metadata of a job, instead of keeping it as it was sent."""

from collections.abc import Callable, Mapping

Alteration = Callable[[Mapping[str, str]], object]

DIGEST = "reconciler-digest"

ALTERATIONS: dict[str, Alteration] = {
    "null": lambda _: None,
    "empty": lambda _: {},
    "of a gateway": lambda _: {"trace": "1"},
    "upper-case keys": lambda marks: {name.upper(): value for name, value in marks.items()},
    "underscores": lambda marks: {name.replace("-", "_"): value for name, value in marks.items()},
    "lower-case values": lambda marks: {name: value.lower() + "." * (value.islower()) for name, value in marks.items()},
    "upper-case values": lambda marks: {name: value.upper() for name, value in marks.items()},
    "cut values": lambda marks: {name: value[:20] for name, value in marks.items()},
    "cut keys": lambda marks: {name[:16]: value for name, value in marks.items()},
    "without the digest": lambda marks: {name: value for name, value in marks.items() if name != DIGEST},
    "a text": str,
}
"""Every alteration by name: dropped, renamed, changed, cut, in other letters, of another type."""
