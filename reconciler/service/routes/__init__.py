"""The routes: each reads a request, changes or reads the store once, and answers in the API's form."""

from reconciler.service.routes import files, inference, jobs, models, responses, uploads

__all__ = ["files", "inference", "jobs", "models", "responses", "uploads"]
