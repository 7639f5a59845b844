"""Permissions of checkpoints: given, listed, withdrawn. A store has one owner, whose key is an admin's key as well."""

import sqlite3

from starlette.responses import Response

from reconciler.service.context import Service
from reconciler.service.endpoint import Call, JsonResponse
from reconciler.service.errors import bad_value, missing, no_model
from reconciler.service.fields import only, texts
from reconciler.service.ids import new_id
from reconciler.service.routes.wire import deleted_json, page_json, permission_json
from reconciler.service.store.models import find_model
from reconciler.service.store.paging import Page
from reconciler.service.store.permissions import (
    PermissionRecord,
    add_permission,
    delete_permission,
    find_permission,
    list_permissions,
)
from reconciler.service.store.seeds import Seeded, is_seed

PERMISSIONS_A_PAGE = 10
MOST_PROJECTS = 1000
KIND = "checkpoint.permission"


def listed(service: Service, call: Call) -> Response:
    """List the permissions of a checkpoint, newest first unless asked otherwise."""
    order = call.query.get("order") or "descending"
    if order not in ("ascending", "descending"):
        raise bad_value("order", "expected 'ascending' or 'descending'.")
    cursor = call.cursor(PERMISSIONS_A_PAGE, ascending=order == "ascending")
    with service.store.read() as db:
        checkpoint = _checkpoint(db, call)
        found = list_permissions(db, checkpoint, cursor, call.query.get("project_id") or None)
    return JsonResponse(page_json(found, permission_json, ends=True))


def created(service: Service, call: Call) -> Response:
    """Let projects use a checkpoint; one that may already keeps the permission that it has."""
    only(call.body, ("project_ids",))
    projects = tuple(dict.fromkeys(texts(call.body, "project_ids", MOST_PROJECTS)))
    if not projects:
        raise missing("project_ids")
    with service.store.write() as db:
        checkpoint = _checkpoint(db, call)
        given = tuple(_give(db, checkpoint, project, service.now()) for project in projects)
    return JsonResponse(page_json(Page(items=given, has_more=False), permission_json, ends=True))


def deleted(service: Service, call: Call) -> Response:
    """Withdraw a permission."""
    permission = call.path["permission"]
    with service.store.write() as db:
        checkpoint = _checkpoint(db, call)
        if not is_seed(db, Seeded.PERMISSION, permission):
            delete_permission(db, checkpoint, permission)
    return JsonResponse(deleted_json(permission, KIND))


def _checkpoint(db: sqlite3.Connection, call: Call) -> str:
    name: str = call.path["checkpoint"]
    if find_model(db, name) is None and not is_seed(db, Seeded.MODEL, name):
        raise no_model(name)
    return name


def _give(db: sqlite3.Connection, checkpoint: str, project: str, now: int) -> PermissionRecord:
    found = find_permission(db, checkpoint, project)
    if found:
        return found
    made = PermissionRecord(id=new_id("cp_", 24), checkpoint=checkpoint, project=project, created_at=now)
    add_permission(db, made)
    return made
