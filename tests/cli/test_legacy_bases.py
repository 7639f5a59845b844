"""`serve --legacy-bases` stands alone, or has a value."""

import pytest
import typer

from reconciler.cli import serve
from reconciler.service import ALL_LEGACY_BASES


@pytest.mark.parametrize(
    ("arguments", "bases", "port"),
    [
        ([], None, 8000),
        (["--legacy-bases"], ALL_LEGACY_BASES, 8000),
        (["--legacy-bases", "--port", "0"], ALL_LEGACY_BASES, 0),
        (["--port", "0", "--legacy-bases"], ALL_LEGACY_BASES, 0),
        (["--legacy-bases", "ada=tfidf-logreg", "--port", "0"], "ada=tfidf-logreg", 0),
        (["--legacy-bases=ada=tfidf-logreg"], "ada=tfidf-logreg", 8000),
    ],
)
def test_the_option_is_understood_with_and_without_a_value(arguments: list[str], bases: str | None, port: int) -> None:
    app = typer.Typer()
    serve.register(app)
    group = typer.main.get_group(app)
    command = group.commands["serve"]

    params = command.make_context("serve", arguments).params

    assert (params["legacy_bases"], params["port"]) == (bases, port)
