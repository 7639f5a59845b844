"""Guards about who answers and what was forgotten, and the words of every guard: seen, refused, and the way on."""

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Desired, Model
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import JobId, ModelId, Observed
from reconciler.domain.plan import Options, Plan, Train
from reconciler.domain.spec import Expect
from reconciler.planner import GUARDS, make_plan
from reconciler.planner.policy import account_mismatches
from tests.factories import a_job, a_model, desired, observed

HERE = "api.example.test"
WANTED = a_model()
ELSE = a_job(a_model("other"), id="ftjob-9")


def expecting(**expect: tuple[str, ...]) -> Desired:
    wanted = desired(WANTED)
    return replace(wanted, project=replace(wanted.project, expect=Expect(**expect)))


def locked(*models: Model) -> Lock:
    return Lock(
        entries=tuple(
            LockEntry(
                stamp=model.stamp,
                provider="openai",
                service=HERE,
                job=JobId(f"ftjob-{model.name}"),
                model=ModelId(f"ft:{model.name}"),
            )
            for model in models
        )
    )


def in_account(provider: str, service: str) -> Lock:
    return Lock(entries=(replace(locked(WANTED).entries[0], provider=provider, service=service),))


def refused(plan: Plan) -> list[str]:
    return [refusal.policy for refusal in plan.refused]


@pytest.mark.parametrize(
    ("expect", "seen", "says"),
    [
        (Expect(), {}, ""),
        (Expect(organization=("org-a",)), {"organization": "org-a"}, ""),
        (Expect(organization=("org-a", "org-b")), {"organization": "org-b"}, ""),
        (
            Expect(organization=("org-a",)),
            {"organization": "org-b"},
            "is org-b, and org-a is expected",
        ),
        (Expect(organization=("org-a",)), {"organization": "ORG-A"}, "the organization is ORG-A"),
        (Expect(organization=("org-a",)), {}, "does not say its organization, and org-a is expected"),
        (Expect(project=("proj_a",)), {"project": "proj_a"}, ""),
        (Expect(project=("proj_a", "proj_b")), {"project": "proj_c"}, "proj_a or proj_b is expected"),
        (Expect(project=("proj_a",)), {}, "does not say its project"),
        (Expect(region=("swedencentral",)), {"region": "Sweden Central"}, ""),
        (Expect(region=("swedencentral",)), {"region": "East US 2"}, "the region is East US 2"),
        (Expect(region=("swedencentral",)), {}, "does not say its region"),
        (Expect(host=("API.example.test",)), {"host": "api.example.test"}, ""),
        (Expect(host=("api.example.test",)), {"host": "api.example.test:8443"}, "the host is api.example.test:8443"),
        (Expect(host=("api.example.test",)), {}, "does not say its host"),
    ],
)
def test_what_is_expected_and_what_answers(expect: Expect, seen: dict[str, str], says: str) -> None:
    found = "; ".join(account_mismatches(expect, Observed(service=HERE, **seen)))  # type: ignore[arg-type]  # by name
    assert says in found
    assert bool(says) == bool(found)


def test_another_service_than_expected_is_refused_with_everything_that_is_wrong() -> None:
    wanted = expecting(organization=("org-a",), host=("api.example.test",))
    seen = replace(observed(), organization="org-b", host="127.0.0.1:8000")
    (refusal,) = make_plan(wanted, seen).refused
    assert refusal.guard == "identity"
    assert "org-b" in refusal.what
    assert "127.0.0.1:8000" in refusal.what
    assert make_plan(wanted, replace(seen, organization="org-a", host="api.example.test")).refused == ()


def test_what_is_expected_is_part_of_the_basis() -> None:
    before, after = make_plan(desired(WANTED), observed()), make_plan(expecting(host=("x",)), observed())
    assert before.basis.changed_inputs(after.basis) == ("specs",)


def test_a_locked_job_that_is_gone_is_not_paid_for_again_unasked() -> None:
    seen = replace(observed(ELSE), gone=(JobId("ftjob-triage"),))
    plan = make_plan(desired(WANTED), seen, lock=locked(WANTED))
    (refusal,) = plan.refused
    assert refusal.guard == "amnesia"
    assert "triage (ftjob-triage)" in refusal.what
    assert "reconciler plan --replace triage" in refusal.hint
    assert len(plan.trains) == 1


@pytest.mark.parametrize("options", [Options(allow=frozenset({"amnesia"})), Options(replace=frozenset({"triage"}))])
def test_asked_for_by_guard_or_by_name_it_is_trained_again(options: Options) -> None:
    seen = replace(observed(ELSE), gone=(JobId("ftjob-triage"),))
    plan = make_plan(desired(WANTED), seen, lock=locked(WANTED), options=options)
    assert refused(plan) == []
    assert any(isinstance(step.action, Train) for step in plan.steps)


def test_several_that_are_gone_are_one_refusal_and_one_by_name_leaves_the_others() -> None:
    models = [a_model(name) for name in ("one", "two", "three", "four")]
    seen = replace(observed(ELSE), gone=tuple(JobId(f"ftjob-{model.name}") for model in models))
    (refusal,) = make_plan(desired(*models), seen, lock=locked(*models)).refused
    assert all(f"{model.name} (ftjob-{model.name})" in refusal.what for model in models)

    some = Options(replace=frozenset({"one"}))
    (refusal,) = make_plan(desired(*models), seen, lock=locked(*models), options=some).refused
    assert "ftjob-one" not in refusal.what
    assert "ftjob-two" in refusal.what


@pytest.mark.parametrize(
    ("seen", "lock", "wanted"),
    [
        # another version is wanted: that one was never paid for
        (replace(observed(ELSE), gone=(JobId("ftjob-triage"),)), locked(WANTED), a_model(epochs=7)),
        # locked on another service, of another profile
        (
            replace(observed(ELSE), gone=(JobId("ftjob-triage"),)),
            Lock(entries=(replace(locked(WANTED).entries[0], service="elsewhere", provider="another"),)),
            WANTED,
        ),
        # nothing is gone
        (observed(ELSE), locked(WANTED), WANTED),
        # the model is there although its job's record is not: nothing is trained
        (
            replace(observed(ELSE, models=("ft:triage",)), gone=(JobId("ftjob-triage"),)),
            locked(WANTED),
            WANTED,
        ),
    ],
    ids=["other-version", "other-service", "nothing-gone", "model-there"],
)
def test_what_is_no_amnesia(seen: Observed, lock: Lock, wanted: Model) -> None:
    assert refused(make_plan(desired(wanted), seen, lock=lock)) == []


def test_where_nothing_at_all_is_there_one_guard_speaks_and_one_word_goes_on() -> None:
    seen = replace(observed(), gone=(JobId("ftjob-triage"),))
    assert refused(make_plan(desired(WANTED), seen, lock=locked(WANTED))) == ["empty-remote"]
    first = Options(allow=frozenset({"empty-remote"}))
    assert refused(make_plan(desired(WANTED), seen, lock=locked(WANTED), options=first)) == []


MANY = [a_model(f"model-{n:02}") for n in range(10)]
KNOWN = [a_job(model, id=f"ftjob-{model.name}") for model in MANY]
WORLDS = {
    "identity": (expecting(organization=("org-a",)), observed(), Lock()),
    "other-account": (desired(WANTED), observed(), in_account("local", "api.example/org-theirs")),
    "empty-specs": (desired(), observed(a_job()), Lock()),
    "empty-remote": (desired(WANTED), observed(), locked(WANTED)),
    "cut-list": (desired(WANTED), replace(observed(), list_warnings=("odd",)), Lock()),
    "contradictions": (desired(WANTED), replace(observed(), contradictions=("ftjob-3",)), Lock()),
    "amnesia": (desired(WANTED), replace(observed(ELSE), gone=(JobId("ftjob-triage"),)), locked(WANTED)),
    "bulk-change": (desired(*(a_model(model.name, epochs=2) for model in MANY)), observed(*KNOWN), Lock()),
}


@pytest.mark.parametrize("guard", WORLDS)
def test_every_guard_says_what_was_seen_and_the_next_command(guard: str) -> None:
    wanted, seen, lock = WORLDS[guard]
    (refusal,) = make_plan(wanted, seen, lock=lock).refused
    assert (refusal.policy, refusal.guard) == (guard, guard)
    assert len(refusal.what) > 20
    asked = "--first-apply" if guard == "empty-remote" else f"--allow {guard}"
    assert "reconciler plan" in refusal.hint
    assert asked in refusal.hint


@pytest.mark.parametrize("guard", WORLDS)
def test_allowing_one_guard_allows_no_other(guard: str) -> None:
    wanted, seen, lock = WORLDS[guard]
    others = Options(allow=frozenset(GUARDS) - {guard})
    assert refused(make_plan(wanted, seen, lock=lock, options=others)) == [guard]
