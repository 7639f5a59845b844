"""Runs a workflow's jobs as GitHub's runner does: each in a clone and an environment of its own, each step by bash.

What is not done is what needs the internet: python and the packages are those of the tests (so `version` is none); of
other people's actions only those that move files are played, the others are noted as `Ran.foreign`. `manual.py` runs
the installing steps too.
"""

import fnmatch
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.ci.expressions import fill_text, holds
from tests.ci.fake_github import REPOSITORY, TOKEN

HERE = Path(__file__).parent.parent.parent
GITHUB = HERE / ".github"
SELF = "$/"

# Notes every attempt of a Python program to reach something by a socket; what a runner forks off is noted too.
WATCH = """
import os, sys
def note(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto", "socket.sendmsg"}:
        with open(os.environ["CONNECTIONS"], "a") as file:
            print(event, arguments[1:], file=file)
if "CONNECTIONS" in os.environ:
    sys.addaudithook(note)
"""


@dataclass
class Ran:
    """The result of a job.

    Shape:  `environments` has one mapping for each step that was run by bash, in order
    """

    result: str = "success"
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    environments: list[dict[str, str]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    connections: str = ""


@dataclass
class Runner:
    """Runs workflows of a repository.

    Shape:  `origin` is a bare repository; `artifacts` outlive a run, as they do on GitHub; `version` is what the
            action installs where a workflow names nothing; `more` is of this machine's own environment; `program` is
            what stands for reconciler, in place of this checkout's
    """

    origin: Path
    folder: Path
    hub: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)
    workspaces: list[Path] = field(default_factory=list)
    version: str = "none"
    python: str = sys.executable
    program: str = ""
    ref_name: str = "main"
    timeout_seconds: int = 120
    more: Mapping[str, str] = field(default_factory=dict)

    def run(
        self, name: str, event_name: str, event: Mapping[str, Any], sha: str, only: str | None = None
    ) -> dict[str, Ran]:
        """Run every job of a workflow whose condition holds; `only` is the one root of a matrix that is wanted."""
        workflow = yaml.safe_load((GITHUB / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))
        return self.run_jobs(workflow["jobs"], event_name, event, sha, only)

    def run_jobs(
        self,
        jobs: Mapping[str, Any],
        event_name: str,
        event: Mapping[str, Any],
        sha: str,
        only: str | None = None,
    ) -> dict[str, Ran]:
        """Run jobs one after another."""
        github = {
            "event_name": event_name,
            "event": event,
            "repository": REPOSITORY,
            "sha": sha,
            "ref_name": self.ref_name,
            "token": TOKEN,
        }
        ran: dict[str, Ran] = {}
        for key, job in jobs.items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            contexts = {
                "github": github,
                "secrets": dict(self.secrets),
                "needs": {each: {"result": ran[each].result, "outputs": ran[each].outputs} for each in needs},
            }
            status = "success" if all(ran[each].result == "success" for each in needs) else "failure"
            if not holds(job.get("if"), contexts, status):
                ran[key] = Ran(result="skipped")
                continue
            for chosen in job.get("strategy", {}).get("matrix", {}).get("include", [{}]):
                if only is None or chosen.get("root", only) == only:
                    ran[key] = _Job(self, job, {**contexts, "matrix": chosen}, len(self.workspaces)).run()
        return ran


class _Job:
    """One job: a workspace that is empty until something is checked out, and a status."""

    def __init__(self, runner: Runner, job: Mapping[str, Any], contexts: dict[str, Any], number: int) -> None:
        self.ran = Ran()
        self._runner, self._job = runner, job
        self._home = runner.folder / f"job-{number}"
        self._workspace = self._home / "work"
        self._temp = self._home / "temp"
        for each in (self._workspace, self._temp, self._home / "watch"):
            each.mkdir(parents=True)
        (self._home / "watch" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
        runner.workspaces.append(self._workspace)
        self._contexts = {**contexts, "runner": {"temp": str(self._temp)}, "steps": {}}

    def run(self) -> Ran:
        self._steps(self._job["steps"], self._contexts, {}, GITHUB)
        self.ran.outputs = {
            name: fill_text(text, self._contexts) for name, text in self._job.get("outputs", {}).items()
        }
        connections = self._home / "connections"
        self.ran.connections = connections.read_text(encoding="utf-8") if connections.exists() else ""
        return self.ran

    def _steps(
        self, steps: list[dict[str, Any]], contexts: dict[str, Any], given: Mapping[str, str], action: Path
    ) -> None:
        for step in steps:
            if not holds(step.get("if"), contexts, self.ran.result):
                continue
            own = {name: fill_text(_text(text), contexts) for name, text in step.get("env", {}).items()}
            environ = {**given, **own}
            conclusion, outputs = self._step(step, contexts, environ, action)
            contexts["steps"][step.get("id")] = {"conclusion": conclusion, "outputs": outputs}
            if conclusion == "failure":
                self.ran.result = "failure"

    def _step(
        self, step: dict[str, Any], contexts: dict[str, Any], environ: dict[str, str], action: Path
    ) -> tuple[str, dict[str, str]]:
        if "run" in step:
            return self._bash(step, environ, action)
        inputs = {name: fill_text(_text(text), contexts) for name, text in step.get("with", {}).items()}
        uses = str(step["uses"])
        if uses.startswith(SELF):
            return self._composite(HERE / uses.removeprefix(SELF), inputs, environ)
        self._foreign(uses.partition("@")[0], inputs, contexts)
        return "success", {}

    def _composite(self, action: Path, inputs: dict[str, str], environ: dict[str, str]) -> tuple[str, dict[str, str]]:
        declared = yaml.safe_load((action / "action.yml").read_text(encoding="utf-8"))
        assert set(inputs) <= set(declared["inputs"]), f"no such input: {set(inputs) - set(declared['inputs'])}"
        known = {
            name: fill_text(_text(each.get("default", "")), self._contexts) for name, each in declared["inputs"].items()
        }
        if "version" in known:
            known["version"] = self._runner.version
        contexts = {**self._contexts, "inputs": {**known, **inputs}, "steps": {}}
        failed_before, self.ran.result = self.ran.result, "success"
        self._steps(declared["runs"]["steps"], contexts, environ, action)
        conclusion = self.ran.result
        self.ran.result = failed_before
        return conclusion, {
            name: fill_text(each["value"], contexts) for name, each in declared.get("outputs", {}).items()
        }

    def _bash(self, step: dict[str, Any], environ: dict[str, str], action: Path) -> tuple[str, dict[str, str]]:
        github = self._contexts["github"]
        output, summary, event = (self._home / each for each in ("output", "summary", "event.json"))
        output.write_text("", encoding="utf-8")
        event.write_text(json.dumps(github["event"]), encoding="utf-8")
        programs = commands(self._home / "bin", self._runner.python, self._runner.program)
        full = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{self._home / 'watch'}{os.pathsep}{HERE}",
            "CONNECTIONS": str(self._home / "connections"),
            "HOME": str(self._home),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self._workspace),
            "GITHUB_ACTION_PATH": str(action),
            "GITHUB_EVENT_NAME": github["event_name"],
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_SHA": github["sha"],
            "GITHUB_REF_NAME": github["ref_name"],
            "GITHUB_RUN_ID": "4711",
            "RUNNER_TEMP": str(self._temp),
            **self._runner.hub,
            **self._runner.more,
            **environ,
        }
        self.ran.environments.append(full)
        strict = ["--noprofile", "--norc", "-eo", "pipefail"] if step.get("shell") == "bash" else ["-e"]
        done = subprocess.run(
            ["bash", *strict, "-c", step["run"]],
            cwd=self._workspace,
            env=full,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self._runner.timeout_seconds,
            check=False,
        )
        self.ran.log += done.stdout
        self.ran.summary = summary.read_text(encoding="utf-8") if summary.exists() else ""
        return ("failure" if done.returncode else "success"), outputs_of(output)

    def _foreign(self, uses: str, inputs: dict[str, str], contexts: dict[str, Any]) -> None:
        """Play the actions that move files; note the others."""
        match uses:
            case "actions/checkout":
                assert inputs["persist-credentials"] == "false"
                git("clone", "--quiet", str(self._runner.origin), str(self._workspace))
                git("-C", str(self._workspace), "checkout", "--quiet", contexts["github"]["sha"])
            case "actions/upload-artifact":
                self._upload(inputs)
            case "actions/download-artifact":
                self._download(inputs)
            case _:
                self.ran.foreign.append(uses)

    def _upload(self, inputs: dict[str, str]) -> None:
        source = self._workspace / inputs["path"]
        if not source.exists():
            assert inputs.get("if-no-files-found") == "ignore", f"nothing to upload at {source}"
            return
        kept = self._runner.folder / "artifacts" / inputs["name"]
        shutil.rmtree(kept, ignore_errors=True)
        if source.is_dir():
            shutil.copytree(source, kept)
        else:
            kept.mkdir(parents=True)
            shutil.copy(source, kept)
        self._runner.artifacts[inputs["name"]] = kept

    def _download(self, inputs: dict[str, str]) -> None:
        target = self._workspace / inputs["path"]
        if "name" in inputs:
            shutil.copytree(self._runner.artifacts[inputs["name"]], target, dirs_exist_ok=True)
            return
        for name, kept in self._runner.artifacts.items():
            if fnmatch.fnmatch(name, inputs["pattern"]):
                into = target if inputs.get("merge-multiple") == "true" else target / name
                shutil.copytree(kept, into, dirs_exist_ok=True)


def _text(value: Any) -> str:
    """Return a value of the file as a step gets it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def commands(folder: Path, python: str = sys.executable, program: str = "") -> Path:
    """Return a directory with `reconciler` and `python` in it: this checkout, on the Python of the tests."""
    folder.mkdir(exist_ok=True)
    for name, arguments in (("reconciler", program or f"{sys.executable} -P -m reconciler"), ("python", python)):
        path = folder / name
        if not path.exists():
            path.write_text(f'#!/bin/sh\nexec {arguments} "$@"\n', encoding="utf-8")
            path.chmod(0o755)
    return folder


def outputs_of(path: Path) -> dict[str, str]:
    """Read a file of outputs: single lines, and texts between a delimiter and itself."""
    found: dict[str, str] = {}
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    for line in lines:
        name, single, value = line.partition("=")
        if not single or "<<" in name:
            name, _, delimiter = line.partition("<<")
            value = "\n".join(iter(lambda: next(lines), delimiter))
        found[name] = value
    return found


def git(*arguments: str) -> str:
    """Run git with neutral settings; return what it says."""
    who = ("-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
