"""The commands as functions: the page's example in a notebook, and what is public."""

import asyncio
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import reconciler
from tests.acceptance.conftest import HERE, Repository

PAGE = (HERE / "docs/python-api.md").read_text(encoding="utf-8")
IMPORT = re.compile(r"^\s*(?:from|import) reconciler\.(\w+)", re.MULTILINE)
CELLS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_runs_as_a_notebook(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every cell in one namespace, while an event loop runs, as notebooks do."""
    assert repository.run("init").code == 0
    monkeypatch.chdir(repository.root)
    namespace: dict[str, object] = {}

    async def run_cells() -> None:
        for cell in CELLS:
            exec(compile(cell, "docs/python-api.md", "exec"), namespace)

    asyncio.run(run_cells())

    shown = repository.capture.readouterr().out
    assert "model/bike-desk will be trained" in shown
    assert "the specs name no such model" in shown
    assert set(namespace["result"].models) == {"bike-desk"}  # type: ignore[attr-defined]  # made by the page


def test_a_plan_that_is_stale_is_not_applied(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    assert repository.run("init").code == 0
    monkeypatch.chdir(repository.root)
    planned = reconciler.plan()
    (spec,) = [path for path in Path("specs").rglob("*.yaml") if "kind: Model" in path.read_text()]
    spec.write_text(spec.read_text().replace("kind: Model", "kind: Model\nlabels: {team: a}\nsuffix: other"))

    with pytest.raises(reconciler.StalePlanError, match=r"^the plan is stale: the specs moved"):
        reconciler.apply(planned)


def test_the_page_names_the_arguments_of_each_function_with_their_defaults() -> None:
    """Read the table of arguments, and compare it with the signatures."""
    stated: dict[str, dict[str, str]] = {}
    for arguments, functions in re.findall(
        r"^\| ((?:`[\w=\"().]+`(?:, )?)+) \| ((?:`\w+`(?:, )?)+) \|", PAGE, re.MULTILINE
    ):
        for function in re.findall(r"`(\w+)`", functions):
            for name, default in re.findall(r"`(\w+)=?([^`]*)`", arguments):
                stated.setdefault(function, {})[name] = default
    for function, arguments in stated.items():
        parameters = inspect.signature(getattr(reconciler, function)).parameters.values()
        assert arguments == {
            each.name: ""
            if each.default is each.empty
            else json.dumps(each.default)
            if isinstance(each.default, str)
            else repr(each.default)
            for each in parameters
        }
        assert [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD] == [next(iter(arguments))]
    assert set(stated) == {"read_specs", "validate", "plan", "apply"}


def test_a_guard_that_does_not_exist_is_refused_as_on_the_command_line(repository: Repository) -> None:
    assert repository.run("init").code == 0
    with pytest.raises(reconciler.UsageError) as caught:
        reconciler.plan(repository.root / "specs", allow=["nonsense"])
    result = repository.run("plan", "--allow", "nonsense")
    assert (result.code, result.err) == (64, f"Error: {caught.value}\n")


@pytest.mark.parametrize("names", ["bike-desk", ["bike-desk"], iter(["model/bike-desk"])])
def test_one_name_is_a_list_of_one(repository: Repository, names: str | Iterable[str]) -> None:
    assert repository.run("init").code == 0
    planned = reconciler.plan(repository.root / "specs", target=names, allow="amnesia")
    assert planned.prepared.options.target == frozenset({"bike-desk"})
    assert planned.prepared.options.allow == frozenset({"amnesia"})


@pytest.mark.parametrize("parameter", ["target", "retry", "replace", "allow"])
@pytest.mark.parametrize("names", [7, None, [7], b"bike-desk"])
def test_what_is_no_name_is_refused(parameter: str, names: object) -> None:
    with pytest.raises(reconciler.UsageError, match=f"{parameter}: give one name or a list of names"):
        reconciler.plan(**{parameter: names})  # type: ignore[arg-type]  # what a caller without a type checker writes


@pytest.mark.parametrize("planned", ["specs", None])
def test_apply_takes_only_the_result_of_plan(planned: reconciler.PlanResult) -> None:
    with pytest.raises(reconciler.UsageError, match="call plan first"):
        reconciler.apply(planned)


@pytest.mark.parametrize("parallelism", [0, -1, 65, 2.5])
def test_parallelism_has_the_range_of_the_command_line(repository: Repository, parallelism: int) -> None:
    assert repository.run("init").code == 0
    planned = reconciler.plan(repository.root / "specs")
    with pytest.raises(reconciler.UsageError, match="from 1 to 64"):
        reconciler.apply(planned, parallelism=parallelism)
    assert "<=64" in repository.run("apply", "--parallelism", "65").err.replace(" ", "")


def test_problems_are_listed_with_the_error(repository: Repository) -> None:
    repository.write("specs/all.yaml", "kind: Dataset\nname: Wrong\nsource: x.jsonl\n")
    with pytest.raises(reconciler.InputError) as caught:
        reconciler.validate(repository.root / "specs", environ={})
    assert "all.yaml:2:7" in caught.value.__notes__[0]
    assert str(caught.value).startswith("1 problem: specs/all.yaml:2:7  name: must be a name")


def test_no_printed_value_holds_a_variable_of_the_environment(repository: Repository) -> None:
    assert repository.run("init").code == 0
    planned = reconciler.plan(repository.root / "specs", environ={"OPENAI_API_KEY": "canary"})
    assert "canary" not in f"{planned!r} {planned} {planned.prepared!r} {planned.to_json()}"


def test_every_public_name_exists_and_nothing_else_is_listed() -> None:
    assert dir(reconciler) == sorted(reconciler.__all__)
    for name in reconciler.__all__:
        assert getattr(reconciler, name).__doc__ or name == "__version__"
    with pytest.raises(AttributeError):
        _ = reconciler.no_such_name


def test_no_page_names_a_package_that_is_not_public() -> None:
    """A page shows only what may be imported: the package itself, and its testing tools."""
    inner = {each.name for each in pkgutil.iter_modules(reconciler.__path__)} - {"testing"}
    for page in sorted((HERE / "docs").glob("*.md")):
        for module in re.findall(
            r"^\s*(?:from|import) reconciler\.(\w+)", page.read_text(encoding="utf-8"), re.MULTILINE
        ):
            assert module not in inner, page


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import reconciler, sys; print(sorted(name for name in sys.modules if name.startswith('reconciler')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "['reconciler']"
