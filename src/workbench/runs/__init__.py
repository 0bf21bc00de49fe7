"""Running notebooks as a book: plan, execute, verify, record.

book = load_book(Path("params/quarterly.yml"))
planned = plan(book, firm_path=..., firm_hash=..., as_of=..., notebooks=..., out=..., lock=...)
result = run(planned, clock=..., resume=True, render=...)
result.raise_for_failure()
"""

from __future__ import annotations

from workbench.runs.book import BookParams, ChapterRequest, load_book
from workbench.runs.execute import OnEvent, RunEvent
from workbench.runs.parameters import NotebookParameters, Parameter, read_parameters
from workbench.runs.plan import NotebookPlan, RunPlan, plan
from workbench.runs.registry import CHAPTERS, WORKSHEETS, Chapter
from workbench.runs.run import NotebookOutcome, RunResult, run
from workbench.runs.verify import Cause, Verdict

__all__ = [
    "CHAPTERS",
    "WORKSHEETS",
    "BookParams",
    "Cause",
    "Chapter",
    "ChapterRequest",
    "NotebookOutcome",
    "NotebookParameters",
    "NotebookPlan",
    "OnEvent",
    "Parameter",
    "RunEvent",
    "RunPlan",
    "RunResult",
    "Verdict",
    "load_book",
    "plan",
    "read_parameters",
    "run",
]
