"""Names that read as anything else: none takes the place of a figure, a day or a deed, and none stops a draft."""

import json

import pytest

from tests.drafting.household_samples import sheet_of
from workbench.drafting import Entity, Fact, FactSheet, Source, verify
from workbench.drafting.sheets.gathering import Gathering, Reading, worded
from workbench.errors import DraftError, FactError
from workbench.papers.record import read_record

READING = Reading("rebalance.propose", ("positions",))
#: Names as whole firms have them, each of which states something.
STATING = (
    "$5 million", "5 %", "5 percent", "2022-12-28", "28 December 2022", "March", "May", "Q3 2022", "twenty",
    "two hundred", "half", "100%", "1,000 shares", "the first quarter", "no", "not", "sell", "Buy", "gains", "60/40",
)  # fmt: skip
#: Names that hold a figure, day or deed and are names all the same.
NAMING = (
    "Fund 2030", "S&P 500", "Three Percent LLC", "Will May", "Sell Corp", "Gain Partners", 'The "Best" Fund', "tax",
    "<b>Bold</b>", "a|b\\c", "**starred**", "{f:as_of}", "\u202eevil", "March Brothers", "20/20 Vision", "VTI", "ONE",
)  # fmt: skip


def sheet(name, plain=False):
    """A sale of VTI beside a security of another name; `plain` as a hand puts it on a sheet, not a builder."""
    made = Gathering("household", "H-1", "2022-12-28", "ab" * 32)
    for key, kind, called in (("household:H-1", "household", "Alder"), ("security:VTI", "security", "Vanguard")):
        made.entity(key, kind, called)
    made.entity("security:X", "security", name)
    made.named("other", "security:X", READING, "X, name")
    made.fact("sold", "money", 9358.0, "traded_dollars", READING, "VTI", of=("security:VTI",), way=("sell",))
    done = made.sheet(("household:H-1",))
    if not plain:
        return done
    kept = json.loads(done.document())
    kept["entities"][-1]["names"] = [name]
    kept["facts"][0]["value"] = name
    return FactSheet.read(json.dumps(kept).encode())


@pytest.mark.parametrize("name", STATING)
@pytest.mark.parametrize("plain", [False, True])
def test_no_name_takes_the_place_of_a_figure_a_day_or_a_deed(name, plain):
    facts = sheet(name, plain)
    said = verify(f"The change is {name} of tax.", facts)
    assert not any(span.text == name and span.verdict.value == "supported" for span in said.spans)
    assert not verify("We propose to buy $9,358 of Vanguard.", facts).supported
    assert verify("We propose to sell $9,358 of Vanguard.", facts).supported


@pytest.mark.parametrize("name", STATING)
def test_a_builder_tells_such_a_name_apart_by_what_it_names(name):
    assert sheet(name).entity("security:X").names == (f"security {name}",)
    assert worded(name, "benchmark") == f"benchmark {name}"


@pytest.mark.parametrize("name", NAMING)
def test_a_name_that_holds_a_figure_is_a_name(name):
    from workbench.drafting.placeholders import fill

    facts = sheet(name)
    text = fill("The household also holds {f:other}, as before.", facts).text
    assert verify(text, facts).supported, [span.reason for span in verify(text, facts).faults]


@pytest.mark.parametrize("document", [b"[" * 100_000, b'{"a":' * 50_000, b"null", b"", b"\xff", b'{"version":1}'])
def test_what_is_no_sheet_or_record_is_said_to_be_none(document):
    with pytest.raises(FactError):
        FactSheet.read(document)
    with pytest.raises(DraftError):
        read_record(document)


@pytest.mark.parametrize("wrong", [None, 0, 1e400, "", [], {}, [None], "\ud800", 10**400])
def test_a_sheet_with_anything_in_place_of_a_part_is_refused_or_read(wrong):
    kept = json.loads(sheet_of().document())
    places = [(one,) for one in kept] + [("facts", 0, one) for one in kept["facts"][0]]
    places += [("entities", 0, one) for one in kept["entities"][0]] + [("facts", 0, "source", "tables")]
    for *way, last in places:
        broken = json.loads(json.dumps(kept))
        inner = broken
        for step in way:
            inner = inner[step]
        inner[last] = wrong
        try:
            read = FactSheet.read(json.dumps(broken).encode())
            verify("We sell $9,358 of VTI on 28 December 2022.", read)
        except FactError:
            continue


def test_an_entity_of_no_kind_is_refused():
    source = Source("f", ("t",), "c", "ab" * 32)
    fact = Fact("n", "name", "X", "named", (), source)
    with pytest.raises(FactError, match="unknown kind"):
        FactSheet("household", "H", "2022-12-28", "ab" * 32, (), (Entity("a:b", "nonsense", ("X",)),), (fact,))  # type: ignore[arg-type]
