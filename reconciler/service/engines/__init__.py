"""Engines train and load models. An engine is a module with an `ENGINE`; a job is a directory and one command."""

from reconciler.service.engines.port import (
    Classes,
    DataError,
    Engine,
    Hyperparameter,
    LoadedModel,
    Metrics,
    ModelAnswer,
    ModelQuestion,
    TrainingJob,
    TrainingReport,
)
from reconciler.service.engines.registry import DEFAULT_ENGINES, EngineMissingError, EngineRegistry, require_packages

__all__ = [
    "DEFAULT_ENGINES",
    "Classes",
    "DataError",
    "Engine",
    "EngineMissingError",
    "EngineRegistry",
    "Hyperparameter",
    "LoadedModel",
    "Metrics",
    "ModelAnswer",
    "ModelQuestion",
    "TrainingJob",
    "TrainingReport",
    "require_packages",
]
