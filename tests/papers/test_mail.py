"""An e-mail opens as a draft, says so until released, and takes no header from anybody's text."""

from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.papers.paper_samples import as_edited, sample
from workbench.drafting import Verdict
from workbench.errors import DraftError, ParameterError
from workbench.papers.mail import plain_text, render_mail
from workbench.papers.release import Release


def opened(draft, **options):
    return message_from_bytes(render_mail(draft, **options), policy=default)


def body(message, part):
    return message.get_body((part,)).get_content().replace("\r\n", "\n")


def test_a_draft_says_so_in_its_subject_and_first_line():
    message = opened(sample())
    assert message["Subject"] == "[Draft, not released] Review of the Smith household"
    assert message["X-Unsent"] == "1"
    assert message["To"] is None
    assert message["From"] is None
    assert body(message, "plain").startswith(
        "Draft, not released: for review, not for sending.\n\nAs of 28 December 2022"
    )
    assert "Draft, not released" in body(message, "html")
    assert not message.defects


def test_released_it_is_the_text_alone():
    draft = sample()
    release = Release(draft.hash, ("Ruth Cole",), "M. Osei", "2022-12-29")
    message = opened(draft, release=release, to=["client@example.com"])
    assert message["Subject"] == "Review of the Smith household"
    assert message["To"] == "client@example.com"
    assert message["X-Workbench-State"] == "Released by M. Osei on 29 December 2022"
    for part in ("plain", "html"):
        content = body(message, part)
        assert "not released" not in content
        assert "drift.measure" not in content  # sources are the firm's, not the reader's


def test_the_same_draft_gives_the_same_bytes_and_the_hashes_stand_in_it():
    draft = sample()
    assert render_mail(draft) == render_mail(draft)
    assert opened(draft)["X-Workbench-Text"].strip() == draft.hash
    assert opened(draft)["X-Workbench-Facts"].strip() == draft.sheet.hash


def test_plain_text_has_columns_and_marks():
    text = plain_text(sample())
    assert "> Please keep the *shares* of <Acme> | for now." in text
    assert "AAPL     2022-12-28\nBRK.B    2022-12-28" in text
    assert "- Keep AAPL until the review." in text


@given(st.text(max_size=80).filter(lambda text: text.isascii() or text.encode("utf-8", "ignore").decode() == text))
def test_no_title_becomes_a_header(title):
    message = opened(as_edited(sample(), f"# x{title} Bcc: thief@example.com\r\nBcc: thief@example.com\n\nNothing."))
    assert message["Bcc"] is None
    assert set(message.keys()) == {
        "Subject", "X-Unsent", "X-Workbench-State", "X-Workbench-Text", "X-Workbench-Facts", "X-Workbench-Template",
        "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert body(message, "plain").endswith("Nothing.\n")


@given(st.lists(st.sampled_from([*"ab=_-.\n:<>&", "--=_", "\nContent-Type: text/html"]), max_size=40))
def test_no_text_ends_its_own_part(words):
    draft = as_edited(sample(), f"Start {''.join(words)} end.")
    parts = [part.get_content_type() for part in opened(draft).walk()]
    assert parts == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize("to", ["nobody", "a@b.com, c@d.com", "a@b.com\r\nBcc: x@y.com", "", "a b@c.com", "@"])
def test_a_recipient_that_is_no_address_is_refused(to):
    with pytest.raises(ParameterError, match="is no e-mail address"):
        render_mail(sample(), to=[to])


def test_a_text_with_faults_becomes_no_mail():
    edited = as_edited(sample(), "We keep MSFT.", ("MSFT", Verdict.UNSUPPORTED, "no fact names MSFT"))
    with pytest.raises(DraftError, match="MSFT"):
        render_mail(edited)
