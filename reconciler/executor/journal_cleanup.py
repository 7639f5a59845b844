"""Takes back notes whose writers ended before they could, so that the journal is empty when nothing runs."""

from contextlib import suppress

from reconciler.domain.errors import JournalError, ProviderError
from reconciler.domain.ports import Intent
from reconciler.executor.context import Bench
from reconciler.executor.create import is_everywhere, is_old


def tidy(bench: Bench) -> None:
    """Clear every note that is over and says nothing more: its job shows, or nothing can show any more.

    Cost:   no request while the journal is empty
    """
    with suppress(JournalError):
        for intent in bench.journal.open_intents():
            with suppress(ProviderError):
                if _says_nothing(intent, bench):
                    bench.journal.clear(intent)


def _says_nothing(intent: Intent, bench: Bench) -> bool:
    if is_old(intent, bench):
        return True
    if intent.owner == bench.run or not bench.journal.is_abandoned(intent):
        return False
    jobs = bench.provider.jobs_of(intent.stamp)
    return any(job.id not in intent.despite and is_everywhere(job, bench) for job in jobs)
