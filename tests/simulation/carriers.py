"""What services and gateways do to the metadata of a job and to the names of files, instead of keeping them."""

from collections.abc import Callable, Mapping

Alteration = Callable[[Mapping[str, str]], object]

NameAlteration = Callable[[str], str | None]

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

NAME_ALTERATIONS: dict[str, NameAlteration] = {
    "null": lambda _: None,
    "empty": lambda _: "",
    "one for all": lambda _: "upload.jsonl",
    "upper-case": str.upper,
    "underscores": lambda name: name.replace(".", "_").replace("-", "_"),
    "with a prefix": lambda name: f"7f3a-{name}",
    "with a folder": lambda name: f"uploads/{name}",
    "without its ending": lambda name: name.removesuffix(".jsonl"),
    "cut to 100": lambda name: name[:100],
    "cut to 20": lambda name: name[:20],
    "labels only": lambda name: "upload.jsonl" if name.startswith("reconciler.") else name,
    "rows only": lambda name: name if name.startswith("reconciler.") else "upload.jsonl",
}
"""Every alteration of a name of a file by name. The longest are those of labels, and are cut first."""
