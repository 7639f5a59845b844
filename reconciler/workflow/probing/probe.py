"""Proves with one tiny file, which is deleted again, that a service keeps files as they were sent. Costs nothing."""

import hashlib
from collections.abc import Callable, Iterator

import msgspec

from reconciler.domain.desired import Dataset, Measure, Part
from reconciler.domain.errors import MalformedError, Place, PolicyError, ProviderError
from reconciler.domain.identity import DIGEST_VERSION, Digest
from reconciler.domain.observed import Observed, RemoteFile
from reconciler.domain.ports import Done, Provider, Refused, Unknown
from reconciler.domain.spec import DatasetSpec, Expect, Format
from reconciler.planner import account_mismatches

NAME = "doctor-probe"

_ROWS = {
    Format.CHAT: {"messages": [{"role": "user", "content": "Is it kept?"}, {"role": "assistant", "content": "{}"}]},
    Format.COMPLETION: {"prompt": "Is it kept?", "completion": " {}"},
}
_KEEPS = "a service, or a gateway before it, has to keep names, sizes and purposes of files as they are sent"


class ProbeFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the probe did or saw; `error` is what is wrong with it."""

    what: str
    detail: str = ""
    error: ProviderError | None = None


def check_account(expect: Expect, observed: Observed) -> None:
    """Check that a service is the one that the Project expects.

    Raises: PolicyError
    """
    if wrong := tuple(account_mismatches(expect, observed)):
        raise PolicyError(f"this is not the service that the Project expects: {'; '.join(wrong)}")


def probe_files(
    provider: Provider, nonce: str, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Iterator[ProbeFinding]:
    """Yield what becomes of a tiny training file: how it is stored, read back, listed and deleted.

    Shape:  `nonce` makes the file unlike that of any other probe
    """
    dataset, line = make_dataset(provider, nonce)
    match provider.upload(dataset, iter((line,))):
        case Refused(error):
            yield ProbeFinding(what="upload", error=error)
        case Unknown(why):
            yield ProbeFinding(what="upload", error=MalformedError(f"it is not known whether the file arrived: {why}"))
            found = provider.find_file(dataset)
            if found:
                yield _delete(provider, found)
        case Done(file, doubts):
            try:
                yield from _look(provider, dataset, file, doubts, clock, sleep)
            finally:
                gone = _delete(provider, file)
            yield gone


def make_dataset(provider: Provider, nonce: str) -> tuple[Dataset, bytes]:
    """Return a dataset of one row that the service takes, and the row's line."""
    formats = provider.capabilities.formats
    row_format = next((each for each in _ROWS if each in formats), Format.CHAT)
    line = msgspec.json.encode(_ROWS[row_format]).replace(b"{}", nonce.encode()) + b"\n"
    digest = Digest(DIGEST_VERSION, hashlib.sha256(line).hexdigest())
    spec = DatasetSpec(name=NAME, place=Place(file=NAME), sources=(NAME,))
    measure = Measure(digest=digest, rows=1, size_bytes=len(line))
    return Dataset(spec=spec, part=Part.TRAINING, format=row_format, measure=measure), line


def _look(
    provider: Provider,
    dataset: Dataset,
    file: RemoteFile,
    doubts: tuple[str, ...],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Iterator[ProbeFinding]:
    name, size_bytes = dataset.file_key
    yield ProbeFinding(what="upload", detail=f"{name}, {size_bytes} bytes, stored as {file.id}")
    try:
        kept = provider.file(file.id)
        wrong = (*doubts, *_differences(kept, name, size_bytes))
        error = MalformedError(f"the service stored it with {', '.join(dict.fromkeys(wrong))}", hint=_KEEPS)
        yield ProbeFinding(what="read back", error=error if wrong else None, detail="name, size and purpose as sent")
        if wrong:
            return
        began, bound = clock(), provider.capabilities.list_lag_seconds
        while provider.find_file(dataset) is None:
            if clock() - began > bound:
                yield ProbeFinding(what="list", error=MalformedError(f"it does not show the file after {bound:.0f} s"))
                return
            sleep(provider.capabilities.poll_seconds)
        yield ProbeFinding(what="list", detail="shows it")
    except ProviderError as error:
        yield ProbeFinding(what="read back", error=error)


def _differences(kept: RemoteFile, name: str, size_bytes: int) -> Iterator[str]:
    if kept.filename != name:
        yield f"the name {kept.filename!r} instead of {name!r}"
    if not kept.is_recoded and kept.size_bytes != size_bytes:
        yield f"the size {kept.size_bytes} instead of {size_bytes}"
    if kept.stamp is None and kept.filename == name:
        yield f"the purpose {kept.purpose!r}"


def _delete(provider: Provider, file: RemoteFile) -> ProbeFinding:
    match provider.delete(file.id, is_model=False):
        case Done():
            return ProbeFinding(what="delete", detail=f"{file.id} is deleted")
        case Refused(error):
            return ProbeFinding(what="delete", error=error)
        case Unknown(why):
            what = f"it is not known whether {file.id} was deleted: {why}"
            return ProbeFinding(what="delete", error=MalformedError(what, hint="look at it, and delete it there"))
