"""Permissions of checkpoints: granted, paged, withdrawn; for existing checkpoints only."""

import pytest

from tests.service.service_fixtures import NOW, Json, Service, error_of


@pytest.fixture
def path(service: Service) -> str:
    """Return the path of the permissions of a trained model."""
    model = service.done(service.train())["fine_tuned_model"]
    return f"/fine_tuning/checkpoints/{model}/permissions"


def test_permissions_are_granted_paged_and_withdrawn(service: Service, path: str) -> None:
    given = service.post(path, {"project_ids": ["proj_a", "proj_b", "proj_a"]})

    assert [each["project_id"] for each in given["data"]] == ["proj_a", "proj_b"]
    first, second = given["data"]
    assert (first["object"], first["created_at"]) == ("checkpoint.permission", NOW)
    page = service.get(path, limit=1)
    assert (page["data"], page["has_more"], page["first_id"]) == ([second], True, second["id"])
    assert service.get(path, limit=1, after=second["id"])["data"] == [first]
    assert service.get(path, order="ascending")["data"] == [first, second]
    assert service.get(path, project_id="proj_b")["data"] == [second]
    gone = service.client.delete(f"{path}/{first['id']}").json()
    assert gone == {"id": first["id"], "object": "checkpoint.permission", "deleted": True}
    assert error_of(service.client.delete(f"{path}/{first['id']}"))[0] == 404
    assert service.get(path)["data"] == [second]


def test_a_permission_that_is_granted_twice_is_the_same(service: Service, path: str) -> None:
    once, again = (service.post(path, {"project_ids": ["proj_a"]}) for _ in range(2))

    assert once == again


@pytest.mark.parametrize("body", [{}, {"project_ids": []}, {"project_ids": [1]}, {"project_ids": ["a"], "x": 1}])
def test_permissions_for_no_project_are_refused(service: Service, path: str, body: Json) -> None:
    assert error_of(service.client.post(path, json=body))[0] == 400


def test_an_unknown_checkpoint_has_no_permissions(service: Service) -> None:
    path = "/fine_tuning/checkpoints/ft:nobody/permissions"

    assert error_of(service.client.get(path))[1]["code"] == "model_not_found"
    assert error_of(service.client.post(path, json={"project_ids": ["a"]}))[0] == 404
    assert error_of(service.client.delete(f"{path}/cp_1"))[0] == 404


def test_an_unknown_order_is_refused(service: Service, path: str) -> None:
    assert error_of(service.client.get(path, params={"order": "asc"}))[1]["param"] == "order"
