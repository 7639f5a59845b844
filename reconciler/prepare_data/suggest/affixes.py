"""Rules about how prompts and completions begin and end, as completion models that learn from plain text want it."""

from collections.abc import Callable, Sequence

from reconciler.dataset.row import Row
from reconciler.domain.errors import Place, Problem
from reconciler.domain.prepare import AddPrefix, AddSuffix, EnsureLeadingSpace, LowerCase, RemovePrefix
from reconciler.foundation.yaml_write import yaml_quoted
from reconciler.prepare_data.compat.affix import (
    Task,
    common_prefix,
    common_suffix,
    free_ending,
    free_separator,
    is_mostly_upper,
)
from reconciler.prepare_data.compat.completions import SHORTEST_PREFIX
from reconciler.prepare_data.compat.prompts import LONG_AFFIX, LONG_PREFIX
from reconciler.prepare_data.suggest.cells import COMPLETION, PROMPT, task, texts
from reconciler.prepare_data.suggest.finding import NOTHING, Finding, Found, Mending, Remedy


def find_upper(column: str) -> Callable[[Sequence[Row]], Found]:
    """Return the rule that lowers the case of a column that is mostly capitals."""

    def rule(rows: Sequence[Row]) -> Found:
        if not is_mostly_upper(texts(rows, column)):
            return NOTHING
        what = f"more than a third of the letters of `{column}` are capitals, which models learn less well"
        return _found("lower_case", what, f"Write `{column}` in lower case", LowerCase(columns=(column,)))

    return rule


def find_separator(rows: Sequence[Row]) -> Found:
    """Want a common end of all prompts, which tells the model where the completion begins."""
    prompts = texts(rows, PROMPT)
    if task(rows) is Task.OPEN_ENDED:
        return NOTHING
    if len(set(prompts)) == 1:
        return _same(rows, PROMPT, "leave all prompts empty for open-ended generation, or make them different")
    suffix = common_suffix(prompts)
    if suffix:
        return Found(findings=_of_suffix(PROMPT, prompts, suffix))
    free = free_separator(prompts)
    return _found(
        "common_prompt_suffix",
        "prompts have no common end that tells where the completion begins",
        f"Add {yaml_quoted(free)} to the end of every prompt",
        AddSuffix(column=PROMPT, text=free),
    )


def find_prompt_prefix(rows: Sequence[Row]) -> Found:
    """Cut off a long common beginning of prompts, which says nothing about any one of them."""
    prompts = texts(rows, PROMPT)
    prefix = common_prefix(prompts)
    if not prefix or task(rows) is Task.OPEN_ENDED:
        return NOTHING
    what = f"all prompts begin with {yaml_quoted(prefix)}"
    if len(prefix) <= LONG_PREFIX or _would_empty(prompts, prefix):
        return Found(findings=(Finding(name="common_prompt_prefix", what=what),))
    remedy = f"Cut {yaml_quoted(prefix)} from the start of every prompt"
    return _found("common_prompt_prefix", what, remedy, RemovePrefix(column=PROMPT, text=prefix))


def find_completion_prefix(rows: Sequence[Row]) -> Found:
    """Cut off a common beginning of completions; one space stays where they began with one."""
    completions = texts(rows, COMPLETION)
    prefix = common_prefix(completions)
    if len(prefix) < SHORTEST_PREFIX or len(set(completions)) == 1:
        return NOTHING
    what = f"all completions begin with {yaml_quoted(prefix)}"
    if _would_empty(completions, prefix):
        said = f"{what}, and some hold nothing else, so it stays"
        return Found(findings=(Finding(name="common_completion_prefix", what=said),))
    space = (AddPrefix(column=COMPLETION, text=" "),) if prefix.startswith(" ") else ()
    remedy = f"Cut {yaml_quoted(prefix)} from the start of every completion"
    return _found("common_completion_prefix", what, remedy, RemovePrefix(column=COMPLETION, text=prefix), *space)


def find_ending(rows: Sequence[Row]) -> Found:
    """Want a common end of all completions, at which the model learns to stop."""
    completions = texts(rows, COMPLETION)
    if task(rows) is not Task.CONDITIONAL:
        return NOTHING
    if len(set(completions)) == 1:
        return _same(rows, COMPLETION, "make them different: a model would only repeat this one")
    suffix = common_suffix(completions)
    if suffix:
        return Found(findings=_of_suffix(COMPLETION, completions, suffix))
    free = free_ending(completions)
    return _found(
        "common_completion_suffix",
        "completions have no common end at which the model could learn to stop",
        f"Add {yaml_quoted(free)} to the end of every completion",
        AddSuffix(column=COMPLETION, text=free),
    )


def find_space(rows: Sequence[Row]) -> Found:
    """Want a space in front of every completion, as the tokens of old base models want it."""
    if all(completion.startswith(" ") for completion in texts(rows, COMPLETION)):
        return NOTHING
    what = "completions that do not begin with a space"
    remedy = "Put a space in front of completions that have none"
    return _found("completion_space_start", what, remedy, EnsureLeadingSpace(columns=(COMPLETION,)))


def _found(name: str, what: str, remedy: str, *steps: Mending) -> Found:
    return Found(
        findings=(Finding(name=name, what=what),),
        remedy=Remedy(name=name, what=remedy, necessary=False, steps=steps),
    )


def _of_suffix(column: str, said: Sequence[str], suffix: str) -> tuple[Finding, ...]:
    name = f"common_{column}_suffix"
    what = f"all {column}s end with {yaml_quoted(suffix)}"
    if len(suffix) > LONG_AFFIX:
        what += ", which is long: a shorter one costs fewer tokens"
    if any(suffix in text[: -len(suffix)] for text in said):
        what += "; some hold it more than once, so that its place is not clear"
    return (Finding(name=name, what=what),)


def _would_empty(said: Sequence[str], prefix: str) -> bool:
    return any(not text[len(prefix) :].strip() for text in said)


def _same(rows: Sequence[Row], column: str, hint: str) -> Found:
    what = f"all {len(rows)} {column}s are the same" if len(rows) > 1 else "there is one row only"
    advice = hint if len(rows) > 1 else "training needs at least ten"
    where = Place(file=rows[0].file, line=rows[0].line)
    return Found(problem=Problem(where=where, path=column, what=what, hint=advice, rule="prepare.same"))
