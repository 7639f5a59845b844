"""Rules about how prompts and completions begin and end, for completion models, which learn from plain text."""

from collections.abc import Callable, Sequence

from reconciler.dataset import Row
from reconciler.domain.errors import Place, Problem
from reconciler.domain.prepare import AddPrefix, AddSuffix, EnsureLeadingSpace, LowerCase, RemovePrefix
from reconciler.foundation.text import yaml_quoted
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
    RuleResult,
    column_texts,
    guess_rows_task,
    suggest_remedy,
)


def find_upper(column: str, rows: Sequence[Row]) -> RuleResult:
    """Lower the case of a column of mostly capital letters."""
    if not is_mostly_upper(column_texts(rows, column)):
        return NO_RESULT
    what = f"more than a third of the letters in `{column}` are capitals; models learn better from normal case"
    return suggest_remedy("lower_case", what, f"Write `{column}` in lower case", LowerCase(columns=(column,)))


def find_separator(rows: Sequence[Row]) -> RuleResult:
    """Add a common end to prompts, which shows the model where the completion begins."""
    if guess_rows_task(rows) is TaskKind.OPEN_ENDED:
        return NO_RESULT
    hint = "leave all prompts empty for open-ended generation, or make them different"
    what = "prompts have no common end, which would show the model where the completion begins"
    return _require_suffix(rows, PROMPT, choose_separator, what, hint)


def find_ending(rows: Sequence[Row]) -> RuleResult:
    """Add a common end to completions, at which the model learns to stop."""
    if guess_rows_task(rows) is not TaskKind.CONDITIONAL:
        return NO_RESULT
    hint = "make them different: a model would only repeat this one"
    what = "completions have no common end, at which the model would learn to stop"
    return _require_suffix(rows, COMPLETION, choose_ending, what, hint)


def _require_suffix(
    rows: Sequence[Row], column: str, choose: Callable[[Sequence[str]], str], what: str, hint: str
) -> RuleResult:
    texts, name = column_texts(rows, column), f"common_{column}_suffix"
    if len(set(texts)) == 1:
        return _report_same(rows, column, hint)
    suffix = find_common_suffix(texts)
    if not suffix:
        new = choose(texts)
        remedy = f"Add {yaml_quoted(new)} to the end of every {column}"
        return suggest_remedy(name, what, remedy, AddSuffix(column=column, text=new))
    what = f"all {column}s end with {yaml_quoted(suffix)}"
    if len(suffix) > LONG_AFFIX:
        what += ", which is long; a shorter one costs fewer tokens"
    if any(suffix in text[: -len(suffix)] for text in texts):
        what += "; some contain it more than once, so that the model cannot tell where they end"
    return RuleResult(findings=(FileFinding(name=name, what=what),))


def find_prompt_prefix(rows: Sequence[Row]) -> RuleResult:
    """Remove a long common start of prompts, which tells the model nothing about any of them."""
    prompts = column_texts(rows, PROMPT)
    prefix = find_common_prefix(prompts)
    if not prefix or guess_rows_task(rows) is TaskKind.OPEN_ENDED:
        return NO_RESULT
    what = f"all prompts begin with {yaml_quoted(prefix)}"
    if len(prefix) <= LONG_PREFIX or _empties_some(prompts, prefix):
        return RuleResult(findings=(FileFinding(name="common_prompt_prefix", what=what),))
    remedy = f"Remove {yaml_quoted(prefix)} from the start of every prompt"
    return suggest_remedy("common_prompt_prefix", what, remedy, RemovePrefix(column=PROMPT, text=prefix))


def find_completion_prefix(rows: Sequence[Row]) -> RuleResult:
    """Remove a common start of completions; keep one space where they begin with a space."""
    completions = column_texts(rows, COMPLETION)
    prefix = find_common_prefix(completions)
    if len(prefix) < SHORTEST_PREFIX or len(set(completions)) == 1:
        return NO_RESULT
    what = f"all completions begin with {yaml_quoted(prefix)}"
    if _empties_some(completions, prefix):
        what += "; it stays, because some completions hold nothing else"
        return RuleResult(findings=(FileFinding(name="common_completion_prefix", what=what),))
    space = (AddPrefix(column=COMPLETION, text=" "),) if prefix.startswith(" ") else ()
    remedy = f"Remove {yaml_quoted(prefix)} from the start of every completion"
    step = RemovePrefix(column=COMPLETION, text=prefix)
    return suggest_remedy("common_completion_prefix", what, remedy, step, *space)


def find_space(rows: Sequence[Row]) -> RuleResult:
    """Add a space to the start of completions, as the tokens of old base models need it."""
    if all(completion.startswith(" ") for completion in column_texts(rows, COMPLETION)):
        return NO_RESULT
    what = "some completions do not begin with a space"
    remedy = "Add a space to the start of completions that have none"
    return suggest_remedy("completion_space_start", what, remedy, EnsureLeadingSpace(columns=(COMPLETION,)))


def _empties_some(texts: Sequence[str], prefix: str) -> bool:
    return any(not text[len(prefix) :].strip() for text in texts)


def _report_same(rows: Sequence[Row], column: str, hint: str) -> RuleResult:
    what = f"all {len(rows)} {column}s are the same" if len(rows) > 1 else "there is only one row"
    advice = hint if len(rows) > 1 else "add rows: training needs at least ten"
    where = Place(file=rows[0].file, line=rows[0].line)
    return RuleResult(problem=Problem(where=where, path=column, what=what, hint=advice, rule="prepare.same"))
