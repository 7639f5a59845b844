"""What the service needs that is not installed, said once and with the command that installs it."""

from importlib.util import find_spec

from reconciler.domain.errors import ReconcilerError

INSTALL = "pip install 'finetune-reconciler[local]'"


class EngineMissingError(ReconcilerError, ImportError):
    """A part of the local service is not installed: run the command that the message names."""


def require(*packages: str) -> None:
    """Make sure that packages can be imported, without importing them.

    Raises: EngineMissingError, naming what is missing and the command that installs it
    """
    missing = [package for package in packages if not is_installed(package)]
    if missing:
        raise EngineMissingError(f"the local service needs {', '.join(missing)}, not installed here: {INSTALL}")


def is_installed(package: str) -> bool:
    """Return whether a package can be imported, without importing it."""
    return find_spec(package) is not None
