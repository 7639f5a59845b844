"""The review of a plan as one page that stands alone: no script, nothing fetched, readable on paper and on a phone."""

from reconciler.render.html.figures import DatasetFigures
from reconciler.render.html.page import plan_html
from reconciler.render.html.rows import MOST_ROWS

__all__ = ["MOST_ROWS", "DatasetFigures", "plan_html"]
