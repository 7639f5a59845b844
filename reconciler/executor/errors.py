"""How a step can end other than well. Handlers raise these; execute turns them into outcomes."""

from reconciler.domain.errors import ReconcilerError


class StepFailedError(ReconcilerError):
    """The step did not do what it was for; others may go on."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


class OutcomeUnknownError(StepFailedError):
    """Something was sent and nobody can say what became of it; running again is safe after the time named."""


class StoppedError(ReconcilerError):
    """Somebody asked to stop before the step had any effect."""
