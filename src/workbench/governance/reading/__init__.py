"""What the desk shows of the database: pages of the queue, one signal whole, findings that stand in the way, history.

Reading only, on a connection that the caller opened. Every query carries the books that the reader may see: what is
outside them is not counted, not named and not told apart from what does not exist.
"""

from workbench.governance.reading.escalations import Question, questions
from workbench.governance.reading.exceptions import ExceptionFilters, ExceptionsPage, exceptions_page
from workbench.governance.reading.history import history
from workbench.governance.reading.papers import (
    PaperFilters,
    PapersPage,
    PaperView,
    paper_document,
    paper_view,
    papers_page,
)
from workbench.governance.reading.queue import Filters, QueuePage, QueueRow, Sort, choices, queue_page
from workbench.governance.reading.signal import Draft, SignalView, document, signal_view

__all__ = [
    "Draft",
    "ExceptionFilters",
    "ExceptionsPage",
    "Filters",
    "PaperFilters",
    "PaperView",
    "PapersPage",
    "Question",
    "QueuePage",
    "QueueRow",
    "SignalView",
    "Sort",
    "choices",
    "document",
    "exceptions_page",
    "history",
    "paper_document",
    "paper_view",
    "papers_page",
    "questions",
    "queue_page",
    "signal_view",
]
