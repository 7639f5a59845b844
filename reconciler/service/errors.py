"""Refusals in the API's words: every answer that is not a success is made here. Knows no HTTP library."""

from reconciler.domain.errors import ReconcilerError
from reconciler.evaluation import GraderError

INVALID_REQUEST = "invalid_request_error"
SERVER_ERROR = "server_error"


class ApiError(ReconcilerError):
    """An answer with an error envelope.

    Shape:  `param` names the field of the request that is at fault, `code` is a stable word for programs
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        type: str = INVALID_REQUEST,  # noqa: A002 (the word of the envelope)
    ) -> None:
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.type = type
        super().__init__(message)

    @property
    def envelope(self) -> dict[str, object]:
        """The body of the answer."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def value_error(param: str, message: str, code: str | None = "invalid_value") -> ApiError:
    """A field whose value is refused."""
    return ApiError(400, f"Invalid value for '{param}': {message}", param=param, code=code)


def type_error(param: str, expected: str, found: object) -> ApiError:
    """A field of the wrong JSON type."""
    return ApiError(
        400,
        f"Invalid type for '{param}': expected {expected}, but got {_json_type(found)} instead.",
        param=param,
        code="invalid_type",
    )


def missing_error(param: str) -> ApiError:
    """A field that has to be there."""
    return ApiError(400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def unsupported_error(param: str, message: str) -> ApiError:
    """A field that the API knows and this service does not carry out."""
    return ApiError(400, f"Unsupported parameter: '{param}' {message}", param=param, code="unsupported_parameter")


def unknown_field_error(param: str) -> ApiError:
    """A field that nobody knows."""
    message = f"Unrecognized request argument supplied: {param}"
    return ApiError(400, message, param=param, code="unknown_parameter")


def grader_refusal(error: GraderError) -> ApiError:
    """Return what is wrong with a grader in the API's words."""
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
    """A file that is not there."""
    return ApiError(404, f"No such File object: {file}", param="id")


def no_upload_error(upload: str) -> ApiError:
    """An upload that is not there."""
    return ApiError(404, f"No such Upload object: {upload}", param="upload_id")


def no_permission_error(permission: str) -> ApiError:
    """A permission that is not there."""
    return ApiError(404, f"No such checkpoint permission: {permission}", param="permission_id")


def rate_limit_error(most: int) -> ApiError:
    """More requests in a minute than the service was told to take."""
    message = f"Rate limit reached: this service takes {most} requests a minute. Try again in a moment."
    return ApiError(429, message, type="requests", code="rate_limit_exceeded")


def no_job_error(job: str) -> ApiError:
    """A job that is not there."""
    return ApiError(404, f"Could not find fine tune: {job}", param="fine_tuning_job_id", code="fine_tune_not_found")


def no_model_error(model: str) -> ApiError:
    """A model that is not there."""
    message = f"The model '{model}' does not exist or you do not have access to it."
    return ApiError(404, message, param="model", code="model_not_found")


def no_cursor_error(after: str) -> ApiError:
    """A page asked for after something that was never in the list."""
    return value_error("after", f"nothing in this list has the id '{after}'.")


def key_error(given: bool) -> ApiError:
    """A key that is missing or wrong; never says what was sent."""
    message = "Incorrect API key provided." if given else "You didn't provide an API key."
    hint = "Send the key of this service in an Authorization header: 'Authorization: Bearer KEY'."
    return ApiError(401, f"{message} {hint}", code="invalid_api_key")


def server_error(message: str = "The server had an error while processing your request.") -> ApiError:
    """A fault of the service itself."""
    return ApiError(500, message, type=SERVER_ERROR)


def busy_error() -> ApiError:
    """A store that another process kept locked for longer than a request waits."""
    message = "The store is busy with another process. Try again in a few seconds."
    return ApiError(503, message, type="service_unavailable_error", code="server_is_overloaded")


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
