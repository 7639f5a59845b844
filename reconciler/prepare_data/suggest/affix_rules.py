"""Rules about how prompts and completions begin and end, as completion models that learn from plain text want it."""

from collections.abc import Callable, Sequence

from reconciler.dataset.row import Row
from reconciler.domain.errors import Place, Problem
from reconciler.domain.prepare import AddPrefix, AddSuffix, EnsureLeadingSpace, LowerCase, RemovePrefix
from reconciler.foundation.yaml_write import yaml_quoted
from reconciler.prepare_data.compat import (
    LONG_AFFIX,
    LONG_PREFIX,
    SHORTEST_PREFIX,
    TaskKind,
    choose_ending,
    choose_separator,
    find_common_prefix,
    find_common_suffix,
    is_mostly_upper,
)
from reconciler.prepare_data.suggest.finding import (
    COMPLETION,
    NO_RESULT,
    PROMPT,
    FileFinding,
    Remedy,
    RemedyStep,
    RuleResult,
    column_texts,
    guess_rows_task,
)


def find_upper(column: str) -> Callable[[Sequence[Row]], RuleResult]:
    """Return the rule that lowers the case of a column that is mostly capitals."""

    def rule(rows: Sequence[Row]) -> RuleResult:
        if not is_mostly_upper(column_texts(rows, column)):
            return NO_RESULT
        what = f"more than a third of the letters of `{column}` are capitals, which models learn less well"
        return _result("lower_case", what, f"Write `{column}` in lower case", LowerCase(columns=(column,)))

    return rule


def find_separator(rows: Sequence[Row]) -> RuleResult:
    """Want a common end of all prompts, which tells the model where the completion begins."""
    prompts = column_texts(rows, PROMPT)
    if guess_rows_task(rows) is TaskKind.OPEN_ENDED:
        return NO_RESULT
    if len(set(prompts)) == 1:
        return _report_same(rows, PROMPT, "leave all prompts empty for open-ended generation, or make them different")
    suffix = find_common_suffix(prompts)
    if suffix:
        return RuleResult(findings=_describe_suffix(PROMPT, prompts, suffix))
    free = choose_separator(prompts)
    return _result(
        "common_prompt_suffix",
        "prompts have no common end that tells where the completion begins",
        f"Add {yaml_quoted(free)} to the end of every prompt",
        AddSuffix(column=PROMPT, text=free),
    )


def find_prompt_prefix(rows: Sequence[Row]) -> RuleResult:
    """Cut off a long common beginning of prompts, which says nothing about any one of them."""
    prompts = column_texts(rows, PROMPT)
    prefix = find_common_prefix(prompts)
    if not prefix or guess_rows_task(rows) is TaskKind.OPEN_ENDED:
        return NO_RESULT
    what = f"all prompts begin with {yaml_quoted(prefix)}"
    if len(prefix) <= LONG_PREFIX or _empties_some(prompts, prefix):
        return RuleResult(findings=(FileFinding(name="common_prompt_prefix", what=what),))
    remedy = f"Cut {yaml_quoted(prefix)} from the start of every prompt"
    return _result("common_prompt_prefix", what, remedy, RemovePrefix(column=PROMPT, text=prefix))


def find_completion_prefix(rows: Sequence[Row]) -> RuleResult:
    """Cut off a common beginning of completions; one space stays where they began with one."""
    completions = column_texts(rows, COMPLETION)
    prefix = find_common_prefix(completions)
    if len(prefix) < SHORTEST_PREFIX or len(set(completions)) == 1:
        return NO_RESULT
    what = f"all completions begin with {yaml_quoted(prefix)}"
    if _empties_some(completions, prefix):
        said = f"{what}, and some hold nothing else, so it stays"
        return RuleResult(findings=(FileFinding(name="common_completion_prefix", what=said),))
    space = (AddPrefix(column=COMPLETION, text=" "),) if prefix.startswith(" ") else ()
    remedy = f"Cut {yaml_quoted(prefix)} from the start of every completion"
    return _result("common_completion_prefix", what, remedy, RemovePrefix(column=COMPLETION, text=prefix), *space)


def find_ending(rows: Sequence[Row]) -> RuleResult:
    """Want a common end of all completions, at which the model learns to stop."""
    completions = column_texts(rows, COMPLETION)
    if guess_rows_task(rows) is not TaskKind.CONDITIONAL:
        return NO_RESULT
    if len(set(completions)) == 1:
        return _report_same(rows, COMPLETION, "make them different: a model would only repeat this one")
    suffix = find_common_suffix(completions)
    if suffix:
        return RuleResult(findings=_describe_suffix(COMPLETION, completions, suffix))
    free = choose_ending(completions)
    return _result(
        "common_completion_suffix",
        "completions have no common end at which the model could learn to stop",
        f"Add {yaml_quoted(free)} to the end of every completion",
        AddSuffix(column=COMPLETION, text=free),
    )


def find_space(rows: Sequence[Row]) -> RuleResult:
    """Want a space in front of every completion, as the tokens of old base models want it."""
    if all(completion.startswith(" ") for completion in column_texts(rows, COMPLETION)):
        return NO_RESULT
    what = "completions that do not begin with a space"
    remedy = "Put a space in front of completions that have none"
    return _result("completion_space_start", what, remedy, EnsureLeadingSpace(columns=(COMPLETION,)))


def _result(name: str, what: str, remedy: str, *steps: RemedyStep) -> RuleResult:
    return RuleResult(
        findings=(FileFinding(name=name, what=what),),
        remedy=Remedy(name=name, what=remedy, necessary=False, steps=steps),
    )


def _describe_suffix(column: str, said: Sequence[str], suffix: str) -> tuple[FileFinding, ...]:
    name = f"common_{column}_suffix"
    what = f"all {column}s end with {yaml_quoted(suffix)}"
    if len(suffix) > LONG_AFFIX:
        what += ", which is long: a shorter one costs fewer tokens"
    if any(suffix in text[: -len(suffix)] for text in said):
        what += "; some hold it more than once, so that its place is not clear"
    return (FileFinding(name=name, what=what),)


def _empties_some(said: Sequence[str], prefix: str) -> bool:
    return any(not text[len(prefix) :].strip() for text in said)


def _report_same(rows: Sequence[Row], column: str, hint: str) -> RuleResult:
    what = f"all {len(rows)} {column}s are the same" if len(rows) > 1 else "there is one row only"
    advice = hint if len(rows) > 1 else "training needs at least ten"
    where = Place(file=rows[0].file, line=rows[0].line)
    return RuleResult(problem=Problem(where=where, path=column, what=what, hint=advice, rule="prepare.same"))
