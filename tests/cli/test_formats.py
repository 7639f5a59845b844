"""`--format FMT[=FILE]`: what is asked for comes once, where it was asked for, and without secrets or samples."""

import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.cli.console import Console
from reconciler.cli.failures import wants_json
from reconciler.cli.formats import (
    FormatTarget,
    PlanFormat,
    is_json,
    read_formats,
    show_review,
    write_failures,
)
from reconciler.domain.errors import InputError, UnusablePlaceError, UsageError
from reconciler.render import Sink, plan_json, plan_text
from tests.render.examples import PROBLEMS
from tests.render.reviews import REVIEWS, a_review

REVIEW = REVIEWS["rows-changed"]
HIDDEN = "canary" * 3


def make_console() -> tuple[Console, io.StringIO]:
    """Return a console and its stdout."""
    out = io.StringIO()
    console = Console(
        out=Sink(out, (HIDDEN,)),
        err=Sink(io.StringIO()),
        colour=False,
        colour_err=False,
        can_ask=False,
        is_terminal=False,
        secrets=(HIDDEN,),
    )
    return console, out


def test_text_is_the_default_format() -> None:
    assert read_formats(None) == (FormatTarget(form=PlanFormat.TEXT),)
    assert read_formats(None, as_json=True) == read_formats(["json"]) == (FormatTarget(form=PlanFormat.JSON),)
    assert is_json(read_formats(["json"], as_json=True))


def test_several_formats_keep_their_order(tmp_path: Path) -> None:
    file = tmp_path / "a=b.html"

    wanted = read_formats(["text", "github", f"html={file}", "text"])

    assert wanted == (
        FormatTarget(form=PlanFormat.TEXT),
        FormatTarget(form=PlanFormat.GITHUB),
        FormatTarget(form=PlanFormat.HTML, path=file),
    )


@pytest.mark.parametrize(
    ("requested", "words"),
    [
        (["pdf"], "there are text, json, markdown"),
        (["HTML"], "no such format"),
        (["json", "text"], "fills stdout"),
        (["json", "markdown"], "fills stdout"),
        (["github=x"], "takes no file"),
        (["html="], "name a file"),
        (["html=nowhere/at/all.html"], "name a file in a directory that exists"),
        (["html=."], "name a file"),
        (["html=x", "sarif=x"], "the same file"),
    ],
)
def test_an_unknown_format_is_refused_before_anything_is_read(requested: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_formats(requested)


def test_json_is_recognised_wherever_it_is_asked_for() -> None:
    assert all(map(wants_json, (["plan", "--json"], ["plan", "--format=json"], ["plan", "--format", "json"])))
    assert not any(map(wants_json, (["plan"], ["plan", "--format", "json=x"], ["plan", "json", "--format"])))


def test_each_form_goes_where_it_was_sent_and_holds_no_secret(tmp_path: Path) -> None:
    console, out = make_console()
    review = replace(REVIEW, plan=replace(REVIEW.plan, warnings=(f"the key is {HIDDEN}",)))
    forms = [form for form in PlanFormat if form is not PlanFormat.GITHUB]

    show_review(review, read_formats(["text", *(f"{form}={tmp_path / form}" for form in forms)]), console, exit_code=0)

    texts = {form: (tmp_path / form).read_text(encoding="utf-8") for form in forms}
    assert all(len(text) > 100 and HIDDEN not in text for text in (*texts.values(), out.getvalue()))
    # On a terminal the findings stand on stderr; a file holds them too.
    assert texts[PlanFormat.TEXT].endswith(out.getvalue())
    assert REVIEW.problems[0].what in texts[PlanFormat.TEXT]
    assert json.loads(texts[PlanFormat.REVIEW])["version"] == 2


def test_the_same_words_as_ever_for_people_and_programs() -> None:
    for form, text in (
        (PlanFormat.TEXT, plan_text(REVIEW.plan, previous=REVIEW.previous)),
        (PlanFormat.JSON, plan_json(REVIEW.plan, REVIEW.problems)),
    ):
        console, out = make_console()
        show_review(REVIEW, (FormatTarget(form=form),), console, exit_code=0)
        assert out.getvalue() == text


def test_without_samples_no_form_holds_a_row(tmp_path: Path) -> None:
    console, _ = make_console()
    forms = [form for form in PlanFormat if form is not PlanFormat.GITHUB]
    wanted = read_formats([f"{form}={tmp_path / form}" for form in forms])

    show_review(REVIEW, wanted, console, exit_code=0)
    with_rows = {form for form in forms if "question 21" in (tmp_path / form).read_text(encoding="utf-8")}
    show_review(replace(REVIEW, samples=False), wanted, console, exit_code=0)

    assert {PlanFormat.TEXT, PlanFormat.JSON, PlanFormat.MARKDOWN, PlanFormat.REVIEW} <= with_rows
    assert not [form for form in forms if "question 21" in (tmp_path / form).read_text(encoding="utf-8")]


def test_github_gets_lines_a_summary_and_outputs_added_to_what_is_there(tmp_path: Path) -> None:
    console, out = make_console()
    summary, outputs = tmp_path / "summary", tmp_path / "outputs"
    summary.write_text("before\n", encoding="utf-8")
    environ = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}

    for _ in range(2):
        show_review(REVIEW, read_formats(["github"]), console, exit_code=2, environ=environ, plan_file="a.plan")

    assert out.getvalue().startswith("::warning file=data/tickets.csv,line=10")
    assert summary.read_text(encoding="utf-8").startswith("before\n### 1 model retrained")
    output = outputs.read_text(encoding="utf-8")
    assert "\n2\n" in output
    assert len({line for line in output.splitlines() if line.startswith("end_")}) == 2
    show_review(REVIEW, read_formats(["github"]), console, exit_code=2, environ={})


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    console, _ = make_console()
    with pytest.raises(UnusablePlaceError, match="cannot be written"):
        show_review(REVIEW, (FormatTarget(form=PlanFormat.TEXT, path=tmp_path),), console, exit_code=0)


def test_problems_reach_the_files_and_go_on_as_they_were(tmp_path: Path) -> None:
    console, out = make_console()
    wanted = read_formats(["text", f"review={tmp_path / 'r'}", f"json={tmp_path / 'j'}", f"sarif={tmp_path / 's'}"])

    with pytest.raises(InputError), write_failures(lambda: a_review(REVIEW.plan), wanted, console):
        raise InputError(PROBLEMS, 7)

    document = json.loads((tmp_path / "r").read_text(encoding="utf-8"))
    assert document["verdict"].startswith("Invalid: 10 errors")
    assert json.loads((tmp_path / "j").read_text(encoding="utf-8"))["unshown"] == 7
    assert "chat.last-turn" in (tmp_path / "s").read_text(encoding="utf-8")
    assert out.getvalue() == ""
