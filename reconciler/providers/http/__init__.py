"""What every HTTP service shares, and what a dialect is made of."""

from reconciler.providers.http.asgi import AsgiApp, ASGITransport
from reconciler.providers.http.auth import Credentials, Endpoint, SignedTransport, describe_signing, read_endpoint
from reconciler.providers.http.client import Client, Transports, segment
from reconciler.providers.http.dialect import Dialect, JobRules, Jobs, NewJob, SeenJobs, Session
from reconciler.providers.http.errors import Proof, error_of, is_final
from reconciler.providers.http.files import FileRules, Files
from reconciler.providers.http.marks import marks_of, with_marks
from reconciler.providers.http.metadata_jobs import MetadataJobs
from reconciler.providers.http.paging import ListWarnings
from reconciler.providers.http.provider import HttpProvider
from reconciler.providers.http.wire import Reader, checked_id, decode, read_error, read_file, read_model, to_int

__all__ = [
    "ASGITransport",
    "AsgiApp",
    "Client",
    "Credentials",
    "Dialect",
    "Endpoint",
    "FileRules",
    "Files",
    "HttpProvider",
    "JobRules",
    "Jobs",
    "ListWarnings",
    "MetadataJobs",
    "NewJob",
    "Proof",
    "Reader",
    "SeenJobs",
    "Session",
    "SignedTransport",
    "Transports",
    "checked_id",
    "decode",
    "describe_signing",
    "error_of",
    "is_final",
    "marks_of",
    "read_endpoint",
    "read_error",
    "read_file",
    "read_model",
    "segment",
    "to_int",
    "with_marks",
]
