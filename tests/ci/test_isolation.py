"""No script of the action runs code of the checkout, whatever modules, programs and settings a pull request brings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ci.conftest import ACTION, Script
from tests.ci.events import pull_request
from tests.ci.fake_github import REPOSITORY, TOKEN, FakeHub
from tests.ci.runner import HERE, commands, git, outputs_of

pytestmark = pytest.mark.loopback

SHA = "a" * 40
OTHERS = (
    *("pip", "setuptools", "sitecustomize", "usercustomize", "reconciler", "typer", "msgspec", "yaml", "httpx", "rich"),
    *(
        "base",
        "comment",
        "hub",
        "issue",
        "locks",
        "origin",
        "record",
        "review",
        "_in_process",
        "backend",
        "re2",
        "xxhash",
    ),
)
PACKAGES = ("venv", "ensurepip", "json", "pip", "reconciler", "importlib", "encodings")
BACKEND = """
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    info, name = "finetune_reconciler-9.dist-info", "finetune_reconciler-9-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("reconciler/__init__.py", "")
        wheel.writestr("reconciler/__main__.py", "print('the installed one')")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: finetune-reconciler\\nVersion: 9\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\\nreconciler = reconciler.__main__:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A checkout with a module of every name that Python itself or a script of ours imports; each leaves a mark."""
    checkout = tmp_path / "checkout"
    code = f"open({str(tmp_path / 'mark')!r}, 'a').write(__name__ + chr(10))\n"
    for place in (checkout, checkout / "specs"):
        for name in (*sys.stdlib_module_names, *OTHERS):
            (place / f"{name}.py").parent.mkdir(parents=True, exist_ok=True)
            (place / f"{name}.py").write_text(code, encoding="utf-8")
        for name in PACKAGES:
            (place / name).mkdir()
            for module in ("__init__", "__main__"):
                (place / name / f"{module}.py").write_text(code, encoding="utf-8")
    (checkout / "specs" / "project.yaml").write_text("kind: Project\nname: hostile\n", encoding="utf-8")
    (checkout / "pyvenv.cfg").write_text("home = .\n", encoding="utf-8")
    return checkout


def mark_of(checkout: Path) -> list[str]:
    mark = checkout.parent / "mark"
    return mark.read_text(encoding="utf-8").splitlines() if mark.exists() else []


def run(script: Path, checkout: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run a script of the action in a checkout, as the runner does; the workflow names the checkout in PYTHONPATH."""
    temp, output = checkout.parent / "temp", checkout.parent / "output"
    temp.mkdir(exist_ok=True)
    output.write_text("", encoding="utf-8")
    full = {
        "PATH": f"{commands(checkout.parent / 'bin')}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(checkout.parent),
        "RUNNER_TEMP": str(temp),
        "RECONCILER_HOME": str(temp / "home"),
        "GITHUB_OUTPUT": str(output),
        "PYTHONPATH": f":{checkout}:.:{HERE}",
        "PYTHONUSERBASE": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "1",
        **environ,
    }
    return subprocess.run(
        ["bash", str(script), *arguments],
        cwd=checkout,
        env=full,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_hostile_modules_would_be_run(hostile: Path) -> None:
    """Without this test an absent mark would prove nothing."""
    subprocess.run([sys.executable, "-m", "venv", "--help"], cwd=hostile, capture_output=True, check=False)

    assert mark_of(hostile)


def test_the_installing_step_runs_no_module_of_the_checkout(hostile: Path, tmp_path: Path) -> None:
    """A small project with a build backend of its own stands for the code of the action."""
    project = tmp_path / "project"
    action = project / ".github" / "actions" / "reconcile"
    action.mkdir(parents=True)
    (action / "install.sh").write_bytes((ACTION / "install.sh").read_bytes())
    (action / "requirements.txt").write_text("", encoding="utf-8")
    (project / "backend.py").write_text(BACKEND, encoding="utf-8")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n', encoding="utf-8"
    )

    done = run(action / "install.sh", hostile, VERSION="", PIP_NO_INDEX="1", PYTHONPATH="")

    assert mark_of(hostile) == []
    assert (done.returncode, "the installed one" in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.parametrize("found", ["./bin", "bin"])
def test_a_program_of_the_checkout_is_not_taken_for_the_installed_one(hostile: Path, found: str) -> None:
    program = hostile / "bin" / "reconciler"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho program >{hostile.parent}/mark\n", encoding="utf-8")
    program.chmod(0o755)
    for path in (f"{found}:{os.environ['PATH']}", f"{hostile / 'bin'}:{os.environ['PATH']}"):
        done = run(ACTION / "install.sh", hostile, VERSION="none", PATH=path)
        assert (done.returncode, mark_of(hostile)) == (64, [])
        assert "lies in the checkout" in done.stdout


@pytest.mark.parametrize("own", ["true", "false"])
def test_the_running_step_runs_no_module_of_the_checkout(hostile: Path, tmp_path: Path, own: str) -> None:
    """With a key in the environment; also the processes that it starts for git and for rows."""
    git("init", "--quiet", str(hostile))
    git("-C", str(hostile), "add", "--all")
    git("-C", str(hostile), "commit", "--quiet", "--message", "hostile")
    sha = git("-C", str(hostile), "rev-parse", "HEAD")
    event = tmp_path / "event.json"
    event.write_text(json.dumps(pull_request(sha)), encoding="utf-8")

    done = run(
        ACTION / "run.sh",
        hostile,
        COMMAND="plan",
        ROOT="specs",
        ENVIRONMENT="",
        PROVIDER="",
        OFFLINE="true",
        ORIGIN="auto",
        OWN_INSTALLATION=own,
        EXPECT_BASIS="",
        EXTRA_ARGS="--against HEAD",
        RECONCILER_BIN=str(commands(tmp_path / "bin")),
        GITHUB_EVENT_NAME="pull_request",
        GITHUB_EVENT_PATH=str(event),
        GITHUB_REPOSITORY=REPOSITORY,
        OPENAI_API_KEY="a-canary",
    )

    assert mark_of(hostile) == []
    # An installation of its own needs no PYTHONPATH; that of the tests is found by nothing else.
    assert outputs_of(tmp_path / "output")["exitcode"] in ({"0", "1"} if own == "true" else {"0"}), done.stderr


@pytest.mark.parametrize("script", ["comment", "issue", "record"])
def test_a_posting_step_runs_no_module_of_the_checkout(
    hostile: Path, script: str, hub: FakeHub, tmp_path: Path
) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps(pull_request(SHA)), encoding="utf-8")
    review = Script(hub, tmp_path, None).review()  # type: ignore[arg-type]  # writes a file, and captures nothing
    arguments = (
        ["--lock", str(tmp_path / "none"), "--to", "specs/models.lock.yaml", "--branch", "main"]
        if script == "record"
        else [review]
    )
    environ = {
        **hub.environ(),
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
    }

    done = run(ACTION / "poster.sh", hostile, script, *arguments, **environ)

    assert (done.returncode, mark_of(hostile)) == (0, []), done.stdout + done.stderr


def test_every_python_of_a_script_is_isolated() -> None:
    for path in sorted(ACTION.glob("*.sh")):
        for line in path.read_text(encoding="utf-8").splitlines():
            code = line.partition("#")[0]
            for word in ("python ", "python3 ", '/python" '):
                if word in code and "=(" not in code.partition(word)[0][-2:]:
                    assert code.partition(word)[2].startswith(("-I ", "-E -s -B ")), f"{path.name}: {line}"
