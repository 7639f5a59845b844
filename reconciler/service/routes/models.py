"""The routes of models: bases, aliases, fine-tuned models, and the permissions of checkpoints."""

import shutil
import sqlite3
from collections.abc import Iterator

from starlette.responses import Response

from reconciler.domain.errors import UsageError
from reconciler.service.context import ServiceContext
from reconciler.service.endpoint import ApiRequest, JsonResponse, check_known, read_texts
from reconciler.service.engines.registry import EngineRegistry, missing_packages
from reconciler.service.errors import ApiError, missing_error, no_model_error, value_error
from reconciler.service.routes.wire import (
    Json,
    base_json,
    deleted_json,
    extended_model_json,
    model_json,
    page_json,
    permission_json,
    seeded_model_json,
)
from reconciler.service.seeding import SeedKind, is_seed, seeded_models
from reconciler.service.settings import LEGACY_BASES_OPTION
from reconciler.service.store.database import new_id
from reconciler.service.store.fine_tunes import requested_bases
from reconciler.service.store.models import (
    ModelRecord,
    PermissionRecord,
    add_permission,
    delete_model,
    delete_permission,
    find_model,
    find_permission,
    job_weights_path,
    list_models,
    list_permissions,
)
from reconciler.service.store.rows import RowPage


class ModelList:
    """Shows models in the API's JSON. What it needs is read once for a whole list."""

    def __init__(self, db: sqlite3.Connection, registry: EngineRegistry, organization: str) -> None:
        self._db = db
        self._registry = registry
        self._organization = organization
        self._names = requested_bases(db)

    def show(self, model: ModelRecord) -> Json:
        """Show a trained model; in the form of 2021 where that API created it."""
        found = model_json(model, self._organization)
        name = self._names.get(model.id)
        return found if name is None else extended_model_json(found, root=model.base, parent=name)

    def show_aliases(self) -> Iterator[Json]:
        """Show every alias that stands for something that exists."""
        found = (self.show_alias(name) for name in self._registry.aliases)
        yield from (each for each in found if each is not None)

    def show_alias(self, name: str) -> Json | None:
        """Show one alias; None when it is not one, or when its target does not exist."""
        if name not in self._registry.aliases:
            return None
        engine = self._registry.find(name)
        if engine:
            return (
                None
                if missing_packages(engine)
                else extended_model_json({**base_json(engine), "id": name}, root=engine.base)
            )
        model = find_model(self._db, self._registry.resolve(name))
        if model is None:
            return None
        return extended_model_json(
            {**model_json(model, self._organization), "id": name}, root=model.base, parent=model.id
        )


def check_legacy_bases(db: sqlite3.Connection, registry: EngineRegistry) -> None:
    """Return when every alias stands for something that exists.

    Raises: UsageError
    """
    for name, target in registry.aliases.items():
        if name in {engine.base for engine in registry.engines}:
            raise UsageError(f"{LEGACY_BASES_OPTION}: {name} is the name of a base already")
        if registry.find(name) is None and find_model(db, target) is None:
            bases = ", ".join(engine.base for engine in registry.engines)
            raise UsageError(
                f"{LEGACY_BASES_OPTION}: {name}={target}: there is no base or model {target}; the bases are {bases}"
            )


def list_models_route(context: ServiceContext, request: ApiRequest) -> Response:
    """List every base whose engine is installed, every alias, and every finished model."""
    return JsonResponse({"object": "list", "data": known_models(context)})


def known_models(context: ServiceContext) -> list[Json]:
    """Return the items of the list of models."""
    bases = [base_json(engine) for engine in context.registry.engines if not missing_packages(engine)]
    with context.store.read() as db:
        form = ModelList(db, context.registry, context.organization)
        tuned = [form.show(model) for model in list_models(db)]
        tuned += [seeded_model_json(name) for name in seeded_models(db)]
        return [*bases, *form.show_aliases(), *tuned]


def show_model(context: ServiceContext, request: ApiRequest) -> Response:
    """Show one model."""
    name = request.path["model"]
    engine = context.registry.find(name)
    if engine and engine.base == name:
        return JsonResponse(base_json(engine))
    with context.store.read() as db:
        form = ModelList(db, context.registry, context.organization)
        if alias := form.show_alias(name):
            return JsonResponse(alias)
        model = find_model(db, name)
        tuned = form.show(model) if model else None
        if is_seed(db, SeedKind.MODEL, name):
            return JsonResponse(seeded_model_json(name))
    if tuned is None:
        raise no_model_error(name)
    return JsonResponse(tuned)


def delete(context: ServiceContext, request: ApiRequest) -> Response:
    """Delete a fine-tuned model with its checkpoints."""
    name = request.path["model"]
    if context.registry.find(name) or name in context.registry.aliases:
        raise ApiError(403, f"The base model '{name}' cannot be deleted.", param="model", code="model_not_deletable")
    with context.store.write() as db:
        if is_seed(db, SeedKind.MODEL, name):
            return JsonResponse(deleted_json(name, "model"))
        model = find_model(db, name)
        if model is None:
            raise no_model_error(name)
        if model.checkpoint:
            message = f"The checkpoint '{name}' cannot be deleted alone: delete its model."
            raise ApiError(400, message, param="model", code="model_not_deletable")
        delete_model(db, model)
    shutil.rmtree(job_weights_path(context.store, model.job), ignore_errors=True)
    return JsonResponse(deleted_json(name, "model"))


PERMISSIONS_A_PAGE = 10
MOST_PROJECTS = 1000
LONGEST_PROJECT = 256
PERMISSION_KIND = "checkpoint.permission"


def list_permissions_route(context: ServiceContext, request: ApiRequest) -> Response:
    """List the permissions of a checkpoint, newest first unless asked otherwise."""
    order = request.query.get("order") or "descending"
    if order not in ("ascending", "descending"):
        raise value_error("order", "expected 'ascending' or 'descending'.")
    cursor = request.cursor(PERMISSIONS_A_PAGE, ascending=order == "ascending")
    with context.store.read() as db:
        checkpoint = _checkpoint_name(db, request)
        found = list_permissions(db, checkpoint, cursor, request.query.get("project_id") or None)
    return JsonResponse(page_json(found, permission_json, ends=True))


def create_permissions(context: ServiceContext, request: ApiRequest) -> Response:
    """Let projects use a checkpoint. A project that has a permission keeps it."""
    check_known(request.body, ("project_ids",))
    projects = tuple(dict.fromkeys(read_texts(request.body, "project_ids", MOST_PROJECTS, low=1, high=LONGEST_PROJECT)))
    if not projects:
        raise missing_error("project_ids")
    with context.store.write() as db:
        checkpoint = _checkpoint_name(db, request)
        given = tuple(_grant(db, checkpoint, project, context.now()) for project in projects)
    return JsonResponse(page_json(RowPage(items=given, has_more=False), permission_json, ends=True))


def delete_permission_route(context: ServiceContext, request: ApiRequest) -> Response:
    """Withdraw a permission."""
    permission = request.path["permission"]
    with context.store.write() as db:
        checkpoint = _checkpoint_name(db, request)
        if not is_seed(db, SeedKind.PERMISSION, permission):
            delete_permission(db, checkpoint, permission)
    return JsonResponse(deleted_json(permission, PERMISSION_KIND))


def _checkpoint_name(db: sqlite3.Connection, request: ApiRequest) -> str:
    name: str = request.path["checkpoint"]
    if find_model(db, name) is None and not is_seed(db, SeedKind.MODEL, name):
        raise no_model_error(name)
    return name


def _grant(db: sqlite3.Connection, checkpoint: str, project: str, now: int) -> PermissionRecord:
    found = find_permission(db, checkpoint, project)
    if found:
        return found
    permission = PermissionRecord(id=new_id("cp_", 24), checkpoint=checkpoint, project=project, created_at=now)
    add_permission(db, permission)
    return permission
