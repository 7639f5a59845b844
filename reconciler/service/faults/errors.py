"""The answers that a fault gives in the service's place: errors in the API's envelope, and a gateway's page."""

import math
from http import HTTPStatus

from starlette.responses import HTMLResponse, Response

from reconciler.service.endpoint import JsonResponse
from reconciler.service.errors import INVALID_REQUEST, SERVER_ERROR, ApiError
from reconciler.service.faults.fault import Gateway, Refusal, TooMany
from reconciler.service.faults.parser import TOO_MANY
from reconciler.service.ids import new_id

_UNAVAILABLE = "service_unavailable_error"
_SAID = "This answer was asked for by a fault of this service."


def refusal(fault: TooMany | Refusal) -> Response:
    """Return an error as the API words it, with the header that says when to come again."""
    headers = {"x-request-id": new_id("req_", 32)}
    if fault.retry_after is not None:
        # The header is in whole seconds; a wait is never shortened.
        headers["retry-after"] = str(math.ceil(fault.retry_after))
    if isinstance(fault, TooMany):
        error = ApiError(429, _SAID, type=TOO_MANY[fault.code], code=fault.code)
    elif fault.status == HTTPStatus.SERVICE_UNAVAILABLE:
        error = ApiError(fault.status, _SAID, type=_UNAVAILABLE, code=fault.code or "server_is_overloaded")
    else:
        kind = SERVER_ERROR if fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR else INVALID_REQUEST
        error = ApiError(fault.status, _SAID, type=kind, code=fault.code)
    return JsonResponse(error.envelope, error.status, headers)


def gateway_page(fault: Gateway) -> Response:
    """Return the page that a gateway shows when what is behind it does not answer."""
    try:
        title = f"{fault.status} {HTTPStatus(fault.status).phrase}"
    except ValueError:
        title = str(fault.status)
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>"
    return HTMLResponse(page, fault.status, {"server": "gateway"})
