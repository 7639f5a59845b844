"""Composes the other packages: settings, measuring, planning, applying, importing. Holds no rule of its own.

This face holds what every command needs. What plans, applies or calls a service is imported from its own module, so
that a command which only reads specs does not load it: `plan`, `apply`, `lock`, `targets`, `rows`, `documents`,
`import_job`.
"""

from reconciler.workflow.home import check_home, require_home
from reconciler.workflow.measure import (
    CheckedSpecs,
    ReadProgress,
    check_specs,
    find_bases,
    ignore_progress,
    measure_datasets,
)
from reconciler.workflow.profiles import open_catalog
from reconciler.workflow.service_check import check_bases
from reconciler.workflow.settings import (
    Setting,
    find_service,
    find_use,
    locate_setting,
    read_bounds,
    read_duration,
    read_setting,
    resolve_setting,
    select_provider,
)

__all__ = [
    "CheckedSpecs",
    "ReadProgress",
    "Setting",
    "check_bases",
    "check_home",
    "check_specs",
    "find_bases",
    "find_service",
    "find_use",
    "ignore_progress",
    "locate_setting",
    "measure_datasets",
    "open_catalog",
    "read_bounds",
    "read_duration",
    "read_setting",
    "require_home",
    "resolve_setting",
    "select_provider",
]
