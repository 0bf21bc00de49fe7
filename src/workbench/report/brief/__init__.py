"""The one-page brief: plain words and figures in, one letter page as HTML and PDF out, or a folder of hundreds.

A brief is rendered straight from data, without a notebook or a browser: it is made for every client of a firm in one
go, on the morning it is needed.
"""

from workbench.report.brief.batch import WrittenBriefs, write_briefs
from workbench.report.brief.fit import fitted
from workbench.report.brief.page import BriefRow, BriefTable, BriefView, Deviation, Figure, Item, RankedBrief, Section
from workbench.report.brief.render import render_html, render_pdf

__all__ = [
    "BriefRow",
    "BriefTable",
    "BriefView",
    "Deviation",
    "Figure",
    "Item",
    "RankedBrief",
    "Section",
    "WrittenBriefs",
    "fitted",
    "render_html",
    "render_pdf",
    "write_briefs",
]
