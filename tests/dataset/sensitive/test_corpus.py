"""The precision and recall of the detectors, over made-up secrets and personal data and harmless texts like them."""

import time
from collections import Counter
from collections.abc import Sequence

from reconciler.dataset.sensitive import find_personal_data, mask_text
from reconciler.foundation.secret_shapes import find_secrets
from tests.dataset.sensitive.corpus import KEYS, PERSONAL, Case, negatives, positives

LEAST = 0.95


def is_flagged(text: str) -> bool:
    return any(find_secrets(text)) or any(find_personal_data(text))


def select_kept_half(cases: Sequence[Case]) -> Sequence[Case]:
    """Return the half that the detectors were not written by."""
    return cases[::2]


def test_the_corpus_is_large_enough() -> None:
    assert len(positives()) >= 400
    assert len(negatives()) >= 400


def test_recall_and_precision_of_the_kept_half() -> None:
    missed = [case for case in select_kept_half(positives()) if not is_flagged(case.text)]
    wrong = [case for case in select_kept_half(negatives()) if is_flagged(case.text)]
    found = len(select_kept_half(positives())) - len(missed)
    assert found / len(select_kept_half(positives())) >= LEAST, missed
    assert found / (found + len(wrong)) >= LEAST, wrong


def test_every_kind_is_found_and_its_look_alikes_are_not() -> None:
    """Name each kind that is often missed, and each look-alike that is taken for one more than once."""
    found, wrong = Counter[str](), Counter[str]()
    for case in positives():
        found[case.kind] += is_flagged(case.text)
    for case in negatives():
        wrong[case.kind] += is_flagged(case.text)
    assert {kind for kind in (*KEYS, *PERSONAL) if found[kind] < 6} == set()
    assert {kind for kind, count in wrong.items() if count > 1} == set()


def test_what_is_flagged_is_masked() -> None:
    for case in positives():
        if is_flagged(case.text):
            assert case.text not in mask_text(case.text), case
            assert not is_flagged(mask_text(case.text)), (case, mask_text(case.text))


def test_the_time_is_linear_in_the_text() -> None:
    text = "jane.doe@somewhere.net +49 30 7201234 4242 4242 4242 4242 password=Sun-1234 eyJ-eyJ- " * 4_000
    begun = time.process_time()
    assert len(list(find_personal_data(text))) >= 12_000
    mask_text(text)
    assert time.process_time() - begun < 20
