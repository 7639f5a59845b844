"""Files: sent, listed, shown, read back, deleted."""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from reconciler.server.call import MOST_ITEMS, Call, JsonResponse
from reconciler.server.engines.rows import numbered_lines, parsed
from reconciler.server.errors import ApiError, bad_value, missing, unknown_argument, unsupported
from reconciler.server.ids import new_id
from reconciler.server.routes.wire import deleted_json, file_json, page_json
from reconciler.server.service import Service
from reconciler.server.store import files
from reconciler.server.store.files import FINE_TUNE, FileRecord
from reconciler.server.store.incoming import Incoming, incoming
from reconciler.server.store.jobs import is_in_use
from reconciler.server.upload import Upload, receive

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
LONGEST_NAME = 1024

NO_JSONL = "Expected file to have JSONL format, where every line is a valid JSON dictionary."


def uploading(service: Service) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint that takes a file."""

    async def create(request: Request) -> Response:
        with incoming(service.store, new_id("file-")) as arriving:
            upload = await receive(request, arriving.write, service.limits.file_bytes)
            record = await run_in_threadpool(_take, service, arriving, upload)
        return JsonResponse(file_json(record))

    return create


def listed(service: Service, call: Call) -> Response:
    """List files, newest first unless asked otherwise."""
    order = call.query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise bad_value("order", "expected 'asc' or 'desc'.")
    cursor = call.cursor(MOST_ITEMS, ascending=order == "asc")
    with service.store.read() as db:
        found = files.list_files(db, cursor, call.query.get("purpose") or None)
    return JsonResponse(page_json(found, file_json, ends=True))


def shown(service: Service, call: Call) -> Response:
    """Show one file."""
    with service.store.read() as db:
        return JsonResponse(file_json(files.get_file(db, call.path["file"])))


def content(service: Service, call: Call) -> Response:
    """Give the bytes of a file, as they came."""
    with service.store.read() as db:
        file = files.get_file(db, call.path["file"])
    return FileResponse(files.content_of(service.store, file.id), media_type="application/octet-stream")


def deleted(service: Service, call: Call) -> Response:
    """Delete a file that no unfinished job needs."""
    with service.store.write() as db:
        file = files.get_file(db, call.path["file"])
        if is_in_use(db, file.id):
            raise ApiError(409, "File is still processing. Check back later.", param="id")
        files.delete_file(db, file.id, service.now())
    files.content_of(service.store, file.id).unlink(missing_ok=True)
    return JsonResponse(deleted_json(file.id, "file"))


def _take(service: Service, arriving: Incoming, upload: Upload) -> FileRecord:
    purpose = _purpose(upload)
    if not 1 <= len(upload.filename) <= LONGEST_NAME:
        raise bad_value("file", f"expected a file name of 1 to {LONGEST_NAME} characters.")
    if not arriving.size_bytes:
        raise ApiError(400, "File is empty.", param="file", code="empty_file")
    arriving.flush()
    if purpose == FINE_TUNE:
        _check_lines(arriving)
    arriving.place()
    record = FileRecord(
        id=arriving.id,
        filename=upload.filename,
        purpose=purpose,
        size_bytes=arriving.size_bytes,
        created_at=service.now(),
    )
    with service.store.write() as db:
        files.add_file(db, record)
    return record


def _purpose(upload: Upload) -> str:
    for name in upload.fields:
        if name.startswith("expires_after"):
            raise unsupported(name, "is not carried out by this service: files stay until they are deleted.")
        if name != "purpose":
            raise unknown_argument(name)
    if "purpose" not in upload.fields:
        raise missing("purpose")
    if upload.fields["purpose"] not in PURPOSES:
        raise bad_value("purpose", f"'{upload.fields['purpose']}' is not one of {list(PURPOSES)}.")
    return upload.fields["purpose"]


def _check_lines(arriving: Incoming) -> None:
    with arriving.path.open("rb") as handle:
        for number, line in numbered_lines(handle):
            parsed(line, lambda what, number=number: _refuse_line(number, what))  # type: ignore[misc]


def _refuse_line(number: int, what: str) -> None:
    raise ApiError(400, f"{NO_JSONL} Line {number} is not: {what}.", param="file", code="invalid_jsonl")
