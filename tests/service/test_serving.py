"""One process serves a store on a port; commands in other processes may use the store too."""

import os
from pathlib import Path

import pytest

from reconciler.service import serve
from reconciler.service.store import StoreError, open_store
from reconciler.service.uvicorn_server import hold_serve_lock
from tests.service.service_fixtures import open_local


def test_a_store_is_served_by_one_process(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")

    with hold_serve_lock(store):
        for _ in range(2):
            with (
                pytest.raises(StoreError, match=f"served already by process {os.getpid()}: stop it"),
                hold_serve_lock(store),
            ):
                pass
        assert open_local(store.root).get("/files")["data"] == []
    with hold_serve_lock(store):
        pass


def test_a_second_server_is_refused_before_it_listens(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    addresses: list[str] = []

    with hold_serve_lock(store), pytest.raises(StoreError, match="choose another --store"):
        serve(store.root, host="127.0.0.1", port=0, api_key="key", on_ready=addresses.append)

    assert addresses == []
    assert (store.root / "serve.lock").stat().st_mode & 0o777 == 0o600
