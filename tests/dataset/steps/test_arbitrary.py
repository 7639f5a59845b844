"""No row makes a step raise an exception: an unsuitable row passes through or is reported."""

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.dataset import RowReport
from reconciler.domain.prepare import (
    AddPrefix,
    Convert,
    Deduplicate,
    DropColumns,
    DropEmpty,
    DropLong,
    FillTemplate,
    Filter,
    Form,
    JoinMessages,
    Operation,
    Rename,
    Sample,
    SetColumns,
    Strip,
    Target,
)

from .factories import stream_steps

KEYS = [
    "role",
    "from",
    "value",
    "content",
    "messages",
    "conversations",
    "contents",
    "parts",
    "text",
    "system",
    "tools",
    "type",
    "name",
    "args",
    "functionCall",
    "functionResponse",
    "tool_use",
    "prompt",
    "completion",
    "instruction",
    "output",
    "history",
    "input",
    "a",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["user", "text", "tool_use"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=8,
)
ROWS = VALUES | st.dictionaries(
    st.sampled_from(["messages", "conversations", "contents", "system", "tools", "systemInstruction"]),
    st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), max_size=3) | VALUES,
    min_size=1,
)
STEPS: list[Operation] = [
    Rename((("a", "text"),)),
    DropColumns(("a",)),
    SetColumns((("a", 1),)),
    FillTemplate((("a", "{messages}{text}"),)),
    Strip(("a",)),
    AddPrefix("a", "x"),
    DropEmpty(),
    Deduplicate(),
    DropLong(characters=3),
    Filter(column="a", matches="x", least=1.5),
    Sample(rows=2),
    Sample(share=0.5),
    JoinMessages(),
    *(Convert(source=form, target=target) for form in Form for target in Target),
]


@settings(max_examples=100, deadline=None)
@given(st.lists(ROWS, max_size=4), st.sampled_from(STEPS))
def test_any_row_goes_through_any_step(rows: list[object], step: Operation) -> None:
    assert len(list(stream_steps(rows, step, report=RowReport()))) <= len(rows)
