"""What the name of a column or key says: a question, an answer, the better or worse of two answers, a judgement.

Names are compared in lower case, with an underscore between words: `User Prompt` is `user_prompt`.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

PROMPTS = (
    *("prompt", "question", "instruction", "query", "user_prompt", "user_message", "user_input", "input"),
    *("input_text", "user", "human", "request", "utterance", "message", "text", "subject", "q"),
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
_FACTS = frozenset(
    {
        *("model", "models", "source", "sources", "name", "id", "ids", "uid", "url", "path", "provider", "generator"),
        *(
            "author",
            "annotator",
            "policy",
            "rating",
            "ratings",
            "score",
            "scores",
            "reward",
            "rewards",
            "rank",
            "grade",
        ),
        *("length", "len", "tokens", "count", "logp", "logps", "logprob", "logprobs", "margin", "time", "timestamp"),
        *("date", "reason", "reasons", "rationale", "explanation", "critique", "comment", "comments", "type", "lang"),
        *("language", "temperature", "metadata", "meta", "info", "stats", "cost", "confidence", "weight"),
    }
)
"""What is said about an answer: a name that ends so, as `chosen_model`, holds no answer."""
_SPLITS = (
    *("split", "splits", "subset", "partition", "fold", "set", "set_type", "data_split", "dataset_split"),
    *("split_name", "usage", "phase"),
)
_TRAIN_SPLITS = frozenset({"train", "training", "trn"})
_OTHER_SPLITS = frozenset(
    {
        *("test", "testing", "tst", "val", "valid", "validation", "validate", "dev", "development", "eval"),
        *("evaluation", "heldout", "held", "holdout", "hold"),
    }
)
_HELD_OUT = frozenset(
    {
        *("is_test", "is_val", "is_valid_split", "is_validation", "is_dev", "is_eval", "is_evaluation", "in_test"),
        *("heldout", "held_out", "is_heldout", "is_held_out", "holdout", "is_holdout", "is_hold_out", "test_set"),
    }
)
_FOR_TRAINING = frozenset({"is_train", "is_training", "in_train", "train_set", "for_training", "use_for_training"})
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
_JUDGING_WORDS = frozenset(
    {
        *("good", "bad", "great", "poor", "accept", "accepted", "reject", "rejected", "approve", "approved"),
        *("disapproved", "desirable", "undesirable", "desired", "undesired", "thumbs_up", "thumbs_down", "thumbsup"),
        *("thumbsdown", "thumb_up", "thumb_down", "upvote", "upvoted", "downvote", "downvoted", "like", "liked"),
        *("dislike", "disliked", "helpful", "unhelpful", "not_helpful", "correct", "incorrect", "wrong", "chosen"),
        *("preferred", "not_preferred", "dispreferred", "\U0001f44d", "\U0001f44e", "+1", "-1"),
    }
)
"""Cells that judge an answer whatever their column is called; `yes` and `0` do so only where the name says it."""
_NUMBER = re.compile(r"[+-]?\d{1,6}([.]\d{1,6})?")
_MOST_OF_A_WORD = 24
_CHOICE = re.compile(r"(?:(option|options|opt|op|choice|choices|answer_choice|alternative|ans)_?)?([a-h]|[0-9])")
CHOICES = ("choices", "options", "answer_choices", "alternatives", "candidates", "mc1_targets", "endings")
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
    if {"q", "a"} <= by_name.keys() and "b" not in by_name:
        # Without a question beside it, or with a `b`, an `a` is one of several choices.
        by_name = {"answer": by_name["a"], **by_name}
    return next((by_name[name] for name in names if name in by_name), None)


def says_rejected(name: str) -> bool:
    """Return whether a name says that a model should not answer so."""
    words = plain_name(name).split("_")
    if len(words) > 1 and words[-1] in _FACTS:
        return False
    return not _BAD.isdisjoint(words) or "non_preferred" in plain_name(name) or plain_name(name) == "y_l"


def says_chosen(name: str) -> bool:
    """Return whether a name says that this is the better of two answers."""
    words = plain_name(name).split("_")
    if says_rejected(name) or (len(words) > 1 and words[-1] in _FACTS):
        return False
    return not _GOOD.isdisjoint(words) or plain_name(name) == "y_w"


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
    if plain in _OTHER_MEANING or says_judgement(name) or judges_by_value(name, value) or says_split(name, value):
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


def judges_by_value(name: str, value: object) -> bool:
    """Return whether a cell judges an answer by its word alone, in a column whose name says nothing else."""
    if not isinstance(value, str) or len(value) > _MOST_OF_A_WORD or plain_name(name) in (*PROMPTS, *COMPLETIONS):
        return False
    return value.strip().lower().replace(" ", "_") in _JUDGING_WORDS


def says_split(name: str, value: object) -> bool:
    """Return whether a cell says which part of the data its row belongs to: for training, or held out."""
    plain = plain_name(name)
    if plain in _HELD_OUT or plain in _FOR_TRAINING:
        return isinstance(value, bool | int) or read_judgement(name, value) is not None
    return plain in _SPLITS and (_first_word(value) in _TRAIN_SPLITS or _first_word(value) in _OTHER_SPLITS)


def is_for_training(name: str, value: object) -> bool:
    """Return whether a cell that says the part of its row says that it is for training."""
    plain = plain_name(name)
    if plain in _HELD_OUT or plain in _FOR_TRAINING:
        return read_judgement(name, value) is (plain in _FOR_TRAINING)
    return _first_word(value) in _TRAIN_SPLITS


def _first_word(value: object) -> str:
    # `train` of `train_sft` and `Train set`.
    return plain_name(value).split("_")[0] if isinstance(value, str) and len(value) <= _MOST_OF_A_WORD else ""


def needs_decision(name: str, value: object) -> bool:
    """Return whether a key is not to be left out by the way: it has a meaning, and is not only the word for training.

    Shape:  a column whose cells all say `train` tells nothing
    """
    return has_meaning(name, value) and not (says_split(name, value) and is_for_training(name, value))


def find_meaning(name: str, values: Collection[object]) -> object:
    """Return the first value of a column that needs a decision; None where none does.

    Shape:  a word that judges, as `good`, does so only in a column whose other values do too
    """
    judging = [judges_by_value(name, value) for value in values]
    if all(judging):
        return next(iter(values), None)
    return next(
        (value for value, judges in zip(values, judging, strict=True) if not judges and needs_decision(name, value)),
        None,
    )


def match_training(name: str) -> str:
    """Return the expression that the cells of the rows for training match, in a column that says their part."""
    plain = plain_name(name)
    if plain in _HELD_OUT:
        return "(?i)^(false|no?|0)$"
    return "(?i)^(true|y(es)?|1)$" if plain in _FOR_TRAINING else "(?i)^tr(ai)?n"


def find_choices(names: Collection[str]) -> Mapping[str, str]:
    """Return the columns of answers to choose from, by their letter or number: `option_a`, `option_b`; or `A`, `B`.

    Shape:  empty where there are fewer than three, or the first of them is not there
    """
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for name in names:
        found = _CHOICE.fullmatch(plain_name(name))
        if found:
            kind = "letter" if found[2].isalpha() else "number"
            groups.setdefault((found[1] or "", kind), {})[found[2].upper()] = name
    for (_, kind), columns in groups.items():
        first = ord("A") if kind == "letter" else ord("0") if "0" in columns else ord("1")
        if len(columns) > 2 and all(chr(first + at) in columns for at in range(len(columns))):
            return dict(sorted(columns.items()))
    return {}


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
