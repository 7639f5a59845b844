"""Read price tables: those of the program, and the operator's own, which come first."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from reconciler.domain.cost import AutoEpochs, Per, PriceTable, Rate
from reconciler.domain.errors import UsageError
from reconciler.specfile.read import limit_problems
from reconciler.specfile.schema import validate_document
from reconciler.specfile.yaml import read_yaml

SHIPPED = Path(__file__).resolve().parents[1] / "prices"
_MAX_BYTES = 1024 * 1024

Fields = dict[str, Any]


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
    return tuple(_table(document.data) for document, _ in read)


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
    return (_table(json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)),) if path.is_file() else ()


def _table(fields: Fields) -> PriceTable:
    return PriceTable(
        service=fields["service"],
        dated=fields["dated"],
        source=fields["source"],
        free=fields.get("free", ""),
        auto_epochs=_auto_epochs(fields["auto_epochs"]) if "auto_epochs" in fields else None,
        rates=tuple(map(_rate, fields.get("rates", ()))),
    )


def _auto_epochs(fields: Fields) -> AutoEpochs:
    return AutoEpochs(**{name: int(value) for name, value in fields.items()})


def _rate(fields: Fields) -> Rate:
    return Rate(
        bases=tuple(fields["bases"]),
        methods=tuple(fields["methods"]),
        usd=Decimal(str(fields["usd"])),
        per=Per(fields["per"]),
        minimum_usd=Decimal(str(fields.get("minimum_usd", 0))),
    )
