"""The routes of files: upload, list, show, download, delete."""

import re
from collections.abc import Awaitable, Callable

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from reconciler.foundation.private import check_regular
from reconciler.service.context import ServiceContext
from reconciler.service.endpoint import (
    MOST_ITEMS,
    ApiRequest,
    JsonResponse,
    RequestBody,
    check_known,
    read_integer,
    read_object,
    read_required_text,
)
from reconciler.service.engines.rows import numbered_lines, parse_row
from reconciler.service.errors import ApiError, missing_error, unknown_field_error, value_error
from reconciler.service.multipart import MultipartForm, receive_form
from reconciler.service.routes.wire import deleted_json, file_json, page_json
from reconciler.service.seeding import SeedKind, is_seed
from reconciler.service.store import files
from reconciler.service.store.database import new_id
from reconciler.service.store.files import FINE_TUNE, FileRecord, StagedFile, stage_file
from reconciler.service.store.jobs import is_in_use

_ANCHOR, _SECONDS = "expires_after[anchor]", "expires_after[seconds]"


def make_upload_endpoint(context: ServiceContext) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint that takes a file."""

    async def create(request: Request) -> Response:
        with stage_file(context.store, new_id("file-")) as arriving:
            write = context.disk.guard(arriving.write, "file")
            upload = await receive_form(request, write, context.limits.file_bytes)
            record = await run_in_threadpool(_store_file, context, arriving, upload)
        return JsonResponse(file_json(record))

    return create


def list_files(context: ServiceContext, request: ApiRequest) -> Response:
    """List files, newest first unless wanted otherwise."""
    order = request.query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise value_error("order", "expected 'asc' or 'desc'.")
    cursor = request.cursor(MOST_ITEMS, ascending=order == "asc")
    with context.store.read() as db:
        found = files.list_files(db, cursor, request.query.get("purpose") or None)
    return JsonResponse(page_json(found, file_json, ends=True))


def show_file(context: ServiceContext, request: ApiRequest) -> Response:
    """Show one file."""
    with context.store.read() as db:
        return JsonResponse(file_json(files.get_file(db, request.path["file"])))


def send_content(context: ServiceContext, request: ApiRequest) -> Response:
    """Return the bytes of a file, unchanged."""
    with context.store.read() as db:
        file = files.get_file(db, request.path["file"])
    path = files.content_path(context.store, file.id)
    check_regular(path)
    return FileResponse(path, media_type="application/octet-stream")


def delete_file(context: ServiceContext, request: ApiRequest) -> Response:
    """Delete a file that no unfinished job needs."""
    with context.store.write() as db:
        file = files.get_file(db, request.path["file"])
        if is_seed(db, SeedKind.FILE, file.id):
            return JsonResponse(deleted_json(file.id, "file"))
        if is_in_use(db, file.id):
            raise ApiError(409, "File is still processing. Check back later.", param="id")
        files.delete_file(db, file.id, context.now())
    files.content_path(context.store, file.id).unlink(missing_ok=True)
    return JsonResponse(deleted_json(file.id, "file"))


def _store_file(context: ServiceContext, arriving: StagedFile, upload: MultipartForm) -> FileRecord:
    wanted = read_file_request(_file_fields(upload), param="file")
    check_content(arriving, wanted.purpose)
    arriving.place()
    record = wanted.record(arriving, context.now())
    with context.store.write() as db:
        files.add_file(db, record)
    return record


def _file_fields(upload: MultipartForm) -> RequestBody:
    fields = dict(upload.fields)
    facts: dict[str, object] = {"filename": upload.filename, "purpose": fields.pop("purpose", None)}
    anchor, seconds = fields.pop(_ANCHOR, None), fields.pop(_SECONDS, None)
    for name in fields:
        raise unknown_field_error(name)
    if anchor is not None or seconds is not None:
        number = int(seconds) if seconds and re.fullmatch(r"[0-9]{1,9}", seconds) else seconds
        facts["expires_after"] = {"anchor": anchor, "seconds": number}
    return facts


BATCH = "batch"
PURPOSES = ("assistants", BATCH, FINE_TUNE, "vision", "user_data", "evals")
LONGEST_NAME = 1024
SHORTEST_LIFE, LONGEST_LIFE = 3600, 30 * 24 * 3600

NO_JSONL = "Expected file to have JSONL format, where every line is a valid JSON dictionary."


class FileRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the client asks for. `lives_seconds` is None for a file that stays until it is deleted."""

    filename: str
    purpose: str
    lives_seconds: int | None

    def record(self, arrived: StagedFile, now: int) -> FileRecord:
        """Return the record of the file that arrived."""
        return FileRecord(
            id=arrived.id,
            filename=self.filename,
            purpose=self.purpose,
            size_bytes=arrived.size_bytes,
            created_at=now,
            expires_at=None if self.lives_seconds is None else now + self.lives_seconds,
        )


def read_file_request(facts: RequestBody, param: str = "filename") -> FileRequest:
    """Read and check the fields of a file.

    Shape:  reads `filename`, `purpose` and `expires_after`; `param` is the client's word for the name
    Raises: ApiError
    """
    filename = facts.get("filename")
    if not isinstance(filename, str) or not 1 <= len(filename) <= LONGEST_NAME:
        raise value_error(param, f"expected a file name of 1 to {LONGEST_NAME} characters.")
    purpose = read_required_text(facts, "purpose")
    if purpose not in PURPOSES:
        raise value_error("purpose", f"'{purpose}' is not one of {list(PURPOSES)}.")
    return FileRequest(filename=filename, purpose=purpose, lives_seconds=_life(facts, purpose))


def check_content(arriving: StagedFile, purpose: str) -> None:
    """Return when the bytes can be a file of this purpose.

    Raises: ApiError
    """
    if not arriving.size_bytes:
        raise ApiError(400, "File is empty.", param="file", code="empty_file")
    arriving.flush()
    if purpose == FINE_TUNE:
        with arriving.path.open("rb") as handle:
            for number, line in numbered_lines(handle):
                parse_row(line, lambda what, number=number: _refuse_line(number, what))  # type: ignore[misc]


def _life(facts: RequestBody, purpose: str) -> int | None:
    after = read_object(facts, "expires_after")
    if after is None:
        # The only purpose whose files the API deletes by itself.
        return LONGEST_LIFE if purpose == BATCH else None
    check_known(after, ("anchor", "seconds"), "expires_after.")
    if after.get("anchor") != "created_at":
        raise value_error("expires_after.anchor", "expected 'created_at'.")
    seconds = read_integer(after, "seconds", SHORTEST_LIFE, LONGEST_LIFE, at="expires_after.")
    if seconds is None:
        raise missing_error("expires_after.seconds")
    return seconds


def _refuse_line(number: int, what: str) -> None:
    raise ApiError(400, f"{NO_JSONL} Line {number} is not: {what}.", param="file", code="invalid_jsonl")
