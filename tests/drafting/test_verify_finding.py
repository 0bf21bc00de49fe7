"""What a text states is found in every form that people write it, and ordinary words are left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.drafting.verifying.amounts import Amount
from workbench.drafting.verifying.days import Day
from workbench.drafting.verifying.reading import read
from workbench.drafting.verifying.spans import bare


def found(text):
    return [(one.text, one.looks_like) for one in bare(text)]


@pytest.mark.parametrize(
    ("text", "value", "unit", "sign"),
    [
        ("It is $9,358.", 9358, "money", 0),
        ("It is $9.4 k.", 9400, "money", 0),
        ("It is $1.2 million.", 1.2e6, "money", 0),
        ("It is \u2212$1,200.50.", 1200.5, "money", -1),
        ("It is 500 dollars.", 500, "money", 0),
        ("It is 3.1%.", 0.031, "rate", 0),
        ("It is +3.1 %.", 0.031, "rate", 1),
        ("It is 0.25 percent.", 0.0025, "rate", 0),
        ("It is 25 bp.", 0.0025, "rate", 0),
        ("It is 25 basis points.", 0.0025, "rate", 0),
        ("It is 2.5 percentage points.", 0.025, "rate", 0),
        ("It is 1,204.5 shares.", 1204.5, "plain", 0),
        ("It is twenty-five.", 25, "plain", 0),
        ("It is two hundred and five.", 205, "plain", 0),
        ("It is a dozen.", 12, "plain", 0),
        ("It is five percent.", 0.05, "rate", 0),
        ("It is one third.", 1 / 3, "rate", 0),
        ("It is \u00bd.", 0.5, "rate", 0),
        ("It is the 3rd.", 3, "plain", 0),
    ],
)
def test_a_figure_is_read_with_its_unit_and_sign(text, value, unit, sign):
    (one,) = bare(text)
    assert isinstance(one.reads, Amount)
    assert (one.reads.value, one.reads.unit, one.reads.sign) == (pytest.approx(value), unit, sign)


def test_the_first_figure_of_a_range_has_the_unit_of_the_second():
    assert [one.reads.value for one in bare("Between 3\u20135 % of it.")] == pytest.approx([0.03, 0.05])


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("28 December 2022", (2022, 12, 28)),
        ("28 Dec 2022", (2022, 12, 28)),
        ("December 28, 2022", (2022, 12, 28)),
        ("Wednesday, 28 December 2022", (2022, 12, 28)),
        ("2022-12-28", (2022, 12, 28)),
        ("12/28/2022", (2022, 12, 28)),
        ("28 December", (None, 12, 28)),
        ("December 2022", (2022, 12, None)),
        ("2022", (2022, None, None)),
    ],
)
def test_a_day_is_read_in_every_usual_form(text, day):
    (one,) = bare(f"Done on {text}, as planned.")
    assert one.text == text
    assert (one.reads.year, one.reads.month, one.reads.day) == day


@pytest.mark.parametrize("text", ["Q3 2022", "third quarter of 2022", "next month", "yesterday", "last quarter"])
def test_a_period_or_a_relative_day_is_a_day(text):
    (one,) = bare(f"Done in {text}, as planned.")
    assert one.text == text
    assert isinstance(one.reads, Day)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("It has doubled.", ("doubled", "vague multiple")),
        ("We sell most of it.", ("most of", "vague multiple")),
        ("It grew tenfold.", ("tenfold", "vague multiple")),
        ("There are several.", ("several", "vague multiple")),
        ("We sell TSLA here.", ("TSLA", "symbol")),
        ("Please ask John Smith first.", ("John Smith", "name")),
        ("Dear Smith, hello.", ("Smith", "name")),
        ("Write to jo@example.com today.", ("jo@example.com", "contact")),
        ("Call 415-555-0100 today.", ("415-555-0100", "contact")),
        ("The account A-1017 is closed.", ("A-1017", "identifier")),
        ("It costs 1O0 in all.", ("1O0", "identifier")),
        ("It costs &#53; in all.", ("&#53;", "markup")),
        ("It costs <b>a lot</b> here.", ("<b>", "markup")),
        ("We \u0455ell it.", ("\u0455ell", "hidden")),
        ("It costs \uff15 in all.", ("\uff15", "hidden")),
        ("It\u200bself.", ("\u200b", "hidden")),
        ('He said "never again" to us.', ('"never again"', "quotation")),
        ("See item IV there.", ("IV", "symbol")),
    ],
)
def test_what_states_something_is_found(text, what):
    assert what in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "We looked at your accounts and propose nothing.",
        "Your IRA, your Roth IRA and the S&P 500 are field terms; so is a 401(k), or Form 8606.",
        "No one needs to act. Each one is reviewed; this one too.",
        "First, we look at losses. On the other hand, we may wait.",
        "- Nothing is traded before our firm approves it (see below).",
        "May we go ahead? The Treasury decides. I'm glad to help.",
        "## What changed\n\n| Account | Tax |\n|---|---|\n| Yours | None |",
        "A third-party price was used in the meantime; we second that.".replace("we second that", "we agree"),
        "Please tell me before then, at any time of day.",
    ],
)
def test_ordinary_words_are_left_alone(text):
    assert found(text) == []


def test_what_is_allowed_is_not_found():
    assert bare("We sell VTI for Ann Lee.", {"VTI", "Ann Lee"}) == ()


@given(st.text(max_size=200))
def test_every_text_can_be_read_and_places_are_kept(text):
    reading = read(text)
    assert len(reading.at) >= len(reading.seen)
    for one in bare(text):
        assert text[one.start : one.end] == one.text


@given(st.integers(0, 10**9), st.sampled_from(["{}", "${:,}", "{}%", "{:,} bp", "about {}", "**{}**", "{}."]))
def test_no_number_in_digits_is_overlooked(number, form):
    text = f"It comes to {form.format(number)} and no more."
    assert any(str(number)[-1] in one.text for one in bare(text))
