"""The API of 2021 to 2023, `/v1/fine-tunes`, over the same files, jobs, models and worker."""

from reconciler.service.legacy.routes import legacy_routes

__all__ = ["legacy_routes"]
