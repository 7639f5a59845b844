"""Azure: the vendor's own SDK runs its documented flow against the stand-in, and ours keeps its promises there."""

from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from openai import AzureOpenAI, BadRequestError, OpenAI

from reconciler.domain.observed import FileId
from reconciler.domain.ports import Done, Refused
from reconciler.domain.spec import Recipe
from reconciler.providers import PROFILES, HttpProvider, RuleFault, open_provider, recipe_faults
from reconciler.testing import dataset_of, model_of, rows_of
from tests.providers.fake_service import FakeService
from tests.services.azure import KEY, AzureTranslator

URL = "https://house.openai.azure.com"
ROWS = rows_of("hello")


def open_service(**switches: Any) -> tuple[FakeService, AzureTranslator]:
    service = FakeService(account={}, page=100)
    return service, AzureTranslator(service.transport, **switches)


def open_client(transport: httpx.BaseTransport) -> Any:
    """Return what the SDK sends with; it names the type of a library of its own, and takes this one."""
    return httpx.Client(transport=transport)


def open_ours(transport: httpx.BaseTransport, url: str = URL) -> HttpProvider:
    environ = {"AZURE_OPENAI_ENDPOINT": url, "AZURE_OPENAI_API_KEY": KEY}
    return open_provider("azure", project="acme", environ=environ, transport=transport, sleep=lambda _: None)


@pytest.mark.parametrize("nulls", [False, True])
def test_the_vendor_s_client_runs_its_flow(nulls: bool) -> None:
    service, transport = open_service(processes=True, shows_nulls=nulls)
    client = OpenAI(base_url=f"{URL}/openai/v1/", api_key=KEY, http_client=open_client(transport), max_retries=0)
    file = client.files.create(file=("rows.jsonl", b"{}\n"), purpose="fine-tune")
    asked: dict[str, Any] = {"model": "gpt-4.1-mini-2025-04-14", "training_file": file.id, "suffix": "triage"}
    with pytest.raises(BadRequestError, match="completed file import"):
        client.fine_tuning.jobs.create(**asked, extra_body={"trainingType": "Standard"})
    assert client.files.wait_for_processing(file.id, poll_interval=0.01).status == "processed"
    with pytest.raises(BadRequestError, match="does not support fine-tuning"):
        client.fine_tuning.jobs.create(**asked)
    job = client.fine_tuning.jobs.create(**asked, metadata={"a": "b"}, extra_body={"trainingType": "globalStandard"})
    assert (job.status, job.metadata) == ("pending", {"a": "b"})
    assert [each.id for each in client.fine_tuning.jobs.list()] == [job.id]
    assert list(client.fine_tuning.jobs.list_events(job.id))
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    assert [each.id for each in client.files.list()] == [file.id]
    assert client.files.delete(file.id).deleted
    assert service.jobs


def test_the_vendor_s_other_client_signs_with_a_header() -> None:
    _, transport = open_service()
    client = AzureOpenAI(
        base_url=f"{URL}/openai/v1/",
        api_version="preview",
        api_key=KEY,
        http_client=open_client(transport),
        max_retries=0,
    )
    assert client.files.list().data == []


@pytest.mark.parametrize(
    "url", [URL, f"{URL}/", f"{URL}/openai/v1", "https://x.services.ai.azure.com/api/projects/p/openai/v1"]
)
def test_the_address_of_a_resource_is_completed(url: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"data": [], "has_more": False})

    with open_ours(httpx.MockTransport(answer), url) as provider:
        provider.list_jobs()
    assert asked[0].url.path.endswith("/openai/v1/fine_tuning/jobs")
    assert asked[0].headers["api-key"] == KEY
    assert "authorization" not in asked[0].headers


def train(provider: HttpProvider) -> tuple[FileId, object]:
    dataset = dataset_of(ROWS)
    sent = provider.upload(dataset, iter([ROWS]))
    assert isinstance(sent, Done)
    model = model_of(training=dataset)
    model = replace(model, recipe=replace(model.recipe, extra='{"trainingType":"GlobalStandard"}'))
    return sent.value.id, provider.create_job(model, sent.value.id, None, ())


@pytest.mark.parametrize("nulls", [False, True])
def test_a_job_comes_back_as_ours(nulls: bool) -> None:
    service, transport = open_service(shows_nulls=nulls)
    with open_ours(transport) as provider:
        _, created = train(provider)
        assert isinstance(created, Done)
        assert created.value.stamp is not None
        assert created.doubts == ()
        assert provider.observe().jobs == (created.value,)
    assert len(service.jobs) == 1


def test_a_service_that_drops_the_metadata_is_noticed_with_the_first_job() -> None:
    _, transport = open_service(keeps_metadata=False)
    with open_ours(transport) as provider:
        _, created = train(provider)
        assert isinstance(created, Done)
        assert created.value.stamp is None
        assert "without the metadata that was sent" in created.doubts
        assert [job.id for job in provider.unmarked_jobs()] == [created.value.id]


def test_models_are_deleted_in_the_portal_only() -> None:
    service, transport = open_service()
    with open_ours(transport) as provider:
        _, created = train(provider)
        assert isinstance(created, Done)
        model = service.finish(created.value.id)
        before = len(service.requests)
        outcome = provider.delete(model, is_model=True)  # type: ignore[arg-type]  # an id as the service writes it
        assert isinstance(outcome, Refused)
        assert "deletes no models" in str(outcome.error)
        assert len(service.requests) == before


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"extra": "{}"}, "extra.trainingType", "creates no job without trainingType"),
        ({"extra": '{"trainingType":"Global"}'}, "extra.trainingType", "has no trainingType 'Global'"),
        ({"suffix": "a.b c"}, "suffix", 'the suffix holds ". ", and azure takes letters, digits, - and _'),
        ({"suffix": "x" * 41}, "suffix", "41 characters"),
    ],
)
def test_what_the_service_would_refuse_is_a_fault_of_the_recipe(changes: dict[str, str], field: str, why: str) -> None:
    faults = find_faults(**changes)
    assert [(fault.field, why in fault.what) for fault in faults] == [(field, True)]


def test_a_right_recipe_has_no_fault() -> None:
    assert find_faults(extra='{"trainingType":"developertier"}', suffix="a-b_C9") == []


def find_faults(**changes: str) -> list[RuleFault]:
    recipe = Recipe(base="gpt-4.1-mini-2025-04-14", **{"extra": '{"trainingType":"standard"}', **changes})  # type: ignore[arg-type]
    return list(recipe_faults(recipe, PROFILES["azure"].capabilities, "azure"))
