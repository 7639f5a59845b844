"""Graders: read, and run where that needs no model and no foreign code. Knows no HTTP and no store."""

from reconciler.evaluation.formula import Formula, FormulaError, read_formula
from reconciler.evaluation.graders import Grader, GraderError, MultiGrader, read_grader
from reconciler.evaluation.score import Score, score_sample, text_similarity

__all__ = [
    "Formula",
    "FormulaError",
    "Grader",
    "GraderError",
    "MultiGrader",
    "Score",
    "read_formula",
    "read_grader",
    "score_sample",
    "text_similarity",
]
