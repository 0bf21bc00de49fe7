"""The exhibits of each chapter: results of the analytics in, charts, tables and sentences with their sources out."""

from collections.abc import Iterable

from workbench.exhibits.origin import Origin
from workbench.report import Exhibit

__all__ = ["Origin", "show"]


def show(exhibits: Iterable[Exhibit]) -> None:
    """Display several exhibits of one notebook cell, in order."""
    from IPython.display import display

    for exhibit in exhibits:
        display(exhibit)
