"""Models: the bases that can be fine-tuned here, and what was made from them."""

import shutil

from starlette.responses import Response

from reconciler.service.context import Service
from reconciler.service.endpoint import Call, JsonResponse
from reconciler.service.engines.registry import lacks
from reconciler.service.errors import ApiError, no_model
from reconciler.service.legacy.models import OldForm
from reconciler.service.routes.wire import Json, base_json, deleted_json, seeded_model_json
from reconciler.service.store.models import delete_model, find_model, list_models
from reconciler.service.store.seeds import Seeded, is_seed, seeded_models


def listed(service: Service, call: Call) -> Response:
    """List every base whose engine is installed, every name the operator gave, and every finished model."""
    return JsonResponse({"object": "list", "data": known_models(service)})


def known_models(service: Service) -> list[Json]:
    """Return what the list of models holds."""
    bases = [base_json(engine) for engine in service.shelf.engines if not lacks(engine)]
    with service.store.read() as db:
        form = OldForm(db, service.shelf, service.organization)
        tuned = [form.tuned(model) for model in list_models(db)]
        tuned += [seeded_model_json(name) for name in seeded_models(db)]
        return [*bases, *form.aliases(), *tuned]


def shown(service: Service, call: Call) -> Response:
    """Show one model."""
    name = call.path["model"]
    engine = service.shelf.of(name)
    if engine and engine.base == name:
        return JsonResponse(base_json(engine))
    with service.store.read() as db:
        form = OldForm(db, service.shelf, service.organization)
        if alias := form.alias(name):
            return JsonResponse(alias)
        model = find_model(db, name)
        tuned = form.tuned(model) if model else None
        if is_seed(db, Seeded.MODEL, name):
            return JsonResponse(seeded_model_json(name))
    if tuned is None:
        raise no_model(name)
    return JsonResponse(tuned)


def deleted(service: Service, call: Call) -> Response:
    """Delete a fine-tuned model with its checkpoints."""
    name = call.path["model"]
    if service.shelf.of(name) or name in service.shelf.aliases:
        raise ApiError(403, f"The base model '{name}' cannot be deleted.", param="model", code="model_not_deletable")
    with service.store.write() as db:
        if is_seed(db, Seeded.MODEL, name):
            return JsonResponse(deleted_json(name, "model"))
        model = find_model(db, name)
        if model is None:
            raise no_model(name)
        if model.checkpoint:
            message = f"The checkpoint '{name}' cannot be deleted alone: delete its model."
            raise ApiError(400, message, param="model", code="model_not_deletable")
        delete_model(db, model)
    shutil.rmtree(service.store.models / model.job, ignore_errors=True)
    return JsonResponse(deleted_json(name, "model"))
