"""Secrets and personal data in rows: found, and masked wherever a text of a row is shown."""

from reconciler.dataset.sensitive.masking import mask_problem, mask_row, mask_text
from reconciler.dataset.sensitive.personal_data import PersonalData, find_personal_data

__all__ = ["PersonalData", "find_personal_data", "mask_problem", "mask_row", "mask_text"]
