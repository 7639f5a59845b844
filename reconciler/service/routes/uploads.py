"""Uploads: a file announced, sent in parts, and put together when its owner says in which order."""

import hashlib
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from reconciler.service.context import Service
from reconciler.service.endpoint import Call, JsonResponse
from reconciler.service.errors import ApiError, bad_type, bad_value, missing, unknown_argument
from reconciler.service.fields import Json, only, required_text, text, whole
from reconciler.service.ids import new_id
from reconciler.service.routes.intake import Asked, check_content, read_asked
from reconciler.service.routes.wire import part_json, upload_json
from reconciler.service.store.expiry import expire
from reconciler.service.store.files import add_file
from reconciler.service.store.seeds import Seeded, is_seed
from reconciler.service.store.staging import Incoming, incoming
from reconciler.service.store.uploads import (
    COMPLETED,
    PENDING,
    UPLOAD_CANCELLED,
    PartRecord,
    UploadRecord,
    add_part,
    add_upload,
    end_upload,
    get_upload,
    ordered,
    part_content,
    parts_of,
)
from reconciler.service.upload import receive

LIFE_SECONDS = 3600
MOST_PARTS = 100_000
_BLOCK = 1024 * 1024


def created(service: Service, call: Call) -> Response:
    """Announce a file that will come in parts."""
    body = call.body
    only(body, ("filename", "purpose", "bytes", "mime_type", "expires_after"))
    required_text(body, "filename")
    asked = read_asked(body)
    required_text(body, "mime_type")
    size = whole(body, "bytes", 0, service.limits.upload_bytes)
    if size is None:
        raise missing("bytes")
    now = service.now()
    upload = UploadRecord(
        id=new_id("upload_"),
        filename=asked.filename,
        purpose=asked.purpose,
        size_bytes=size,
        lives_seconds=asked.lives_seconds,
        created_at=now,
        expires_at=now + LIFE_SECONDS,
    )
    with service.store.write() as db:
        add_upload(db, upload)
    return JsonResponse(upload_json(upload, None))


def adding(service: Service) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint that takes a part."""

    async def add(request: Request) -> Response:
        upload = request.path_params["upload"]
        await run_in_threadpool(_look, service, upload)
        with incoming(service.store, new_id("part_"), service.store.parts) as arriving:
            came = await receive(request, arriving.write, service.limits.part_bytes, part="data")
            for name in came.fields:
                raise unknown_argument(name)
            part = await run_in_threadpool(_take, service, arriving, upload)
        return JsonResponse(part_json(part))

    return add


def completed(service: Service, call: Call) -> Response:
    """Put the parts together, in the order given, to the file that was announced."""
    only(call.body, ("part_ids", "md5"))
    ids, md5 = _part_ids(call.body), text(call.body, "md5")
    upload, seeded = _look(service, call.path["upload"])
    if seeded:
        return JsonResponse(upload_json(upload, None))
    with service.store.read() as db:
        parts = parts_of(db, upload.id)
    chosen = ordered(parts, ids)
    if (total := sum(part.size_bytes for part in chosen)) != upload.size_bytes:
        raise bad_value("part_ids", f"the parts have {total} bytes, but {upload.size_bytes} were announced.")
    asked = Asked(filename=upload.filename, purpose=upload.purpose, lives_seconds=upload.lives_seconds)
    with incoming(service.store, new_id("file-")) as arriving:
        try:
            found = _join(service, chosen, arriving)
        except FileNotFoundError:
            # Somebody else has ended the upload while we were reading its parts.
            _look(service, upload.id)
            raise
        if md5 is not None and md5.lower() != found:
            raise bad_value("md5", f"the parts, in the order given, have {found}.", "checksum_mismatch")
        check_content(arriving, asked.purpose)
        arriving.place()
        record = asked.record(arriving, service.now())
        try:
            with service.store.write() as db:
                _pending(get_upload(db, upload.id))
                add_file(db, record)
                end_upload(db, upload.id, COMPLETED, record.id)
                upload = get_upload(db, upload.id)
        except ApiError:
            arriving.path.unlink()
            raise
    _forget(service, parts)
    return JsonResponse(upload_json(upload, record))


def cancelled(service: Service, call: Call) -> Response:
    """Return an upload up; its parts are gone."""
    upload, seeded = _look(service, call.path["upload"])
    if seeded:
        return JsonResponse(upload_json(upload, None))
    with service.store.write() as db:
        _pending(get_upload(db, upload.id))
        parts = parts_of(db, upload.id)
        end_upload(db, upload.id, UPLOAD_CANCELLED)
        upload = get_upload(db, upload.id)
    _forget(service, parts)
    return JsonResponse(upload_json(upload, None))


def _look(service: Service, name: str) -> tuple[UploadRecord, bool]:
    expire(service.store, service.now())
    with service.store.read() as db:
        upload = get_upload(db, name)
        _pending(upload)
        return upload, is_seed(db, Seeded.UPLOAD, name)


def _pending(upload: UploadRecord) -> None:
    if upload.status != PENDING:
        message = f"The upload {upload.id} takes nothing more: it is already {upload.status}."
        raise ApiError(400, message, param="upload_id", code="invalid_upload_status")


def _take(service: Service, arriving: Incoming, upload: str) -> PartRecord:
    arriving.place()
    part = PartRecord(id=arriving.id, upload=upload, size_bytes=arriving.size_bytes, created_at=service.now())
    try:
        with service.store.write() as db:
            _pending(get_upload(db, upload))
            if is_seed(db, Seeded.UPLOAD, upload):
                arriving.path.unlink()
                return part
            there = parts_of(db, upload)
            if len(there) >= MOST_PARTS:
                raise ApiError(400, f"An upload has at most {MOST_PARTS} parts.", param="data")
            if sum(each.size_bytes for each in there) + part.size_bytes > service.limits.upload_bytes:
                message = f"The parts of an upload have at most {service.limits.upload_bytes} bytes together."
                raise ApiError(413, message, param="data", code="file_too_large")
            add_part(db, part)
    except ApiError:
        arriving.path.unlink()
        raise
    return part


def _part_ids(body: Json) -> tuple[str, ...]:
    ids = body.get("part_ids")
    if ids is None:
        raise missing("part_ids")
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise bad_type("part_ids", "an array of strings", ids)
    return tuple(ids)


def _join(service: Service, parts: tuple[PartRecord, ...], arriving: Incoming) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    for part in parts:
        with part_content(service.store, part.id).open("rb") as handle:
            while block := handle.read(_BLOCK):
                md5.update(block)
                arriving.write(block)
    return md5.hexdigest()


def _forget(service: Service, parts: tuple[PartRecord, ...]) -> None:
    for part in parts:
        part_content(service.store, part.id).unlink(missing_ok=True)
