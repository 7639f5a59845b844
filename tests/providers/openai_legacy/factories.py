"""Models, files and services for the tests of the old dialect."""

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.observed import FileId
from reconciler.domain.ports import Done
from reconciler.domain.spec import Format
from reconciler.providers import HttpProvider, open_provider
from reconciler.providers.openai_legacy.labels import JobLabel, Request, project_key
from tests.factories import a_dataset, a_model
from tests.providers.fakes import Clock
from tests.providers.openai_legacy.fake import OldService

PROJECT = "acme"
KEY = project_key(PROJECT)
URL = "http://127.0.0.1:8000/v1"


def rows(word: str = "rows", name: str = "tickets") -> Dataset:
    """A dataset of prompts and completions, as large as `content` is."""
    return a_dataset(name, word, count=1, format=Format.COMPLETION)


def wanted(name: str = "triage", *, epochs: int | None = None, word: str = "rows", base: str = "curie") -> Model:
    """A model that a server of that generation can train."""
    return a_model(name, base=base, training=rows(word), epochs=epochs)


def opened(service: OldService, project: str = PROJECT) -> HttpProvider:
    """Open the service through the dialect, as a new process does."""
    clock = Clock()
    environ = {"OPENAI_API_KEY": "key-of-a-test", "OPENAI_API_BASE": URL}
    return open_provider(
        "openai-legacy", project=project, environ=environ, transport=service.transport, clock=clock, sleep=clock.sleep
    )


def sent(service: OldService, model: Model, project: str = PROJECT) -> FileId:
    """Upload the file of a model's rows."""
    outcome = opened(service, project).upload(model.training, iter([b"x" * model.training.measure.size_bytes]))
    assert isinstance(outcome, Done)
    return outcome.value.id


def intent(model: Model, training: str | None = "file-1", *, at: int = 0, project: str = KEY) -> JobLabel:
    """The label of a create that is about to be sent."""
    file = FileId(training) if training else None
    request = Request(
        base=model.recipe.base, training=file, validation=None, settings=dict(model.recipe.hyperparameters)
    )
    return JobLabel(project=project, stamp=model.stamp, request=request.text, created_at=at)


def labels_in(service: OldService) -> list[str]:
    """The names of all labels there."""
    return [file["filename"] for file in service.files.values() if file["filename"].startswith("reconciler.")]
