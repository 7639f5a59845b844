"""Opens the service that a setting and its specs choose."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from reconciler.dataset.row_diff import FileCache
from reconciler.domain.observed import RemoteFile
from reconciler.domain.ports import Provider
from reconciler.domain.renames import NameMap
from reconciler.domain.spec import Specs
from reconciler.journal import check_journal
from reconciler.providers import needs_app
from reconciler.workflow.settings import Setting, make_home, select_provider


@contextmanager
def open_service(setting: Setting, specs: Specs) -> Iterator[Provider]:
    """Open the service that the operator or the specs choose, under the specs' claims; close it again."""
    # The HTTP library is loaded when a service is called, so that help and offline plans do not wait for it.
    from reconciler.providers import open_provider, with_renames

    name = select_provider(setting, specs)
    app = _open_local_app(setting) if needs_app(name, setting.environ) else None
    opened = open_provider(name, project=specs.project.name, environ=setting.environ, app=app, bounds=setting.bounds)
    with opened as provider:
        check_journal(setting.journal, provider)
        yield with_renames(provider, NameMap.of(specs))


def _open_local_app(setting: Setting) -> object:
    # The server's libraries are an extra, and only the built-in service needs them.
    from reconciler.service import open_service as open_app

    make_home(setting.home)
    return open_app(setting.store)


def open_file_cache(setting: Setting) -> FileCache:
    """Return the cache of files that were downloaded from a service."""
    return FileCache(setting.home / "cache" / "files", partial(make_home, setting.home))


def fetch_file(file: RemoteFile, provider: Provider, setting: Setting) -> Path:
    """Return the content of a file of ours on the service, as a file here.

    Raises: ProviderError, and OSError when it cannot be kept
    """
    assert file.stamp is not None
    return open_file_cache(setting).get_file(
        file.stamp.digest, file.size_bytes or 0, lambda: provider.content(file.id, file.size_bytes or 0)
    )
