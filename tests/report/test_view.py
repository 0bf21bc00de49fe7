"""What a page shows of a chapter: headings that introduce something."""

import pytest

from workbench.report.blocks import ErrorBlock, ExhibitBlock, MarkdownBlock
from workbench.report.book import Book, Chapter
from workbench.report.exhibit import Exhibit, ProseBody
from workbench.report.view import view_book

SHOWN = ExhibitBlock(Exhibit("box", "A box", ProseBody(("Something.",))), 1)
FAILED = ErrorBlock(3, "1 / 0", "ZeroDivisionError", "division by zero")


def headings(*blocks):
    """The headings of a chapter as shown; its contents list those of the first level."""
    made = tuple(MarkdownBlock(block, 1) if isinstance(block, str) else block for block in blocks)
    [view] = view_book(Book("A book", "A firm", "2022-12-28", (Chapter("one", "One", made),)))
    tokens = [block.tokens for block in view.blocks if block.kind == "markdown"]
    assert [section.title for section in view.sections] == [part[1].content for part in tokens if part[0].tag == "h2"]
    return [part[1].content for part in tokens]


@pytest.mark.parametrize(
    ("blocks", "kept"),
    [
        (("## First", SHOWN, "## Second", SHOWN), ["First", "Second"]),
        (("## First", "## Second", SHOWN), ["Second"]),
        (("## First", "### Inside", SHOWN), ["First", "Inside"]),
        (("## First", "### Inside", "## Second", SHOWN), ["Second"]),
        (("## First", SHOWN, "## Last"), ["First"]),
        (("## First\n\nWith words.", "## Second", SHOWN), ["First", "Second"]),
        (("## First", FAILED), ["First"]),
    ],
)
def test_a_heading_without_anything_under_it_is_left_out(blocks, kept):
    assert headings(*blocks) == kept
