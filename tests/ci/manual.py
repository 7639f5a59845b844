"""Runs the steps that need a package index too: what the action installs, and what a release is built of.

    python -m tests.ci.manual

Into environments of their own, below a temporary directory; takes a minute or two.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.ci.events import pull_request, push
from tests.ci.fake_github import TOKEN, open_hub
from tests.ci.runner import HERE, Runner, git


def main() -> int:
    """Run them; return the number of those that failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder, open_hub() as hub:
        home = Path(folder)
        origin = _project(home / "origin")
        subprocess.run([sys.executable, "-m", "venv", str(home / "python")], check=True)
        python = str(home / "python" / "bin" / "python")
        version = _version()
        for name, event_name, event, ref in (
            ("plan", "pull_request", pull_request("main"), "main"),
            ("release", "push", push(), f"v{version}"),
        ):
            runner = Runner(
                origin,
                home / name,
                hub.environ(),
                {"GITHUB_TOKEN": TOKEN},
                version="",
                python=python,
                ref_name=ref,
                timeout_seconds=500,
                more=_settings_of_pip(),
            )
            for job, ran in runner.run(name, event_name, event, "main", only="specs/quickstart").items():
                print(f"== {name}, {job}: {ran.result}; of others: {', '.join(ran.foreign) or 'nothing'}\n{ran.log}")
                failed += ran.result == "failure"
            print(
                "artifacts:", {key: sorted(each.name for each in at.iterdir()) for key, at in runner.artifacts.items()}
            )
    return failed


def _project(folder: Path) -> Path:
    """Make a bare repository of this checkout as it stands."""
    tree = folder / "tree"
    for name in git("-C", str(HERE), "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        source = HERE / name
        if source.is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(source.read_bytes())
    git("init", "--quiet", str(tree))
    git("-C", str(tree), "add", "--all")
    git("-C", str(tree), "commit", "--quiet", "--message", "as it stands")
    git("clone", "--quiet", "--bare", str(tree), str(folder / "bare"))
    return folder / "bare"


def _settings_of_pip() -> dict[str, str]:
    """Return the settings with which pip finds packages on this machine; a runner needs none."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "XDG_"))}
    return {"XDG_CONFIG_HOME": str(Path.home() / ".config"), "XDG_CACHE_HOME": str(Path.home() / ".cache"), **kept}


def _version() -> str:
    from reconciler import __version__

    return __version__


if __name__ == "__main__":
    sys.exit(main())
