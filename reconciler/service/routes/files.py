"""Files: sent, listed, shown, read back, deleted."""

import re
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from reconciler.service.context import Service
from reconciler.service.endpoint import MOST_ITEMS, Call, JsonResponse
from reconciler.service.errors import ApiError, bad_value, unknown_argument
from reconciler.service.fields import Json
from reconciler.service.ids import new_id
from reconciler.service.routes.intake import check_content, read_asked
from reconciler.service.routes.wire import deleted_json, file_json, page_json
from reconciler.service.store import files
from reconciler.service.store.files import FileRecord
from reconciler.service.store.jobs import is_in_use
from reconciler.service.store.seeds import Seeded, is_seed
from reconciler.service.store.staging import Incoming, incoming
from reconciler.service.upload import Upload, receive

_ANCHOR, _SECONDS = "expires_after[anchor]", "expires_after[seconds]"


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
    """Return the bytes of a file, as they came."""
    with service.store.read() as db:
        file = files.get_file(db, call.path["file"])
    return FileResponse(files.content_of(service.store, file.id), media_type="application/octet-stream")


def deleted(service: Service, call: Call) -> Response:
    """Delete a file that no unfinished job needs."""
    with service.store.write() as db:
        file = files.get_file(db, call.path["file"])
        if is_seed(db, Seeded.FILE, file.id):
            return JsonResponse(deleted_json(file.id, "file"))
        if is_in_use(db, file.id):
            raise ApiError(409, "File is still processing. Check back later.", param="id")
        files.delete_file(db, file.id, service.now())
    files.content_of(service.store, file.id).unlink(missing_ok=True)
    return JsonResponse(deleted_json(file.id, "file"))


def _take(service: Service, arriving: Incoming, upload: Upload) -> FileRecord:
    asked = read_asked(_facts(upload), param="file")
    check_content(arriving, asked.purpose)
    arriving.place()
    record = asked.record(arriving, service.now())
    with service.store.write() as db:
        files.add_file(db, record)
    return record


def _facts(upload: Upload) -> Json:
    fields = dict(upload.fields)
    facts: dict[str, object] = {"filename": upload.filename, "purpose": fields.pop("purpose", None)}
    anchor, seconds = fields.pop(_ANCHOR, None), fields.pop(_SECONDS, None)
    for name in fields:
        raise unknown_argument(name)
    if anchor is not None or seconds is not None:
        number = int(seconds) if seconds and re.fullmatch(r"[0-9]{1,9}", seconds) else seconds
        facts["expires_after"] = {"anchor": anchor, "seconds": number}
    return facts
