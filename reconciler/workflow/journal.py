"""What the journal says before a plan: where it is, and which jobs our creates were answered with and stay doubtful."""

from reconciler.domain.errors import JournalError
from reconciler.domain.observed import ClaimedJob, Observed
from reconciler.domain.ports import Provider
from reconciler.journal import JournalAccount, JournalScope, open_journal
from reconciler.workflow.home import make_home
from reconciler.workflow.settings import Setting


def journal_scope(setting: Setting, project: str, account: JournalAccount) -> JournalScope:
    """Return what the journal of a project is opened with."""
    home = setting.own_home
    return JournalScope(
        account=account,
        project=project,
        home=home.shared,
        make_home=lambda: make_home(home.shared),
        older_homes=tuple(sorted({home.shared, home.directory})),
        workspace=setting.workspace,
        environ=setting.environ,
    )


def account_of(observed: Observed) -> JournalAccount:
    """Return the account that a service stated."""
    return JournalAccount(organization=observed.organization or "", project=observed.project or "")


def read_claimed_jobs(setting: Setting, project: str, observed: Observed, provider: Provider) -> tuple[ClaimedJob, ...]:
    """Return the jobs that the journal names with a doubt.

    A journal that cannot be read names none here: a create reads it again, and does not go on without it.
    Cost:   one look at the journal
    """
    if provider.capabilities.takes_token:
        return ()
    scope = journal_scope(setting, project, account_of(observed))
    try:
        with open_journal(setting.journal, provider, scope) as journal:
            intents = journal.open_intents()
    except JournalError:
        return ()
    return tuple(
        ClaimedJob(stamp=intent.stamp, job=intent.job, doubt=intent.doubt)
        for intent in intents
        if intent.job and intent.doubt
    )
