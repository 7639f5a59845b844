"""What the journal says before a plan: where it is, and which jobs our creates were answered with and stay doubtful."""

from msgspec.structs import replace

from reconciler.domain.errors import JournalError, UsageError
from reconciler.domain.observed import ClaimedJob, Observed
from reconciler.domain.ports import Provider
from reconciler.domain.renames import NameMap
from reconciler.domain.spec import Specs
from reconciler.journal import JournalAccount, JournalScope, open_journal
from reconciler.workflow.home import make_home
from reconciler.workflow.settings import Setting

_NOTHING_SENT = "; nothing was sent"
"""How the journal's errors end. In a plan nothing is ever sent."""


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


def add_notes(setting: Setting, specs: Specs, observed: Observed, provider: Provider) -> Observed:
    """Return what was seen with what the journal says, under the names that the specs use.

    A journal that cannot be read is a doubt, which the plan warns of: a create reads it again, and does not go on
    without it.
    Cost:   one look at the journal
    """
    if provider.capabilities.takes_token:
        return observed
    scope = journal_scope(setting, specs.project.name, account_of(observed))
    try:
        with open_journal(setting.journal, provider, scope) as journal:
            intents = journal.open_intents()
    except (JournalError, UsageError) as error:
        return replace(observed, journal_doubt=str(error).removesuffix(_NOTHING_SENT))
    names = NameMap.of(specs)
    claimed = tuple(
        ClaimedJob(stamp=names.rename_stamp(intent.stamp), job=intent.job, doubt=intent.doubt)
        for intent in intents
        if intent.job and intent.doubt
    )
    noted = tuple((names.rename_stamp(each.stamp), each.stamp.address) for each in intents if not each.doubt)
    return replace(observed, claimed=claimed, noted=noted)
