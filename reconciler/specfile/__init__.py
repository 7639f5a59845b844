"""Specs: YAML text in, `Specs` out, or every problem with it. Writes the lock file and new specs. Knows no service."""

from reconciler.specfile.files import (
    find_lock_environments,
    find_roots,
    find_workspace,
    lock_name,
    real_path,
    spec_files,
)
from reconciler.specfile.lockfile import check_lock_writable, read_lock, rebuild_lock, update_lock, write_lock
from reconciler.specfile.mentions import find_mentions
from reconciler.specfile.prices import read_own_prices, read_prices
from reconciler.specfile.profiles import read_profiles
from reconciler.specfile.read import read_specs
from reconciler.specfile.schema import find_violation, schema_names, schema_text
from reconciler.specfile.writer import ImportedModel, OwnRows, import_spec_text, write_starter

__all__ = [
    "ImportedModel",
    "OwnRows",
    "check_lock_writable",
    "find_lock_environments",
    "find_mentions",
    "find_roots",
    "find_violation",
    "find_workspace",
    "import_spec_text",
    "lock_name",
    "read_lock",
    "read_own_prices",
    "read_prices",
    "read_profiles",
    "read_specs",
    "real_path",
    "rebuild_lock",
    "schema_names",
    "schema_text",
    "spec_files",
    "update_lock",
    "write_lock",
    "write_starter",
]
