"""Graders tried out: whether the service could read one, and what it gives for one sample."""

import time

from starlette.responses import Response

from reconciler.evaluation.graders import Grader, Multi, read_grader
from reconciler.evaluation.score import Score, score
from reconciler.service.context import Service
from reconciler.service.endpoint import Call, JsonResponse
from reconciler.service.errors import missing
from reconciler.service.fields import only, required_text, table

_ERRORS = (
    "formula_parse_error",
    "sample_parse_error",
    "truncated_observation_error",
    "unresponsive_reward_error",
    "invalid_variable_error",
    "other_error",
    "python_grader_server_error",
    "python_grader_runtime_error",
    "model_grader_server_error",
    "model_grader_refusal_error",
    "model_grader_parse_error",
)
_DETAILS = (
    "python_grader_server_error_type",
    "python_grader_runtime_error_details",
    "model_grader_server_error_details",
)


def validated(service: Service, call: Call) -> Response:
    """Say back a grader whose shape is right, of any kind that the API knows."""
    only(call.body, ("grader",))
    _grader(call)
    return JsonResponse({"grader": call.body["grader"]})


def ran(service: Service, call: Call) -> Response:
    """Grade one sample with a grader that needs no model."""
    only(call.body, ("grader", "model_sample", "item"))
    grader = _grader(call)
    sample = required_text(call.body, "model_sample")
    item = table(call.body, "item") or {}
    began = time.perf_counter()
    found = score(grader, sample, item)
    return JsonResponse(_answer(grader, str(call.body["grader"]["type"]), found, time.perf_counter() - began))  # type: ignore[index]


def _grader(call: Call) -> Grader:
    given = table(call.body, "grader")
    if given is None:
        raise missing("grader")
    return read_grader(given)


def _answer(grader: Grader, kind: str, found: Score, seconds: float) -> dict[str, object]:
    scores = dict(found.parts) if isinstance(grader, Multi) else {grader.name: found.reward}
    return {
        "reward": found.reward,
        "sub_rewards": dict(found.parts),
        "model_grader_token_usage_per_model": {},
        "metadata": {
            "name": grader.name,
            "type": kind,
            "execution_time": seconds,
            "scores": scores,
            "token_usage": None,
            "sampled_model_name": None,
            "errors": {**{name: name in found.errors for name in _ERRORS}, **dict.fromkeys(_DETAILS)},
        },
    }
