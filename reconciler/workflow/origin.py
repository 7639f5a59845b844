"""Finds where specs come from: a mark on each job, so that two repositories with one project name notice each other."""

import re

from reconciler.domain.identity import digest_of
from reconciler.foundation.git import Git, GitError
from reconciler.workflow.settings import Setting

_SCHEME = re.compile(r"[a-z+]+://", re.IGNORECASE)
_REMOTE = "remote.origin.url"


def find_origin(setting: Setting) -> str:
    """Return a short digest of the repository's remote and of the root in it; empty where there is no remote.

    Cost:   one call of git
    """
    if not (setting.workspace / ".git").exists():
        return ""
    try:
        url = Git(setting.workspace, setting.environ).run("config", "--get", _REMOTE).decode("utf-8", "replace")
    except GitError:
        return ""
    return digest_of({"repository": normalize_remote(url), "root": setting.root_name}).short if url.strip() else ""


def normalize_remote(url: str) -> str:
    """Return the same text for every way to write the address of one repository.

    A user, a password and a port are left out, as are the scheme and the ending: none of them names a repository.
    """
    rest = _SCHEME.sub("", url.strip()).rpartition("@")[2]
    host, separator, path = rest.replace(":", "/", 1).partition("/")
    path = re.sub(r"^[0-9]+/", "", path).strip("/").removesuffix(".git")
    return f"{host.lower()}{separator}{path.lower()}"
