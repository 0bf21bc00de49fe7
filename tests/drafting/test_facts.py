"""A fact sheet takes only facts that can be told rightly, and is the same after it was kept."""

import pytest

from workbench.drafting import Entity, Fact, FactSheet, Source
from workbench.drafting.placeholders import fill
from workbench.errors import FactError

SOURCE = Source("made_up", ("accounts",), "A-1", "0123456789")


HOUSEHOLD = Entity("household:H1", "household", ("your accounts",))


def sheet(*facts):
    return FactSheet("made_up", "H1", "2022-12-28", "0123456789", ("household:H1",), (HOUSEHOLD,), facts)


def day(id="as_of", value="2022-12-28", **other):
    return Fact(id, "date", value, "as_of", ("household:H1",), SOURCE, **other)


def test_a_kept_sheet_is_the_same_sheet():
    made = sheet(day())
    assert FactSheet.read(made.document()) == made
    assert FactSheet.read(made.document()).hash == made.hash


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (day(value="28/12/2022"), "not an ISO date"),
        (day(id="As Of"), "identifier"),
        (Fact("x", "date", "2022-12-28", "as_of", ("household:H1",), Source("", (), "", "")), "no source"),
        (Fact("x", "date", "2022-12-28", "nothing_known", ("household:H1",), SOURCE), "no file of drafting/lexicon"),
        (Fact("x", "money", 3.0, "as_of", ("household:H1",), SOURCE), "is of kind money"),
        (Fact("x", "date", "2022-12-28", "as_of", ("household:H2",), SOURCE), "does not declare"),
        (day(direction=("sideways",)), "direction 'sideways'"),
    ],
)
def test_a_fact_that_cannot_be_told_rightly_is_refused(fact, words):
    with pytest.raises(FactError, match=words):
        sheet(fact)


def test_a_missing_fact_names_its_neighbours():
    made = sheet(day("trade.1.day"), day("trade.1.until"))
    with pytest.raises(FactError, match=r"trade\.1\.day, trade\.1\.until"):
        made.fact("trade.1.amount")


def test_what_is_filled_in_cannot_change_the_form_of_the_text():
    hostile = "# Heading | *bold* {f:as_of}\n- second line"
    made = sheet(day(), Fact("who", "name", hostile, "named", (), SOURCE))
    assert fill("{f:who} on {f:as_of}.", made).text == (
        "\\# Heading \\| \\*bold\\* {f:as_of} - second line on 28 December 2022."
    )
