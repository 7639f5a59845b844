"""The review of a plan as one page that stands alone: no script, nothing fetched, readable on paper and on a phone."""

from reconciler.render.html.figures import Figures
from reconciler.render.html.page import plan_html

__all__ = ["Figures", "plan_html"]
