"""Reads every spec of a root, and tells everything that is wrong with them at once."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from reconciler.domain.errors import InputError, Problem
from reconciler.domain.spec import Specs
from reconciler.specfile.build import build
from reconciler.specfile.credentials import without_credentials
from reconciler.specfile.cross_checks import problems_across
from reconciler.specfile.environments import check_environment, in_environment
from reconciler.specfile.files import place_name, read_bytes, real, spec_files
from reconciler.specfile.mapping import dataset_problems
from reconciler.specfile.schema.validate import validated
from reconciler.specfile.yaml.composer import Page, read_page
from reconciler.specfile.yaml.document import Document

MAX_SHOWN = 50
"""Problems told of one file; of the others, how many there are."""


def read_specs(root: Path, workspace: Path, environment: str | None = None) -> Specs:
    """The specs of one root, complete and checked against each other; no data file is opened.

    Shape:  as one of the Project's environments has them, where one is named
    Raises: InputError with everything that is wrong in any file, UsageError where there is no such environment
    Cost:   one file in memory at a time, with the documents of all
    """
    base, home = real(root), real(workspace)
    files, found = spec_files(base, home)
    problems, documents, broken = list(found), list[Document](), list[str]()
    for path in files:
        page = _page(path, home)
        problems += page.problems
        broken += page.broken
        for document in page.documents:
            document, found = checked(document)
            documents.append(document)
            problems += found
    if environment is not None:
        documents = in_environment(documents, environment)
    problems += problems_across(documents, broken)
    if problems:
        raise bounded(problems)
    name = place_name(base, home)
    if environment is not None:
        check_environment(documents, environment, name)
    return build(documents, name, environment)


def checked(document: Document) -> tuple[Document, tuple[Problem, ...]]:
    """Return one document as its schema reads it, and everything that is wrong with it alone."""
    document, credentials = without_credentials(document)
    document, breaches = validated(document, "spec")
    more = tuple(dataset_problems(document)) if document.text("kind") == "Dataset" else ()
    return document, (*credentials, *breaches, *more)


def bounded(problems: Iterable[Problem]) -> InputError:
    """The error that carries problems sorted by place: of each file the first, and the count of the rest."""
    by_file = defaultdict(list)
    for problem in sorted(problems):
        by_file[problem.where.file].append(problem)
    shown = tuple(problem for each in by_file.values() for problem in each[:MAX_SHOWN])
    return InputError(shown, unshown=sum(len(each[MAX_SHOWN:]) for each in by_file.values()))


def _page(path: Path, home: Path) -> Page:
    try:
        raw = read_bytes(path, home)
    except InputError as error:
        return Page(problems=error.problems)
    return read_page(raw, place_name(path, home))
