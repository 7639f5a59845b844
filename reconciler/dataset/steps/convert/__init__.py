"""Other forms of a conversation become the API's own. One file for each form; none guesses what is not written."""

from collections.abc import Callable, Mapping

from reconciler.dataset.row_checks.finding import Object
from reconciler.dataset.steps.columns import Edit
from reconciler.dataset.steps.convert import alpaca, anthropic, chat, pair, sharegpt, vertex
from reconciler.domain.prepare import Convert, Form, Target

TO_CHAT: Mapping[Form, Callable[[Object], Object]] = {
    Form.ALPACA: alpaca.alpaca_to_chat,
    Form.ANTHROPIC: anthropic.anthropic_to_chat,
    Form.CHAT: chat.normalize_chat,
    Form.PROMPT_COMPLETION: pair.pair_to_chat,
    Form.SHAREGPT: sharegpt.sharegpt_to_chat,
    Form.VERTEX: vertex.vertex_to_chat,
}


def convert(step: Convert) -> Edit:
    """Write one row in another form.

    Raises: ConversionError, on a row that is not in the form named or has no like in the other
    """
    to_chat = TO_CHAT[step.source]
    if step.target is Target.CHAT:
        return to_chat
    return lambda row: pair.chat_to_pair(to_chat(row))
