"""Saved plans: they come back as they were, and in no other form."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.domain.basis import MAX_SHOWN, PlanInputs
from reconciler.domain.cost import Cost
from reconciler.domain.errors import ReconcilerError, StalePlanError, UsageError
from reconciler.domain.plan import Options, Plan
from reconciler.domain.spec import ColumnMapping as RowMapping
from reconciler.planner import SavedPlan, check_expected, check_fresh, check_place, make_plan, read_saved, write_saved
from reconciler.planner.saved_plan import bare, seal_plan
from reconciler.planner.serialize import from_plain, to_plain
from tests.factories import a_dataset, a_file, a_job, a_model, desired, observed
from tests.render import examples

PLAN = make_plan(desired(a_model()), observed(a_file()), provider="openai", version="1")


def saved(plan: Plan = PLAN, root: str = "specs") -> SavedPlan:
    return SavedPlan(
        id="0123456789abcdef",
        made_at=1_790_000_000,
        root=root,
        asked=None,
        options=Options(prune=True, target=frozenset({"triage", "other"})),
        plan=plan,
        previous=(("model/triage", "ft:old"),),
        document='{"shown": 1.5}',
    )


@pytest.mark.parametrize("name", examples.PLANS)
def test_every_kind_of_plan_comes_back_as_it_was(name: str) -> None:
    plan = examples.PLANS[name]
    assert read_saved(write_saved(saved(plan))) == saved(bare(plan))


def test_the_templates_of_a_dataset_are_not_kept() -> None:
    dataset = a_dataset()
    mapped = replace(dataset, spec=replace(dataset.spec, mapping=RowMapping(prompt="{secret}", completion="{x}")))
    text = write_saved(saved(make_plan(desired(a_model(training=mapped)), observed())))
    assert "{secret}" not in text
    assert read_saved(text).plan.steps


TEXT = write_saved(saved())


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"))
def test_any_character_that_was_changed_is_found(at: int, by: str) -> None:
    if by != TEXT[at]:
        with pytest.raises(ReconcilerError):
            read_saved(TEXT[:at] + by + TEXT[at + 1 :])


@pytest.mark.parametrize("changed", [TEXT + " ", TEXT[:-1], " " + TEXT, TEXT.replace("\n", "\r\n"), "\ufeff" + TEXT])
def test_the_file_has_one_form_only(changed: str) -> None:
    with pytest.raises(UsageError):
        read_saved(changed)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000, '{"saved_plan": NaN}', '{"saved_plan": "2"}'])
def test_what_is_no_saved_plan_is_refused_in_words(text: str) -> None:
    with pytest.raises(UsageError, match="plan --out FILE"):
        read_saved(text)


def test_a_plan_of_another_format_is_stale() -> None:
    with pytest.raises(StalePlanError, match="another version of the program") as raised:
        read_saved('{"saved_plan": "1"}')
    assert raised.value.moved == ("version",)


@pytest.mark.parametrize("root", ["/etc", "../other", "specs/../../other", "c:specs", "a\\b"])
def test_a_root_outside_the_repository_is_refused(root: str) -> None:
    with pytest.raises(UsageError, match="out of the repository"):
        read_saved(write_saved(saved(root=root)))


@pytest.mark.parametrize(
    ("field", "value"),
    [("prune", 1), ("retry", "triage"), ("retry", [1]), ("is", "Plan"), ("more", True)],
)
def test_a_value_that_is_not_of_its_type_is_refused(field: str, value: object) -> None:
    """Also where the digest was made anew: the file is data, and only of its own shape."""
    options = to_plain(Options())
    assert isinstance(options, Mapping)
    with pytest.raises(ValueError, match="no "):
        from_plain(Options, {**options, field: value})


@pytest.mark.parametrize("amount", ["1E+999999999", "NaN", "1E+30"])
def test_a_cost_that_is_no_money_is_refused_and_never_written_out(amount: str) -> None:
    with pytest.raises(ValueError, match="no amount of money"):
        from_plain(Cost, {"low": amount})


def test_a_fresh_plan_of_the_same_inputs_is_fresh() -> None:
    check_fresh(read_saved(TEXT).plan, PLAN)
    check_expected(PLAN.basis.digest, PLAN)


def moved(now: Plan, before: Plan = PLAN) -> str:
    with pytest.raises(StalePlanError) as raised:
        check_fresh(read_saved(write_saved(saved(before))).plan, now)
    with pytest.raises(StalePlanError):
        check_expected(before.basis.digest, now)
    return str(raised.value)


def test_a_stale_plan_names_the_input_and_the_thing() -> None:
    def plan(*models: object, seen: object = observed(a_file()), **more: object) -> Plan:
        return make_plan(desired(*(models or (a_model(),))), seen, **{"provider": "openai", "version": "1", **more})  # type: ignore[arg-type]  # whatever the test turns

    assert "the specs moved: model/triage changed." in moved(plan(a_model(epochs=2)))
    assert "the rows moved: dataset/tickets changed." in moved(plan(a_model(training=a_dataset(rows="others"))))
    assert "the service moved: file file-1 is gone." in moved(plan(seen=observed()))
    assert "the options moved: --prune is new." in moved(plan(options=Options(prune=True)))
    assert "the program moved: 1 before, 2 now." in moved(plan(version="2"))
    assert "the provider moved: openai before, local now." in moved(plan(provider="local"))


def test_a_message_calls_the_earlier_plan_what_it_is() -> None:
    now = make_plan(desired(a_model(epochs=2)), observed(a_file()), provider="openai", version="1")
    assert moved(now).startswith("the saved plan is stale: ")
    for changed in (now, replace(PLAN, steps=())):
        with pytest.raises(StalePlanError, match=r"^the plan is stale: "):
            check_fresh(PLAN, changed, title="the plan")


def test_a_job_that_ended_and_a_model_that_is_gone_are_named() -> None:
    running = make_plan(desired(a_model()), observed(a_job(status="running")))
    ended = make_plan(desired(a_model()), observed(a_job()))
    stamp = a_model().stamp
    assert f"job ftjob-1 of {stamp} was active and is succeeded" in moved(ended, running)
    gone = make_plan(desired(a_model()), observed(a_job(), models=()))
    assert f"model {a_job().model} is gone" in moved(gone, ended)


def test_of_many_things_the_first_are_named_and_the_rest_counted() -> None:
    before = PlanInputs(service=tuple((f"file {n}", "x") for n in range(9)))
    sentence = before.describe_changes(("service",), PlanInputs())
    assert sentence.count("is gone") == MAX_SHOWN
    assert sentence.endswith("and 4 more")


def test_another_environment_is_reported_without_its_consequences() -> None:
    with pytest.raises(StalePlanError, match="the environment moved: staging before, prod now") as raised:
        check_place(PlanInputs(environment="staging"), environment="prod", provider="", version="2")
    assert raised.value.moved == ("environment",)


def test_a_plan_that_shows_other_steps_than_its_inputs_lead_to_is_refused() -> None:
    """The digests may be forged: the computed steps are executed, so they have to be equal to the shown ones."""
    assert "lead to other steps" in moved_steps(replace(PLAN, steps=()))


def moved_steps(forged: Plan) -> str:
    with pytest.raises(StalePlanError) as raised:
        check_fresh(read_saved(write_saved(saved(forged))).plan, PLAN)
    return str(raised.value)


def test_the_file_is_json_in_ascii_with_the_plan_in_it() -> None:
    assert TEXT.isascii()
    assert json.loads(TEXT)["plan"] == {"shown": 1.5}


def test_findings_commit_and_prices_come_back_as_they_were() -> None:
    more = replace(saved(), findings=examples.PROBLEMS, commit="0" * 40, prices="our prices.json")
    assert read_saved(write_saved(more)) == more


def test_a_plan_of_format_2_is_read_without_findings() -> None:
    content = json.loads(TEXT)
    for name in ("findings", "commit", "prices", "digest"):
        del content[name]
    older = read_saved(seal_plan({**content, "saved_plan": "2"}))
    assert older == saved()


@pytest.mark.parametrize("findings", [[{"is": "Problem"}], [1], {}, "x", None])
def test_findings_of_another_form_are_refused(findings: object) -> None:
    content = json.loads(TEXT)
    del content["digest"]
    with pytest.raises(UsageError, match="not a saved plan"):
        read_saved(seal_plan({**content, "findings": findings}))
