"""Neighbouring turns of one role become one."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.prepare import JoinMessages

from .factories import find_problems, run_steps

TURNS = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text(min_size=1, max_size=5)}
    ),
    max_size=8,
)


def turn(role: str, content: object, **more: object) -> dict[str, object]:
    return {"role": role, "content": content, **more}


def test_neighbours_of_one_role_are_joined() -> None:
    row = {"messages": [turn("user", "a"), turn("user", "b"), turn("user", "c"), turn("assistant", "d")], "tools": [1]}
    assert run_steps([row], JoinMessages()) == [
        {"messages": [turn("user", "a\n\nb\n\nc"), turn("assistant", "d")], "tools": [1]}
    ]
    assert run_steps([row], JoinMessages(" "))[0] == {
        "messages": [turn("user", "a b c"), turn("assistant", "d")],
        "tools": [1],
    }


def test_messages_that_hold_more_than_text_are_not_joined() -> None:
    messages = [
        turn("user", [{"type": "text", "text": "a"}]),
        turn("user", "b"),
        turn("assistant", None, tool_calls=[1]),
        turn("assistant", "c", tool_calls=[2]),
        turn("assistant", "d", tool_calls=[2]),
        turn("tool", "1", tool_call_id="x"),
        turn("tool", "2", tool_call_id="x"),
        turn("assistant", "e", weight=0),
        turn("assistant", "f", weight=1),
        turn("assistant", "g", weight=1),
        "no turn",
    ]
    (found,) = run_steps([{"messages": messages}], JoinMessages())
    assert found == {"messages": [*messages[:8], turn("assistant", "f\n\ng", weight=1), "no turn"]}


def test_rows_without_messages_stay_and_are_reported() -> None:
    assert run_steps([{"messages": "x"}, {"a": 1}], JoinMessages()) == [{"messages": "x"}, {"a": 1}]
    assert [each.rule for each in find_problems([{"a": 1}], JoinMessages())] == ["prepare.unknown-column"]


@given(TURNS)
def test_no_text_is_repeated_or_lost_and_no_neighbours_are_left(turns: list[dict[str, object]]) -> None:
    (found,) = run_steps([{"messages": turns}], JoinMessages(""))
    assert isinstance(found, dict)
    joined = found["messages"]
    assert isinstance(joined, list)
    assert "".join(each["content"] for each in joined) == "".join(str(each["content"]) for each in turns)
    assert all(one["role"] != other["role"] for one, other in pairwise(joined))
    assert run_steps([found], JoinMessages("")) == [found]
