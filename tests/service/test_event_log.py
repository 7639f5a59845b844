"""What callers send cannot fill the log."""

import pytest

from reconciler.service.event_log import quiet_logs
from tests.service.service_fixtures import Service

BROKEN = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a\r\n b"\r\n\r\nx\r\n--b--\r\n'


def test_broken_bodies_are_one_line_of_the_log(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    quiet_logs()
    for _ in range(3):
        response = service.client.post(
            "/files", content=BROKEN, headers={"content-type": "multipart/form-data; boundary=b"}
        )
        assert response.status_code == 400
    assert len([record for record in caplog.records if record.name.startswith("python_multipart")]) == 1
