"""Finds where specs come from: a mark on each job, so that two repositories with one project name notice each other."""

import re

from reconciler.domain.identity import digest_of
from reconciler.foundation.git import Git, GitError, GitMissingError
from reconciler.workflow.settings import Setting

_SCHEME = re.compile(r"[a-z+]+://", re.IGNORECASE)
_REMOTE = "remote.origin.url"


def find_origin(setting: Setting) -> str:
    """Return a short digest of what identifies the repository, and of the root in it; empty where there is no git.

    A repository is known by its remote; without one, by its first commit; before that, by its directory.

    Cost:   one call of git; two without a remote, three before the first commit
    """
    if not (setting.workspace / ".git").exists():
        return ""
    try:
        git = Git(setting.workspace, setting.environ)
        url = _ask(git, "config", "--get", _REMOTE)
        roots = [] if url else _ask(git, "rev-list", "--max-parents=0", "HEAD").split()
        place = "" if url or roots else _ask(git, "rev-parse", "--absolute-git-dir")
    except GitMissingError:
        return ""
    if url:
        known = {"repository": normalize_remote(url)}
    elif roots:
        # The oldest: a merge of another history adds a newer one.
        known = {"first_commit": roots[-1]}
    elif place:
        known = {"directory": place}
    else:
        return ""
    return digest_of({**known, "root": setting.root_name}).short


def _ask(git: Git, *arguments: str) -> str:
    """Return what git answers; nothing where it has no such thing."""
    try:
        return git.run(*arguments).decode("utf-8", "replace").strip()
    except GitMissingError:
        raise
    except GitError:
        return ""


def normalize_remote(url: str) -> str:
    """Return the same text for every way to write the address of one repository.

    A user, a password and a port are left out, as are the scheme and the ending: none of them names a repository.
    """
    rest = _SCHEME.sub("", url.strip()).rpartition("@")[2]
    host, separator, path = rest.replace(":", "/", 1).partition("/")
    path = re.sub(r"^[0-9]+/", "", path).strip("/").removesuffix(".git")
    return f"{host.lower()}{separator}{path.lower()}"
