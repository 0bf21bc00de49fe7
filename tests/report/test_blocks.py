import pytest

from workbench.errors import ParameterError
from workbench.report import Book, Chapter, Exhibit, ExhibitError, Fact, ProseBody, collect_facts, read_notebook
from workbench.report.blocks import ErrorBlock, ExhibitBlock, MarkdownBlock


def prose(value, **changes):
    fact = Fact.of("drift.firm.score", value, changes.get("unit", "pp"), source="s", as_of="2022-12-28")
    return Exhibit("drift.score", "", ProseBody((("Score ", fact.ref()),)), facts=(fact,))


def test_reads_markdown_exhibits_and_errors_in_order(sample):
    content = read_notebook(sample.hostile())
    assert [type(block) for block in content.blocks] == [
        MarkdownBlock, ExhibitBlock, ExhibitBlock, ExhibitBlock, ErrorBlock,
    ]  # fmt: skip
    assert content.title == "Quality"


def test_other_output_is_noted_not_shown(sample):
    notes = read_notebook(sample.hostile()).notes
    assert [note.cell for note in notes] == [5, 5]
    assert "stdout is not shown" in notes[0].text
    assert "text/html" in notes[1].text


def test_a_malformed_exhibit_becomes_an_error_of_its_cell(sample):
    cell = sample.shown(prose(0.1))
    next(iter(cell["outputs"][0]["data"].values()))["version"] = 99
    (block,) = read_notebook(sample.notebook(cell)).blocks
    assert isinstance(block, ErrorBlock)
    assert block.cell == 1


def test_facts_are_collected_once(sample):
    blocks = read_notebook(sample.notebook(sample.shown(prose(0.1)), sample.shown(prose(0.1)))).blocks
    assert [fact.value for fact in collect_facts(blocks)] == [0.1]


@pytest.mark.parametrize("other", [prose(0.2), prose(0.1, unit="percent")])
def test_facts_that_disagree_are_refused(sample, other):
    blocks = read_notebook(sample.notebook(sample.shown(prose(0.1)), sample.shown(other))).blocks
    with pytest.raises(ExhibitError, match=r"drift\.firm\.score.*in one place"):
        collect_facts(blocks)


def test_an_error_output_fails_the_chapter(sample):
    chapter = Chapter.from_notebook("quality", sample.hostile())
    assert chapter.failure.startswith("cell 6 (check(")


def test_a_chapter_without_notebook_keeps_its_failure():
    chapter = Chapter.from_notebook("drift", None, title="Drift", failure="the kernel died")
    assert (chapter.title, chapter.failure, chapter.blocks) == ("Drift", "the kernel died", ())


def test_removed_cells_are_left_out(sample):
    cell = sample.markdown("secret")
    cell["metadata"] = {"tags": ["remove"]}
    assert read_notebook(sample.notebook(cell)).blocks == ()


@pytest.mark.parametrize("key", ["../x", "index", "a b", "", "A", "x.html"])
def test_chapter_keys_cannot_climb_or_clash(key):
    with pytest.raises(ParameterError, match="cannot name a page"):
        Chapter(key, "X", ())


def test_a_book_lifts_decisions_breaches_and_key_figures(sample):
    book = sample.book()
    assert [exhibit.id for _, exhibit in book.decisions] == ["memo.decision"]
    assert [exhibit.id for _, exhibit in book.breaches] == ["memo.breaches"]
    assert [exhibit.id for _, exhibit in book.key_figures] == ["memo.key_figures"]
    assert [chapter.key for chapter in book.failed] == ["quality"]


def test_chapter_keys_are_unique(sample):
    chapter = Chapter("drift", "Drift", ())
    with pytest.raises(ParameterError, match="twice"):
        Book("B", "F", "2022-12-28", (chapter, chapter))
