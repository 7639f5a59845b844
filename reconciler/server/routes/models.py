"""Models: the bases that can be fine-tuned here, and what was made from them."""

import shutil

from starlette.responses import Response

from reconciler.server.call import Call, JsonResponse
from reconciler.server.engines.shelf import lacks
from reconciler.server.errors import ApiError, no_model
from reconciler.server.routes.wire import base_json, deleted_json, model_json
from reconciler.server.service import Service
from reconciler.server.store.models import delete_model, find_model, list_models


def listed(service: Service, call: Call) -> Response:
    """List every base whose engine is installed, and every finished model."""
    with service.store.read() as db:
        tuned = [model_json(model, service.organization) for model in list_models(db)]
    bases = [base_json(engine) for engine in service.shelf.engines if not lacks(engine)]
    return JsonResponse({"object": "list", "data": bases + tuned})


def shown(service: Service, call: Call) -> Response:
    """Show one model."""
    name = call.path["model"]
    engine = service.shelf.of(name)
    if engine:
        return JsonResponse(base_json(engine))
    with service.store.read() as db:
        model = find_model(db, name)
    if model is None:
        raise no_model(name)
    return JsonResponse(model_json(model, service.organization))


def deleted(service: Service, call: Call) -> Response:
    """Delete a fine-tuned model with its checkpoints."""
    name = call.path["model"]
    if service.shelf.of(name):
        raise ApiError(403, f"The base model '{name}' cannot be deleted.", param="model", code="model_not_deletable")
    with service.store.write() as db:
        model = find_model(db, name)
        if model is None:
            raise no_model(name)
        if model.checkpoint:
            message = f"The checkpoint '{name}' cannot be deleted alone: delete its model."
            raise ApiError(400, message, param="model", code="model_not_deletable")
        delete_model(db, model)
    shutil.rmtree(service.store.models / model.job, ignore_errors=True)
    return JsonResponse(deleted_json(name, "model"))
