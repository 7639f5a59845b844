"""A plan as a page and as findings: every changed row, the figures before and now, the place of each mistake."""

import json
import re
import shutil
import xml.etree.ElementTree as ET

import pytest

from tests.acceptance.conftest import Repository
from tests.acceptance.test_rows import EVIL, SPECS, git, make_table


def write_specs(repository: Repository, specs: str = SPECS) -> None:
    """Write the specs of a model that is trained on thirty tickets."""
    repository.write("specs/all.yaml", specs)
    repository.write("specs/tickets.csv", make_table(list(range(30))))


def test_the_page_shows_every_changed_row_and_the_other_formats_show_a_few(repository: Repository) -> None:
    """The dataset is split, so the service holds it as two files."""
    write_specs(repository, SPECS.replace("id: ticket_id", "split: {validation: 0.3}") + "on_change: parallel\n")
    assert repository.run("apply", "--auto-approve", "--no-wait").code == 0
    repository.write("specs/tickets.csv", make_table(list(range(80)), t7=f"<b>message 7</b> of order49 {EVIL}"))

    result = repository.run("plan", "--format", "html=plan.html", "--format", "json", "--out", "saved.plan")

    page = repository.read("plan.html")
    assert result.code == 0
    assert page.count('class="row"') == 51
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "\x1b" not in page
    assert 'class="then"' in page
    assert "Tokens per row: share of rows, before above and now below" in page
    assert '<th scope="row">rows</th><td>30</td><td>80</td><td>+50</td>' in page
    held_out = re.search(r"rows for validation</th><td>([0-9]+)</td><td>([0-9]+)</td>", page)
    assert held_out
    assert 0 < int(held_out[1]) < 30
    for plan in (json.loads(result.out), json.loads(repository.read("saved.plan"))["plan"]):
        assert sum(len(step["rows"]["samples"]) for step in plan["steps"] if step.get("rows")) == 5
    assert repository.run("plan", "--no-samples", "--format", "html=plan.html").code == 0
    bare = repository.read("plan.html")
    assert "50 added" in bare
    assert "order49" not in bare


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git here")
def test_an_offline_page_shows_every_changed_row(repository: Repository) -> None:
    write_specs(repository)
    shutil.rmtree(repository.root / ".git")
    for words in (("init", "-q", "-b", "main"), ("add", "specs"), ("commit", "-q", "-m", "specs")):
        git(repository.root, *words)
    repository.write("specs/tickets.csv", make_table(list(range(60))))

    assert repository.run("plan", "--offline", "--format", "html=plan.html").code == 0
    page = repository.read("plan.html")
    assert page.count('class="row"') == 30
    assert "Datasets in figures" in page


def test_mistakes_in_specs_and_rows_are_findings_with_their_places(repository: Repository) -> None:
    write_specs(repository)
    repository.write("specs/tickets.csv", make_table(list(range(30)), t7='""'))

    forms = ("sarif=plan.sarif", "junit=plan.xml", "html=plan.html")

    result = repository.run("plan", *(word for form in forms for word in ("--format", form)))

    assert result.code == 3
    (run,) = json.loads(repository.read("plan.sarif"))["runs"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("row.empty-cell", "error")
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("specs/tickets.csv", 9)
    assert run["tool"]["driver"]["rules"][0]["help"]["text"] == "No cell that a template needs is empty."
    assert ET.fromstring(repository.read("plan.xml")).attrib["failures"] == "1"
    assert "Invalid: 1 error in specs and data" in repository.read("plan.html")
