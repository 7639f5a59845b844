"""What the name of a column or key says: a question, an answer, the better or worse of two answers, a judgement.

Names are compared in lower case, with an underscore between words: `User Prompt` is `user_prompt`.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

PROMPTS = (
    *("prompt", "question", "instruction", "query", "user_prompt", "user_message", "user_input", "input"),
    *("input_text", "user", "human", "request", "utterance", "message", "text", "subject"),
)
CLASSES = ("label", "category", "intent", "classification", "class")
COMPLETIONS = (
    *("completion", "answer", "output", "response", "output_text", "reply", "assistant", "assistant_response"),
    *("model_response", "bot", "gpt", "target", "summary", "translation", "solution"),
    *CLASSES,
)
CONTEXTS = ("context", "passage", "document", "article")
COHERE_ANSWERS = ("response", "answer", "output", "completion", "text")
"""Keys that hold the answer to a `message` of Cohere, the first that there is."""
HISTORIES = ("history", "chat_history", "conversation_history", "previous_turns", "previous_messages", "past_messages")
MEDIA = ("audio", "audios", "audio_path", "audio_url", "video", "videos", "video_path", "video_url", "speech", "sound")
SYSTEMS = (
    *("system", "system_prompt", "system_message", "system_instruction", "system_instructions", "system_text"),
    *("instructions", "developer", "developer_prompt", "developer_message", "preamble", "persona"),
)
IMAGES = ("images", "image", "image_url", "image_urls", "image_path", "image_paths")
TURN_WEIGHTS = (
    *("loss", "loss_weight", "is_loss", "has_loss", "with_loss", "compute_loss", "train", "training", "trainable"),
    *("trained", "train_on", "is_trained", "learn", "learnable", "learned", "weight", "weights"),
    *("mask", "masked", "is_masked", "loss_mask", "loss_masked", "train_mask", "label_mask"),
    *("ignore", "ignored", "ignore_loss", "no_loss", "skip_loss", "no_train"),
)
ROW_WEIGHTS = (
    *("mask_history", "mask_prompt", "mask_inputs", "mask_input", "train_on_last", "train_on_last_turn"),
    *("train_on_prompt", "train_on_prompts", "train_on_inputs", "train_on_input", "train_on_history", "only_last"),
    *("sample_weight", "sample_weights", "example_weight", "row_weight", "importance_weight"),
)
"""Keys of a row that say which of its turns are trained on, or how much the row counts."""
THOUGHTS = ("thinking", "reasoning", "reasoning_content", "thoughts", "chain_of_thought", "cot", "rationale")
_EITHER_WAY = frozenset({"mask", "masked", "ignore", "ignored", "no", "skip"})
LABELS = (
    *("label", "kto_tag", "is_good", "good", "is_bad", "thumbs_up", "thumbs_down", "desirable", "is_desirable"),
    *("undesirable", "accepted", "is_accepted", "approved", "is_approved", "is_correct", "correct", "feedback"),
    *("liked", "is_chosen", "is_rejected", "is_preferred", "helpful", "is_helpful", "vote", "judgement", "verdict"),
    *("rejected", "reward", "score", "is_hallucination", "hallucination", "toxic", "is_toxic", "harmful", "is_harmful"),
)
_JUDGING = frozenset(
    {
        *("rating", "ratings", "rated", "stars", "grade", "grades", "graded", "score", "scores", "reward"),
        *("rewards", "quality", "feedback", "verdict", "judgement", "judgment", "vote", "votes", "upvotes", "likes"),
        *("helpfulness", "correctness", "usefulness", "acceptance", "approval", "satisfaction", "thumbs"),
    }
)
_JUDGED_OR_JUDGE = frozenset(
    {
        *("answer", "answers", "response", "completion", "output", "reply", "model", "assistant", "human", "user"),
        *("annotator", "labeler", "rater", "expert", "customer", "crowd", "llm", "judge", "gpt"),
        *("avg", "average", "mean", "median", "overall", "final", "total", "star", "kto", "quality", "reward"),
    }
)
"""Whose answer is judged, by whom, and how: beside a word that judges, these do not change what it says."""
WINNERS = ("winner", "preference", "preferred", "choice", "better", "better_response", "better_response_id", "chosen")
TIES = frozenset(
    {
        *("tie", "ties", "tied", "draw", "equal", "same", "both", "neither", "none", "no_preference", "tie_bothbad"),
        *("both_bad", "bothbad", "both_good", "tie_both_bad", "tie_both_good", "unsure", "undecided"),
    }
)
"""What a winner's cell says where neither answer is better."""

_GOOD = frozenset(
    {"chosen", "preferred", "prefer", "win", "winner", "winning", "accepted", "better", "best", "good", "favored"}
)
_BAD = frozenset(
    {
        *("rejected", "reject", "dispreferred", "unpreferred", "nonpreferred", "lose", "loser", "losing", "lost"),
        *("worse", "worst", "bad", "declined", "dispreferred", "disfavored"),
    }
)
_OTHER_MEANING = frozenset(
    {
        *("tools", "functions", "documents", "instruction"),
        *(*MEDIA, *HISTORIES, *THOUGHTS, *CONTEXTS, *SYSTEMS, *IMAGES, *ROW_WEIGHTS),
    }
)
_SAYS_BAD = frozenset(
    {
        *("is_bad", "thumbs_down", "undesirable", "is_rejected", "rejected", "is_hallucination", "hallucination"),
        *("toxic", "is_toxic", "harmful", "is_harmful"),
    }
)
_TRUE = frozenset(
    {
        *("true", "1", "1.0", "+1", "yes", "good", "desirable", "up", "positive", "chosen", "accepted", "correct"),
        *("thumbs_up", "thumbsup", "preferred", "like", "liked", "upvote", "helpful", "approved", "\U0001f44d"),
        *("y", "t"),
    }
)
_FALSE = frozenset(
    {
        *("false", "0", "0.0", "-1", "-1.0", "no", "bad", "undesirable", "down", "negative", "rejected", "incorrect"),
        *("wrong", "thumbs_down", "thumbsdown", "not_preferred", "dispreferred", "dislike", "disliked", "downvote"),
        *("unhelpful", "not_helpful", "\U0001f44e", "n", "f"),
    }
)
_NUMBER = re.compile(r"[+-]?\d{1,6}([.]\d{1,6})?")
_SIDES = (
    ("a", "b"),
    ("1", "2"),
    ("0", "1"),
    ("one", "two"),
    ("first", "second"),
    ("left", "right"),
)


def plain_name(name: str) -> str:
    """Return a name in lower case with underscores, as the tables here have it."""
    if name.isalnum() and name.islower():
        return name
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[\W_]+", "_", spaced).strip("_").lower()


def says_either_way(name: str) -> bool:
    """Return whether a training weight may say which turns are trained on, or which are left out."""
    return not _EITHER_WAY.isdisjoint(plain_name(name).split("_"))


def find_named(names: Sequence[str], columns: Collection[str]) -> str | None:
    """Return the column with the first of some names that there is."""
    by_name = {plain_name(column): column for column in reversed(list(columns))}
    return next((by_name[name] for name in names if name in by_name), None)


def says_rejected(name: str) -> bool:
    """Return whether a name says that a model should not answer so."""
    words = plain_name(name).split("_")
    return not _BAD.isdisjoint(words) or "non_preferred" in plain_name(name) or plain_name(name) == "y_l"


def says_chosen(name: str) -> bool:
    """Return whether a name says that this is the better of two answers."""
    return not says_rejected(name) and (not _GOOD.isdisjoint(plain_name(name).split("_")) or plain_name(name) == "y_w")


def find_pair(columns: Collection[str]) -> tuple[str, str] | None:
    """Return the columns of the better and the worse answer, when two names differ only in saying so."""
    better = {_without_judgement(column): column for column in columns if says_chosen(column)}
    worse = {_without_judgement(column): column for column in columns if says_rejected(column)}
    for rest, column in worse.items():
        if rest in better:
            return better[rest], column
    return (*better.values(), *worse.values()) if len(better) == len(worse) == 1 else None  # type: ignore[return-value]  # one of each


def find_sides(columns: Collection[str]) -> tuple[str, str] | None:
    """Return two columns whose names differ only in `a` and `b`, or `1` and `2`: answers to be compared."""
    by_words = {tuple(plain_name(column).split("_")): column for column in columns}
    for words, column in by_words.items():
        for first, second in _SIDES:
            other = by_words.get(tuple(second if word == first else word for word in words))
            if first in words and len(words) > 1 and other and other != column and "model" not in words[-1:]:
                return column, other
    return None


def read_judgement(name: str, value: object) -> bool | None:
    """Return whether a cell says that an answer is desired; None when it says neither."""
    if isinstance(value, bool):
        found = value
    elif isinstance(value, str | int | float | Decimal):
        word = str(value).strip().lower().replace(" ", "_")
        if word not in _TRUE | _FALSE:
            return None
        found = word in _TRUE
    else:
        return None
    return found is not (plain_name(name) in _SAYS_BAD)


def has_meaning(name: str, value: object) -> bool:
    """Return whether a key says something that training would have to know: it is not to be left out by the way."""
    plain = plain_name(name)
    if plain in _OTHER_MEANING or says_judgement(name):
        return True
    if plain in TURN_WEIGHTS:
        return isinstance(value, bool | int | float) or read_judgement(name, value) is not None or _is_grade(value)
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return (says_chosen(name) or says_rejected(name)) and not is_number


def says_judgement(name: str) -> bool:
    """Return whether a name says that its values judge an answer, in whichever words or numbers.

    Shape:  `label`, `rating`, `answer_quality` do; `credit_score`, which measures something else, does not
    """
    plain = plain_name(name)
    words = plain.split("_")
    return plain in LABELS or (words[-1] in _JUDGING and _JUDGED_OR_JUDGE.issuperset(words[:-1]))


def _is_grade(value: object) -> bool:
    return isinstance(value, Decimal) or (isinstance(value, str) and bool(_NUMBER.fullmatch(value.strip())))


def which_side(value: object, names: tuple[str, str]) -> int | None:
    """Return which of two answers a winner's cell names: 0 or 1; None for a tie, or for something else."""
    if isinstance(value, bool):
        return None
    word = plain_name(str(value)).removeprefix("model_").removeprefix("response_").removeprefix("answer_")
    plain = [plain_name(name) for name in names]
    if plain_name(str(value)) in plain:
        return plain.index(plain_name(str(value)))
    ends = [set(plain[0].split("_")) - set(plain[1].split("_")), set(plain[1].split("_")) - set(plain[0].split("_"))]
    return next((side for side in (0, 1) if word in ends[side]), None)


def desired_values(name: str, values: Collection[object]) -> Mapping[bool, tuple[object, ...]] | None:
    """Return the values of a judgement by whether they say that the answer is desired; None when one says neither."""
    found: dict[bool, list[object]] = {True: [], False: []}
    for value in values:
        judged = read_judgement(name, value)
        if judged is None:
            return None
        if value not in found[judged]:
            found[judged].append(value)
    return {key: tuple(kept) for key, kept in found.items()} if values else None


def _without_judgement(name: str) -> str:
    plain = plain_name(name).replace("non_preferred", "dispreferred")
    plain = {"y_w": "chosen_y", "y_l": "rejected_y"}.get(plain, plain)
    return "_".join(word for word in plain.split("_") if word not in _GOOD | _BAD)
