"""Masking leaves no identifier of the book in a text and gives every text back to the letter."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.drafting.model.masking import TOKEN, Identifier, Known, Mask
from workbench.errors import ParameterError

BOOK = (
    Identifier("PERSON", "Jane Kowalczyk"),
    Identifier("PERSON", "The Langford household"),
    Identifier("PERSON", "José Núñez-Ortega"),
    Identifier("PERSON", "Jane Kowalczyk Living Trust"),
    Identifier("ACCOUNT", "A-00012"),
    Identifier("HOUSEHOLD", "H00003"),
    Identifier("MAIL", "jane@example.org"),
)
KEY, SALT = b"a firm's own key", b"request 1"


def mask(salt=SALT):
    return Mask(Known(BOOK), KEY, salt)


@pytest.mark.parametrize(
    "text",
    [
        "Jane Kowalczyk",
        "KOWALCZYK, JANE",
        "Kowalczyk, J.",
        "J. Kowalczyk's IRA",
        "the Langfords",
        "Lang\u00adford",
        "Ko\u200bwalczyk",
        "jane\nkowalczyk",
        "Nunez Ortega",
        "Nu\u0301n\u0303ez\u2010Ortega",
        "K\u043ewalczyk",
        "a 000 12",
        "xA00012y",
        "h00003",
        "JANE@EXAMPLE.ORG",
    ],
)
def test_an_identifier_is_masked_however_it_is_written(text):
    sent = mask().masked(f"Please call {text} today.")
    left = re.sub(r"[^a-z0-9]", "", TOKEN.sub("", sent).lower())
    assert not re.search("kowal|langf|nunez|nez|00012|00003|example|jane", left)
    assert TOKEN.search(sent)


@pytest.mark.parametrize(
    "text",
    [
        "123-45-6789", "12-3456789", "(617) 555-0199", "+44 20 7946 0958", "jane.k@other.example.com", "22 Elm Street",
        "P.O. Box 12", "02139-4307", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "born on 12 March 1951",
        "··1234", "ending in 4821", "https://crm.example.com/clients/81", "\uff11\uff12\uff13-45-6789",
    ],
)  # fmt: skip
def test_personal_shapes_are_masked_without_being_known(text):
    sent = mask().masked(f"Note: {text}, as agreed.")
    assert text not in sent
    assert not re.search(r"\d", TOKEN.sub("", sent))


@pytest.mark.parametrize("text", ["Sold $9,358 of VTI.", "3.2 % above target", "on 28 December 2022", "12,345 shares",
                                  "a tracking error of 1.25%", "$1,234,567,890"])  # fmt: skip
def test_figures_of_a_portfolio_stay(text):
    assert mask().masked(text) == text


@given(st.text(max_size=60), st.lists(st.sampled_from([one.text for one in BOOK]), max_size=4), st.text(max_size=20))
def test_any_text_comes_back_to_the_letter(before, names, after):
    one = mask()
    text = before + " ".join(names) + after
    assert one.unmasked(one.masked(text)) == text


def test_a_text_that_holds_a_token_comes_back_to_the_letter():
    one = mask()
    token = one.masked("H00003")
    text = f"{token} is not H00003, nor is {token}"
    assert one.unmasked(one.masked(text)) == text


def test_one_name_has_one_token_in_a_request_and_another_in_the_next():
    one, other = mask(), mask(b"request 2")
    twice = TOKEN.findall(one.masked("H00003 and H00003"))
    assert twice[0] == twice[1]
    assert other.masked("H00003") not in twice


def test_tokens_of_another_request_stay():
    assert mask(b"request 2").unmasked(mask().masked("H00003")) == mask().masked("H00003")


def test_a_longer_name_goes_before_one_within_it():
    assert len(TOKEN.findall(mask().masked("the Jane Kowalczyk Living Trust"))) == 1


@pytest.mark.parametrize(("key", "salt"), [(b"short", SALT), (KEY, b"no")])
def test_a_weak_key_or_salt_is_refused(key, salt):
    with pytest.raises(ParameterError, match="masking needs"):
        Mask(Known(BOOK), key, salt)


def test_an_identifier_without_letters_is_refused():
    with pytest.raises(ParameterError, match="no letter or digit"):
        Known((Identifier("PERSON", "···"),))
