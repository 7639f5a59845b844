"""The documents agree with the program: each text that can be generated is generated and compared."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.acceptance.conftest import Repository

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_blocks(language: str) -> list[str]:
    """The fenced blocks of the README in one language, in order."""
    return [body for name, body in FENCE.findall(README) if name == language]


def read_golden(path: str, text: str) -> str:
    """Return a golden file; write it first where an update was requested."""
    file = ROOT / path
    if os.environ.get("REFRESH_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8")


def test_the_readme_shows_the_quickstart_spec_and_it_is_short() -> None:
    shown, *_ = read_blocks("yaml")
    assert shown == (ROOT / "specs/quickstart/support-triage.yaml").read_text(encoding="utf-8")
    assert len(shown.splitlines()) < 10


def test_the_readme_shows_the_output_of_the_commands(quickstart: Repository) -> None:
    plan = quickstart.run("plan", "specs/quickstart").out
    assert quickstart.run("apply", "specs/quickstart", "--auto-approve").code == 0
    nothing = quickstart.run("plan", "specs/quickstart").out
    command = ["run", "support-triage", "-p", "my card has not arrived yet"]
    answer = quickstart.run(*command).out
    run = f'$ reconciler run support-triage -p "{command[-1]}"\n{answer}'
    assert read_golden("tests/golden/readme/plan.txt", plan) == plan
    assert read_golden("tests/golden/readme/no-changes.txt", nothing) == nothing
    assert read_golden("tests/golden/readme/run.txt", run) == run
    assert read_blocks("text") == [plan, nothing, run]


def test_every_command_block_of_the_readme_is_a_list_of_lines() -> None:
    install, tests, ask = read_blocks("sh")
    assert len(install.splitlines()) == 1
    assert "apply specs/quickstart" in install
    assert len(tests.splitlines()) == 1
    assert "pytest" in tests
    assert "run support-triage" in ask


def format_fields(schema: dict[str, object], kind: str) -> str:
    """One kind's fields as a Markdown table."""
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)
    rows = [f"| `{name}` | {_type(field)} | {_text(field)} |" for name, field in _properties(definitions, kind)]
    return "\n".join([f"## {kind}", "", _text(definitions[kind]), "", "| field | is | means |", "|---|---|---|", *rows])


def _properties(definitions: dict[str, object], kind: str) -> list[tuple[str, dict[str, object]]]:
    found: list[tuple[str, dict[str, object]]] = []

    def gather(name: str, node: dict[str, object]) -> None:
        resolved = _resolve(definitions, node)
        found.append((name, resolved))
        inner = resolved.get("properties")
        for key, value in inner.items() if isinstance(inner, dict) else ():
            gather(f"{name}.{key}", value)
        others = resolved.get("additionalProperties")
        for key, value in others.get("properties", {}).items() if isinstance(others, dict) else ():
            gather(f"{name}.NAME.{key}", value)

    top = definitions[kind]
    assert isinstance(top, dict)
    properties = top["properties"]
    assert isinstance(properties, dict)
    for name, node in properties.items():
        gather(name, node)
    return found


def _resolve(definitions: dict[str, object], node: object) -> dict[str, object]:
    assert isinstance(node, dict)
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return node
    target = definitions[reference.rpartition("/")[2]]
    assert isinstance(target, dict)
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}


def _type(field: dict[str, object]) -> str:
    for several in ("anyOf", "oneOf"):
        variants = field.get(several)
        if isinstance(variants, list):
            return " or ".join(_type(variant) for variant in variants)
    if isinstance(field.get("enum"), list) and "title" not in field:
        return " or ".join(f"`{value}`" for value in field["enum"])  # type: ignore[attr-defined]  # a list, see above
    if "const" in field:
        return f"`{field['const']}`"
    return str(field.get("title") or _range(field)).replace("|", "\\|")


def _range(field: dict[str, object]) -> str:
    least, most = field.get("minimum", field.get("exclusiveMinimum")), field.get("maximum")
    name = str(field.get("type", ""))
    if least is None:
        return name
    above = "above" if "exclusiveMinimum" in field else "from"
    return f"{name} {above} {least}" + (f" to {most}" if most is not None else "")


def _text(field: object) -> str:
    assert isinstance(field, dict)
    examples = field.get("examples")
    example = f" Example: `{json.dumps(examples[0], ensure_ascii=False)}`" if examples else ""
    return f"{field.get('description', '')}{example}".replace("|", "\\|")


HEAD = """# Specs

YAML documents, any number in a file, any tree of files under one root (default `specs/`). Unknown fields, duplicate
keys, anchors, aliases and tags are errors; `yes` and `no` are texts, as in YAML 1.2. All mistakes of a run are reported
at once, with file, line and column. `reconciler schema spec` prints the JSON Schema that this page is made from.

Editors complete and check specs that begin with `# yaml-language-server: $schema=` and the path of that schema.
"""


def test_the_page_of_fields_is_generated_from_the_schema() -> None:
    schema = json.loads((ROOT / "schemas/spec.schema.json").read_text(encoding="utf-8"))
    page = (
        "\n\n".join([HEAD.rstrip(), *(format_fields(schema, kind) for kind in ("Project", "Dataset", "Model"))]) + "\n"
    )
    assert read_golden("docs/specs.md", page) == page


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "docs/architecture.md",
        "docs/local-service.md",
        "docs/services.md",
        "docs/preparing-data.md",
        "docs/cost.md",
        "docs/pages.md",
        "docs/offline.md",
        "docs/python-api.md",
        "docs/review.md",
        "docs/life-of-a-job.md",
        "docs/environments.md",
        "docs/glossary.md",
        "CONTRIBUTING.md",
        "tests/interop/README.md",
    ],
)
def test_every_relative_link_has_a_target(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not link.startswith("http"):
            assert ((ROOT / document).parent / link).exists(), link


def test_every_example_plans(tmp_path: Path, quickstart: Repository) -> None:
    """Each root in specs/ plans against the built-in service, offline and without a key."""
    from tests.acceptance.conftest import SPECS

    roots = sorted(path.parent for path in SPECS.rglob("*.yaml") if "kind: Project" in path.read_text(encoding="utf-8"))
    assert len(roots) >= 2
    for root in roots:
        result = quickstart.run("plan", str(root))
        assert result.code == 0, result.err
        assert "1 to train" in result.out or "No changes." in result.out
