"""Faults over a real connection: lost answers, and the warnings of the command."""

from pathlib import Path

import httpx
import pytest

from tests.service.faults.serving import KEY, serving
from tests.service.service_fixtures import plain_rows

pytestmark = pytest.mark.loopback

FORM = {"files": {"file": ("a.jsonl", plain_rows())}, "data": {"purpose": "fine-tune"}}


def test_connections_are_closed_and_the_next_one_works(tmp_path: Path) -> None:
    faults = (
        "lost=before,method=POST,nth=1",
        "lost=after,method=POST,nth=2",
        "cut=10,path=/models,nth=1",
    )
    with serving(tmp_path / "store", *faults) as served:
        assert [line.strip() for line in served.first_lines[1:]] == [
            f"Warning: a fault is on: {fault}" for fault in faults
        ]
        headers = {"authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=served.url, headers=headers, trust_env=False) as client:
            with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
                client.post("/files", **FORM)  # type: ignore[arg-type]  # a table of keyword arguments
            assert client.get("/files").json()["data"] == []
            with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
                client.post("/files", **FORM)  # type: ignore[arg-type]  # a table of keyword arguments
            assert len(client.get("/files").json()["data"]) == 1
            with pytest.raises(httpx.RemoteProtocolError, match="received 10 bytes"):
                client.get("/models")
            assert client.get("/models").json()["data"]


def test_without_faults_no_warning_is_printed(tmp_path: Path) -> None:
    with serving(tmp_path / "store") as served:
        assert len(served.first_lines) == 1
        assert served.first_lines[0].startswith("Serving ")
