"""The routes of uploads: a file is announced, sent in parts, and joined in the order that the client gives."""

import hashlib
import re
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from reconciler.service.context import ServiceContext
from reconciler.service.endpoint import (
    ApiRequest,
    JsonResponse,
    RequestBody,
    check_known,
    read_integer,
    read_required_text,
    read_text,
)
from reconciler.service.errors import ApiError, missing_error, type_error, unknown_field_error, value_error
from reconciler.service.multipart import receive_form
from reconciler.service.routes.files import FileRequest, check_content, read_file_request
from reconciler.service.routes.wire import part_json, upload_json
from reconciler.service.seeding import SeedKind, is_seed
from reconciler.service.store.database import new_id
from reconciler.service.store.files import StagedFile, add_file, stage_file
from reconciler.service.store.uploads import (
    COMPLETED,
    PENDING,
    UPLOAD_CANCELLED,
    PartRecord,
    UploadRecord,
    add_part,
    add_upload,
    count_parts,
    end_upload,
    get_upload,
    list_parts,
    order_parts,
    part_path,
    remove_expired,
)

LIFE_SECONDS = 3600
MOST_PARTS = 10_000
LONGEST_KIND = 256
_BLOCK = 1024 * 1024


def create_upload(context: ServiceContext, request: ApiRequest) -> Response:
    """Announce a file that will arrive in parts."""
    body = request.body
    check_known(body, ("filename", "purpose", "bytes", "mime_type", "expires_after"))
    read_required_text(body, "filename")
    wanted = read_file_request(body)
    read_required_text(body, "mime_type", low=1, high=LONGEST_KIND)
    size = read_integer(body, "bytes", 0, context.limits.upload_bytes)
    if size is None:
        raise missing_error("bytes")
    now = context.now()
    upload = UploadRecord(
        id=new_id("upload_"),
        filename=wanted.filename,
        purpose=wanted.purpose,
        size_bytes=size,
        lives_seconds=wanted.lives_seconds,
        created_at=now,
        expires_at=now + LIFE_SECONDS,
    )
    with context.store.write() as db:
        add_upload(db, upload)
    return JsonResponse(upload_json(upload, None))


def make_part_endpoint(context: ServiceContext) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint that takes a part."""

    async def add(request: Request) -> Response:
        upload = request.path_params["upload"]
        await run_in_threadpool(_look, context, upload)
        with stage_file(context.store, new_id("part_"), context.store.parts) as arriving:
            write = context.disk.guard(arriving.write, "data")
            form = await receive_form(request, write, context.limits.part_bytes, part="data")
            for name in form.fields:
                raise unknown_field_error(name)
            part = await run_in_threadpool(_store_part, context, arriving, upload)
        return JsonResponse(part_json(part))

    return add


def complete_upload(context: ServiceContext, request: ApiRequest) -> Response:
    """Join the parts, in the order given, to the file that was announced."""
    check_known(request.body, ("part_ids", "md5"))
    ids, md5 = _part_ids(request.body), read_text(request.body, "md5")
    upload, seeded = _look(context, request.path["upload"])
    if seeded:
        return JsonResponse(upload_json(upload, None))
    if md5 is not None and not re.fullmatch("[0-9A-Fa-f]{32}", md5):
        raise value_error("md5", "expected 32 hexadecimal digits.")
    with context.store.read() as db:
        parts = list_parts(db, upload.id)
    chosen = order_parts(parts, ids)
    if (total := sum(part.size_bytes for part in chosen)) != upload.size_bytes:
        raise value_error("part_ids", f"the parts have {total} bytes, but {upload.size_bytes} were announced.")
    wanted = FileRequest(filename=upload.filename, purpose=upload.purpose, lives_seconds=upload.lives_seconds)
    with stage_file(context.store, new_id("file-")) as arriving:
        try:
            found = _join(context, chosen, arriving)
        except FileNotFoundError:
            # Another request ended the upload while we read its parts.
            _look(context, upload.id)
            raise
        if md5 is not None and md5.lower() != found:
            raise value_error("md5", f"the parts, in the order given, have {found}.", "checksum_mismatch")
        check_content(arriving, wanted.purpose)
        arriving.place()
        record = wanted.record(arriving, context.now())
        try:
            with context.store.write() as db:
                _check_pending(get_upload(db, upload.id))
                add_file(db, record)
                end_upload(db, upload.id, COMPLETED, record.id)
                upload = get_upload(db, upload.id)
        except ApiError:
            arriving.path.unlink()
            raise
    _delete_parts(context, parts)
    return JsonResponse(upload_json(upload, record))


def cancel_upload(context: ServiceContext, request: ApiRequest) -> Response:
    """Cancel an upload and delete its parts."""
    upload, seeded = _look(context, request.path["upload"])
    if seeded:
        return JsonResponse(upload_json(upload, None))
    with context.store.write() as db:
        _check_pending(get_upload(db, upload.id))
        parts = list_parts(db, upload.id)
        end_upload(db, upload.id, UPLOAD_CANCELLED)
        upload = get_upload(db, upload.id)
    _delete_parts(context, parts)
    return JsonResponse(upload_json(upload, None))


def _look(context: ServiceContext, name: str) -> tuple[UploadRecord, bool]:
    remove_expired(context.store, context.now())
    with context.store.read() as db:
        upload = get_upload(db, name)
        _check_pending(upload)
        return upload, is_seed(db, SeedKind.UPLOAD, name)


def _check_pending(upload: UploadRecord) -> None:
    if upload.status != PENDING:
        message = f"The upload {upload.id} takes nothing more: it is already {upload.status}."
        raise ApiError(400, message, param="upload_id", code="invalid_upload_status")


def _store_part(context: ServiceContext, arriving: StagedFile, upload: str) -> PartRecord:
    arriving.place()
    part = PartRecord(id=arriving.id, upload=upload, size_bytes=arriving.size_bytes, created_at=context.now())
    try:
        with context.store.write() as db:
            _check_pending(get_upload(db, upload))
            if is_seed(db, SeedKind.UPLOAD, upload):
                arriving.path.unlink()
                return part
            count, there_bytes = count_parts(db, upload)
            if count >= MOST_PARTS:
                raise ApiError(400, f"An upload has at most {MOST_PARTS} parts.", param="data")
            if there_bytes + part.size_bytes > context.limits.upload_bytes:
                message = f"The parts of an upload have at most {context.limits.upload_bytes} bytes together."
                raise ApiError(413, message, param="data", code="file_too_large")
            add_part(db, part)
    except ApiError:
        arriving.path.unlink()
        raise
    return part


def _part_ids(body: RequestBody) -> tuple[str, ...]:
    ids = body.get("part_ids")
    if ids is None:
        raise missing_error("part_ids")
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise type_error("part_ids", "an array of strings", ids)
    if len(ids) > MOST_PARTS:
        raise value_error("part_ids", f"expected at most {MOST_PARTS} items, got {len(ids)}.", "array_above_max_length")
    return tuple(ids)


def _join(context: ServiceContext, parts: tuple[PartRecord, ...], arriving: StagedFile) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    write = context.disk.guard(arriving.write, "part_ids")
    for part in parts:
        with part_path(context.store, part.id).open("rb") as handle:
            while block := handle.read(_BLOCK):
                md5.update(block)
                write(block)
    return md5.hexdigest()


def _delete_parts(context: ServiceContext, parts: tuple[PartRecord, ...]) -> None:
    for part in parts:
        part_path(context.store, part.id).unlink(missing_ok=True)
