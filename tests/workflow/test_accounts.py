"""One set of specs against two accounts of one profile: nothing is paid twice by accident, and no entry is lost."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.domain.lock import LockEntry
from reconciler.domain.plan import Options
from reconciler.specfile import read_lock, update_lock
from reconciler.testing import MemoryProvider
from reconciler.workflow import check_specs, locate_setting
from reconciler.workflow.apply import RunTally, record_lock
from reconciler.workflow.plan import PreparedPlan, prepare_plan
from tests.workflow.test_rows import converge, workspace

__all__ = ["workspace"]

GUARD = "other-account"


def provider_of(organization: str, project: str = "") -> MemoryProvider:
    provider = MemoryProvider()
    provider.organization, provider.account_project = organization or None, project or None
    return provider


def same_service(provider: MemoryProvider, organization: str, project: str = "") -> MemoryProvider:
    """The same jobs, files and models, answering for an account as it is stated here."""
    other = provider_of(organization, project)
    other.jobs, other.files, other.models = provider.jobs, provider.files, provider.models
    return other


def make_prepared_plan(root: Path, provider: MemoryProvider, *allow: str) -> PreparedPlan:
    setting = locate_setting(root / "specs", {"RECONCILER_HOME": str(root / "home")})
    return prepare_plan(setting, check_specs(setting), Options(allow=frozenset(allow)), provider)


def entries(root: Path) -> tuple[LockEntry, ...]:
    return read_lock(root / "specs" / "models.lock.yaml").entries


def apply(root: Path, provider: MemoryProvider) -> None:
    """Train the model in an account and record it."""
    converge(root, provider)
    record_lock(make_prepared_plan(root, provider, GUARD), RunTally())


def test_a_key_of_another_organization_is_refused_and_both_accounts_are_named(workspace: Path) -> None:
    apply(workspace, provider_of("org-mine"))
    (refusal,) = make_prepared_plan(workspace, provider_of("org-theirs")).plan.refused
    assert refusal.guard == GUARD
    assert "triage in the account memory/org-mine" in refusal.what
    assert "the service that answers is memory/org-theirs" in refusal.what
    assert "--allow other-account" in refusal.hint


def test_another_organization_that_holds_jobs_of_this_project_is_refused_too(workspace: Path) -> None:
    """The guard against an empty service does not see it: the service is not empty."""
    apply(workspace, provider_of("org-mine"))
    theirs = provider_of("org-theirs")
    converge(workspace, theirs)
    specs = (workspace / "specs" / "all.yaml").read_text(encoding="utf-8")
    (workspace / "specs" / "all.yaml").write_text(specs + "seed: 7\n", encoding="utf-8")
    assert [refusal.guard for refusal in make_prepared_plan(workspace, theirs).plan.refused] == [GUARD]


def test_with_the_flag_the_plan_goes_on_and_the_lock_keeps_the_entries_of_both_accounts(workspace: Path) -> None:
    mine, theirs = provider_of("org-mine"), provider_of("org-theirs")
    apply(workspace, mine)
    assert make_prepared_plan(workspace, theirs, GUARD).plan.refused == ()
    apply(workspace, theirs)
    assert [entry.service for entry in entries(workspace)] == ["memory/org-mine", "memory/org-theirs"]
    for provider in (mine, theirs):
        assert make_prepared_plan(workspace, provider).plan.refused == (), "both accounts are known now"


def test_a_lock_written_under_another_address_of_the_account_counts_and_is_not_doubled(workspace: Path) -> None:
    provider = provider_of("org-mine")
    apply(workspace, provider)
    path = workspace / "specs" / "models.lock.yaml"
    update_lock(
        path,
        lambda lock: replace(
            lock, entries=tuple(replace(entry, service="127.0.0.1:8000/org-mine") for entry in lock.entries)
        ),
    )
    assert make_prepared_plan(workspace, provider).plan.refused == ()
    record_lock(make_prepared_plan(workspace, provider), RunTally())
    assert [entry.service for entry in entries(workspace)] == ["memory/org-mine"]


def test_an_account_that_is_not_stated_once_is_no_other_account(workspace: Path) -> None:
    provider = provider_of("org-mine")
    apply(workspace, provider)
    assert make_prepared_plan(workspace, same_service(provider, "")).plan.refused == ()


@pytest.mark.parametrize("organization", ["org-mine", ""])
def test_a_key_of_another_project_of_the_organization_is_refused_and_both_are_named(
    workspace: Path, organization: str
) -> None:
    apply(workspace, provider_of(organization, "proj-mine"))
    (refusal,) = make_prepared_plan(workspace, provider_of(organization, "proj-theirs")).plan.refused
    assert refusal.guard == GUARD
    assert f"in the account memory/{organization}/proj-mine" in refusal.what
    assert f"the service that answers is memory/{organization}/proj-theirs" in refusal.what


def test_a_lock_without_a_project_goes_on_working_and_learns_it(workspace: Path) -> None:
    """As versions before wrote it; the next apply writes the project beside the organization."""
    old = provider_of("org-mine")
    apply(workspace, old)
    stated = same_service(old, "org-mine", "proj-mine")
    assert make_prepared_plan(workspace, stated).plan.refused == ()
    record_lock(make_prepared_plan(workspace, stated), RunTally())
    assert [entry.service for entry in entries(workspace)] == ["memory/org-mine/proj-mine"]


@pytest.mark.parametrize("said", ["", "org-mine"])
def test_what_a_service_does_not_say_once_is_not_forgotten(workspace: Path, said: str) -> None:
    provider = provider_of("org-mine", "proj-mine")
    apply(workspace, provider)
    record_lock(make_prepared_plan(workspace, same_service(provider, said)), RunTally())
    assert [entry.service for entry in entries(workspace)] == ["memory/org-mine/proj-mine"]
    (refusal,) = make_prepared_plan(workspace, provider_of("org-mine", "proj-theirs")).plan.refused
    assert refusal.guard == GUARD


def test_the_service_of_another_machine_is_no_surprise(workspace: Path) -> None:
    apply(workspace, provider_of("org-mine"))
    capabilities = replace(MemoryProvider().capabilities, is_of_machine=True)
    theirs = MemoryProvider(capabilities=capabilities)
    theirs.organization = "org-theirs"
    assert make_prepared_plan(workspace, theirs).plan.refused == ()


@pytest.mark.parametrize("targets", [("one",), ("two",), ("one", "two")])
def test_a_run_of_some_models_keeps_the_entries_of_the_others(workspace: Path, targets: tuple[str, ...]) -> None:
    """Two models; each run converges what it targets, from a plan that was made before the other run ended."""
    provider = provider_of("org-mine")
    apply(workspace, provider)
    before = entries(workspace)
    stale = make_prepared_plan(workspace, provider)
    path = workspace / "specs" / "models.lock.yaml"
    others = tuple(replace(before[0], service=f"elsewhere/org-{name}") for name in targets)
    update_lock(path, lambda lock: replace(lock, entries=(*lock.entries, *others)))
    record_lock(stale, RunTally())
    assert {entry.service for entry in entries(workspace)} == {"memory/org-mine", *(each.service for each in others)}
