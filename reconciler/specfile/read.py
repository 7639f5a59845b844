"""Read every spec of a root, as an environment changes it, and report all problems at once.

The fields of an environment replace those of the Project. Policies, expectations and defaults are merged field by
field, so that an environment which states one guard keeps the others.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from reconciler.domain.errors import InputError, Problem, UsageError
from reconciler.domain.spec import Specs
from reconciler.specfile.build import build_specs
from reconciler.specfile.credentials import remove_credentials
from reconciler.specfile.cross_checks import cross_problems, of_kind, profile_problems
from reconciler.specfile.dataset_rules import dataset_problems
from reconciler.specfile.files import place_name, read_bytes, real_path, spec_files
from reconciler.specfile.schema import validate_document
from reconciler.specfile.schema.messages import or_nearest, quote
from reconciler.specfile.yaml import Document, Plain, YamlFile, read_yaml

MAX_SHOWN = 50
"""How many problems of one file are shown. The rest are counted."""


def read_specs(
    root: Path, workspace: Path, environment: str | None = None, profiles: Collection[str] | None = None
) -> Specs:
    """Return the specs of one root, complete and checked against each other. Opens no data file.

    Shape:  with the fields of one of the Project's environments, if one is named; `profiles` are the names that
            `provider` may have, and None allows any
    Raises: InputError with all problems of all files, UsageError when there is no such environment
    Cost:   the text of one file in memory at a time, and the documents of all files
    """
    base, home = real_path(root), real_path(workspace)
    files, found = spec_files(base, home)
    problems, documents, broken = list(found), list[Document](), list[str]()
    for path in files:
        page = _read_file(path, home)
        problems += page.problems
        broken += page.broken
        for document in page.documents:
            document, found = check_document(document, profiles)
            documents.append(document)
            problems += found
    if environment is not None:
        documents = apply_environment(documents, environment)
    problems += cross_problems(documents, broken, profiles)
    if problems:
        raise limit_problems(problems)
    name = place_name(base, home)
    if environment is not None:
        check_environment(documents, environment, name)
    return build_specs(documents, name, environment)


def check_document(document: Document, profiles: Collection[str] | None = None) -> tuple[Document, tuple[Problem, ...]]:
    """Return one document as its schema reads it, and every problem of it alone."""
    document, credentials = remove_credentials(document)
    document, breaches = validate_document(document, "spec")
    more = tuple(dataset_problems(document)) if document.text("kind") == "Dataset" else ()
    named = profile_problems(document, profiles) if profiles is not None else ()
    return document, (*credentials, *breaches, *more, *named)


def limit_problems(problems: Iterable[Problem]) -> InputError:
    """Return an error with problems sorted by place: the first of each file, and the count of the rest."""
    by_file = defaultdict(list)
    for problem in sorted(problems):
        by_file[problem.where.file].append(problem)
    shown = tuple(problem for each in by_file.values() for problem in each[:MAX_SHOWN])
    return InputError(shown, unshown=sum(len(each[MAX_SHOWN:]) for each in by_file.values()))


def _read_file(path: Path, home: Path) -> YamlFile:
    try:
        raw = read_bytes(path, home)
    except InputError as error:
        return YamlFile(problems=error.problems)
    return read_yaml(raw, place_name(path, home))


def apply_environment(documents: Sequence[Document], name: str) -> list[Document]:
    """Return the documents of a root with an environment applied; unchanged when no Project has it.

    An environment that names a provider names it for every model.
    """
    project = next(iter(of_kind(documents, "Project")), None)
    overlay = project.get("environments", name) if project else None
    if project is None or not isinstance(overlay, dict):
        return list(documents)
    laid = replace(project, data=_overlay(project.data, overlay))
    everywhere = "provider" in overlay
    return [laid if each is project else _use_project_provider(each, everywhere) for each in documents]


def check_environment(documents: Sequence[Document], name: str, root: str) -> None:
    """Check that there is such an environment.

    Raises: UsageError, with the one that was probably meant
    """
    project = next(iter(of_kind(documents, "Project")), None)
    found = project.get("environments") if project else None
    names = sorted(found) if isinstance(found, dict) else []
    if name in names:
        return
    what = f"{root}: there is no environment {quote(name)}{or_nearest(name, names)}"
    known = f"the Project's environments are {', '.join(names)}" if names else "the Project has no environments"
    raise UsageError(f"{what}; {known}")


def _overlay(below: dict[str, Plain], above: dict[str, Plain]) -> dict[str, Plain]:
    laid = dict(below)
    for key, value in above.items():
        under = below.get(key)
        laid[key] = _overlay(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return laid


def _use_project_provider(document: Document, everywhere: bool) -> Document:
    if not everywhere or document.text("kind") != "Model" or "provider" not in document.data:
        return document
    return replace(document, data={key: value for key, value in document.data.items() if key != "provider"})
