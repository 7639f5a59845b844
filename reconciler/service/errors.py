"""Errors in the API's words. Knows no HTTP library."""

from reconciler.domain.errors import STORE_UNUSABLE, ReconcilerError
from reconciler.evaluation import GraderError

LONGEST_MESSAGE, LONGEST_PARAM = 2000, 200
"""In characters. A message repeats what a request says, which may be long."""

INVALID_REQUEST = "invalid_request_error"
SERVER_ERROR = "server_error"


class ApiError(ReconcilerError):
    """An error that is answered with the API's error envelope.

    Shape:  `param` names the field of the request that is wrong, `code` is a stable word for programs
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        error_type: str = INVALID_REQUEST,
    ) -> None:
        self.status = status
        self.message = _shorten(message, LONGEST_MESSAGE)
        self.param = None if param is None else _shorten(param, LONGEST_PARAM)
        self.code = code
        self.type = error_type
        super().__init__(self.message)

    @property
    def envelope(self) -> dict[str, object]:
        """Return the body of the answer."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def value_error(param: str, message: str, code: str | None = "invalid_value") -> ApiError:
    """Return the error for a field whose value is not accepted."""
    return ApiError(400, f"Invalid value for '{param}': {message}", param=param, code=code)


def type_error(param: str, expected: str, found: object) -> ApiError:
    """Return the error for a field of the wrong JSON type."""
    return ApiError(
        400,
        f"Invalid type for '{param}': expected {expected}, but got {_json_type(found)} instead.",
        param=param,
        code="invalid_type",
    )


def missing_error(param: str) -> ApiError:
    """Return the error for a required field that is not set."""
    return ApiError(400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def unsupported_error(param: str, message: str) -> ApiError:
    """Return the error for a field that the API has and this service does not support."""
    return ApiError(400, f"Unsupported parameter: '{param}' {message}", param=param, code="unsupported_parameter")


def unknown_field_error(param: str) -> ApiError:
    """Return the error for an unknown field."""
    message = f"Unrecognized request argument supplied: {param}"
    return ApiError(400, message, param=param, code="unknown_parameter")


def grader_refusal(error: GraderError) -> ApiError:
    """Return the error of a grader in the API's words."""
    match error.problem:
        case "missing":
            return missing_error(error.param)
        case "unknown":
            return unknown_field_error(error.param)
        case "unsupported":
            return unsupported_error(error.param, error.detail)
        case "type":
            message = f"Invalid type for '{error.param}': {error.detail}"
            return ApiError(400, message, param=error.param, code=error.code)
        case "value":
            return value_error(error.param, error.detail, error.code)


def no_file_error(file: str) -> ApiError:
    """Return the error for a file that does not exist."""
    return ApiError(404, f"No such File object: {file}", param="id")


def no_upload_error(upload: str) -> ApiError:
    """Return the error for an upload that does not exist."""
    return ApiError(404, f"No such Upload object: {upload}", param="upload_id")


def no_item_error(item: str) -> ApiError:
    """Return the error for a reference to an item of an earlier response, of which none is stored."""
    message = (
        f"Item with id '{item}' not found. Items are not persisted by this service. Try again with the item itself in "
        "your input, or remove it."
    )
    return ApiError(404, message, param="input")


def no_permission_error(permission: str) -> ApiError:
    """Return the error for a permission that does not exist."""
    return ApiError(404, f"No such checkpoint permission: {permission}", param="permission_id")


def rate_limit_error(most: int) -> ApiError:
    """Return the error for more requests in a minute than the service accepts."""
    message = f"Rate limit reached: this service takes {most} requests a minute. Try again in a moment."
    return ApiError(429, message, error_type="requests", code="rate_limit_exceeded")


def in_flight_error() -> ApiError:
    """Return the error for a body that does not fit into memory beside those of other requests."""
    message = "Rate limit reached: other requests with large bodies are being answered. Try again in a moment."
    return ApiError(429, message, error_type="requests", code="rate_limit_exceeded")


def streams_error(most: int) -> ApiError:
    """Return the error for one more stream of events than the service keeps open."""
    message = f"Rate limit reached: this service keeps {most} streams of events open. Try again in a moment."
    return ApiError(429, message, error_type="requests", code="rate_limit_exceeded")


def waiting_jobs_error(most: int) -> ApiError:
    """Return the error for one more job than may wait."""
    message = f"Rate limit reached: {most} jobs of this service have not ended. Try again when some have."
    return ApiError(429, message, error_type="requests", code="rate_limit_exceeded")


def no_job_error(job: str) -> ApiError:
    """Return the error for a job that does not exist."""
    return ApiError(404, f"Could not find fine tune: {job}", param="fine_tuning_job_id", code="fine_tune_not_found")


def no_model_error(model: str) -> ApiError:
    """Return the error for a model that does not exist."""
    message = f"The model '{model}' does not exist or you do not have access to it."
    return ApiError(404, message, param="model", code="model_not_found")


def no_cursor_error(after: str) -> ApiError:
    """Return the error for a page after an id that was never in the list."""
    return value_error("after", f"nothing in this list has the id '{after}'.")


def key_error(given: bool) -> ApiError:
    """Return the error for a key that is missing or wrong. It never repeats what was sent."""
    message = "Incorrect API key provided." if given else "You didn't provide an API key."
    hint = "Send the key of this service in an Authorization header: 'Authorization: Bearer KEY'."
    return ApiError(401, f"{message} {hint}", code="invalid_api_key")


def server_error(message: str = "The server had an error while processing your request.") -> ApiError:
    """Return the error for a defect of the service itself."""
    return ApiError(500, message, error_type=SERVER_ERROR)


def store_error(message: str) -> ApiError:
    """Return the error for a store that cannot be read or written, until a person has mended that."""
    return ApiError(500, message, error_type=SERVER_ERROR, code=STORE_UNUSABLE)


def full_store_error(message: str) -> ApiError:
    """Return the error for a store whose disk is full, until a person has freed some space."""
    return ApiError(507, message, error_type=SERVER_ERROR, code=STORE_UNUSABLE)


def busy_error() -> ApiError:
    """Return the error for a store that another process kept locked for longer than a request waits."""
    message = "The store is busy with another process. Try again in a few seconds."
    return ApiError(503, message, error_type="service_unavailable_error", code="server_is_overloaded")


def busy_connections_error(most: int) -> ApiError:
    """Return the error for a connection that came when all were busy."""
    message = f"The service answers {most} connections at once, and all are busy. Try again in a few seconds."
    return ApiError(503, message, error_type="service_unavailable_error", code="server_is_overloaded")


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    names: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a number"),
        (str, "a string"),
        (list, "an array"),
        (dict, "an object"),
    )
    return next(name for kind, name in names if isinstance(value, kind))
