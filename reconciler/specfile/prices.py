"""Read price tables: those of the program, and the operator's own, which come first."""

from pathlib import Path

import msgspec

from reconciler.domain.cost import PriceTable
from reconciler.domain.errors import UsageError
from reconciler.specfile.read import limit_problems
from reconciler.specfile.schema import validate_document
from reconciler.specfile.yaml import read_fields, read_yaml

SHIPPED = Path(__file__).resolve().parents[1] / "prices"
_MAX_BYTES = 1024 * 1024


def read_prices(service: str, own: Path | None = None) -> tuple[PriceTable, ...]:
    """Return the tables of a service, the operator's own first.

    Raises: UsageError when the operator's file cannot be read, InputError with everything that is wrong with it
    """
    tables = read_own_prices(own) if own else ()
    return *(table for table in tables if table.service == service), *_read_shipped(service)


def read_own_prices(path: Path) -> tuple[PriceTable, ...]:
    """Return the tables of a file, one for each of its documents.

    Shape:  YAML or JSON, by the published schema `prices`
    Raises: UsageError, InputError
    """
    page = read_yaml(_bytes(path), path.as_posix(), max_bytes=_MAX_BYTES)
    read = [validate_document(document, "prices") for document in page.documents]
    problems = [*page.problems, *(problem for _, found in read for problem in found)]
    if problems:
        raise limit_problems(problems)
    if not read:
        raise UsageError(f"the prices file {path} holds no table; see: reconciler schema prices")
    return tuple(read_fields(document.data, PriceTable) for document, _ in read)


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UsageError(f"the prices file {path} is not a file; name one with --prices or RECONCILER_PRICES")
        with path.open("rb") as file:
            return file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"the prices file {path} cannot be read: {error.strerror}") from error


def _read_shipped(service: str) -> tuple[PriceTable, ...]:
    # A test checks these against the schema, so that no plan needs to.
    path = SHIPPED / f"{service}.json"
    return (msgspec.json.decode(path.read_bytes(), type=PriceTable),) if path.is_file() else ()
