"""Read by Schemathesis: leads a share of its requests to things that exist, and checks every refusal's envelope."""

import json
import os
import random
from typing import Any

import schemathesis

IDS = json.loads(os.environ.get("WITNESS_IDS", "{}"))
"""Things that exist, by the name of the path parameter that takes them."""

DICE = random.Random(20)


@schemathesis.hook  # type: ignore[untyped-decorator]  # the library has no types for it
def before_load_schema(context: Any, raw_schema: Any) -> None:
    """Mend the places in which the descriptions contradict themselves or the service that they describe."""
    schemas = raw_schema["components"]["schemas"]
    file = schemas["OpenAIFile"]["properties"]
    # One may ask for this purpose, and then the answer has it too.
    file["purpose"]["enum"] = sorted({*file["purpose"]["enum"], "evals"})
    # An empty list has no first and no last item.
    for name in ("first_id", "last_id"):
        schemas["ListFilesResponse"]["properties"].get(name, {}).pop("type", None)
    # The content of a file is its bytes, and no string in JSON.
    content = raw_schema["paths"]["/files/{file_id}/content"]["get"]["responses"]["200"]
    content["content"] = {"application/octet-stream": {}}
    # Described in words alone: with stream=true, the answer is a stream of events.
    completion = raw_schema["paths"]["/completions"]["post"]["responses"]["200"]
    completion["content"]["text/event-stream"] = {}
    # With echo, the first token of the prompt has no probability, and never had one.
    choice = schemas["CreateCompletionResponse"]["properties"]["choices"]["items"]["properties"]
    for form in choice["logprobs"].get("anyOf", [choice["logprobs"]]):
        for name in {"token_logprobs", "top_logprobs"} & form.get("properties", {}).keys():
            form["properties"][name]["items"] = {}
    if "FineTune" in schemas:
        # "deleted" is the status that a job of that API shows for a deleted file.
        file["status"]["enum"] = [*file["status"]["enum"], "deleted"]
        # Unset until the service had chosen, as the guide of that time shows.
        hyperparams = schemas["FineTune"]["properties"]["hyperparams"]["properties"]
        for name in ("n_epochs", "batch_size", "learning_rate_multiplier"):
            hyperparams[name]["nullable"] = True
        # Described in words alone: with stream=true, events come as they happen.
        events = raw_schema["paths"]["/fine-tunes/{fine_tune_id}/events"]["get"]["responses"]["200"]
        events["content"]["text/event-stream"] = {}


@schemathesis.hook  # type: ignore[untyped-decorator]  # the library has no types for it
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Put something that exists into half of the paths; else nearly every request would meet a 404."""
    if isinstance(path_parameters, dict):
        for name in path_parameters:
            if name in IDS and DICE.random() < 0.5:
                path_parameters[name] = DICE.choice(IDS[name])
    return path_parameters


@schemathesis.hook  # type: ignore[untyped-decorator]  # the library has no types for it
def map_body(context: Any, body: Any) -> Any:
    """Name a model and a file that exist in half of the bodies; one in twenty may then create a job."""
    if isinstance(body, dict):
        if "training_file" in body and DICE.random() < 0.05:
            for field in set(body) - {"model", "training_file", "seed", "suffix", "metadata"}:
                del body[field]
            body.update(model=IDS["base"][0], training_file=IDS["file_id"][0])
        elif "model" in body and "training_file" not in body and DICE.random() < 0.5:
            body["model"] = DICE.choice(IDS["model"])
    return body


@schemathesis.check  # type: ignore[untyped-decorator]  # the library has no types for it
def refusals_have_the_envelope(ctx: Any, response: Any, case: Any) -> None:
    """Every answer that is no success is an object with one error in it."""
    if response.status_code < 400:
        return
    body = json.loads(response.content)
    if set(body) != {"error"} or not {"message", "type", "param", "code"} <= set(body["error"]):
        raise AssertionError(f"a refusal without the API's envelope: {response.content[:500]!r}")
    if not response.headers.get("x-request-id"):
        raise AssertionError("a refusal without a request id")
