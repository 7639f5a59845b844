"""What the service stores: records in a SQLite database, bytes in directories. Every change is one transaction."""

from reconciler.service.store.database import Store, StoreError, open_store, organization
from reconciler.service.store.files import FileRecord, add_file, find_file, remove_unlisted_files, stage_file
from reconciler.service.store.jobs import SUCCEEDED, VALIDATING, JobRecord, add_event, add_job, change_job, get_job

__all__ = [
    "SUCCEEDED",
    "VALIDATING",
    "FileRecord",
    "JobRecord",
    "Store",
    "StoreError",
    "add_event",
    "add_file",
    "add_job",
    "change_job",
    "find_file",
    "get_job",
    "open_store",
    "organization",
    "remove_unlisted_files",
    "stage_file",
]
