"""Reads specs as one environment has them: what it says stands instead of what the Project says.

Nothing else moves. Policies, expectations and defaults are laid over each other field by field, so that an environment
which states one guard loses none of the others.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from reconciler.domain.errors import UsageError
from reconciler.specfile.cross_checks import of_kind
from reconciler.specfile.schema.messages import or_nearest, quoted
from reconciler.specfile.yaml.document import Document, Plain


def in_environment(documents: Sequence[Document], name: str) -> list[Document]:
    """Return the documents of a root as an environment has them; unchanged where no Project knows it.

    An environment that names a service names it for every model.
    """
    project = next(iter(of_kind(documents, "Project")), None)
    overlay = project.get("environments", name) if project else None
    if project is None or not isinstance(overlay, dict):
        return list(documents)
    laid = replace(project, data=_laid_over(project.data, overlay))
    everywhere = "provider" in overlay
    return [laid if each is project else _following(each, everywhere) for each in documents]


def check_environment(documents: Sequence[Document], name: str, root: str) -> None:
    """Make sure that there is such an environment.

    Raises: UsageError, with the one that was probably meant
    """
    project = next(iter(of_kind(documents, "Project")), None)
    found = project.get("environments") if project else None
    names = sorted(found) if isinstance(found, dict) else []
    if name in names:
        return
    what = f"{root}: there is no environment {quoted(name)}{or_nearest(name, names)}"
    raise UsageError(f"{what}; the Project's environments are {', '.join(names) if names else 'none'}")


def _laid_over(below: dict[str, Plain], above: dict[str, Plain]) -> dict[str, Plain]:
    laid = dict(below)
    for key, value in above.items():
        under = below.get(key)
        laid[key] = _laid_over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return laid


def _following(document: Document, everywhere: bool) -> Document:
    if not everywhere or document.text("kind") != "Model" or "provider" not in document.data:
        return document
    return replace(document, data={key: value for key, value in document.data.items() if key != "provider"})
