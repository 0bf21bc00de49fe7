"""The queue's page: what it shows, filters and orders, and nothing of another book."""

import pytest

from workbench.governance.states import Mode


def names(page):
    import re

    return re.findall(r'<a href="/signals/[\w-]+">([^<]+)</a>', page.text)


@pytest.fixture
def three(house):
    """Three signals of two books, in three states."""
    return {
        "big": house.signal("submitted", "H-0001", summary={"traded": 2_000_000_00, "rank": 3}),
        "due": house.signal("checked", "H-0002", book="adv-2", summary={"rank": 2, "cash_due": "2022-12-30"}),
        "draft": house.signal("draft", "H-0003", summary={"rank": 1}, mode=Mode.DRAFT),
    }


def test_a_queue_is_ranked_and_says_for_whom_each_signal_waits(house, three):
    page = house.browser("vera").get("/queue")
    assert page.status_code == 200
    assert names(page) == ["Household H-0003", "Household H-0002", "Household H-0001"]
    for words in ("Approval 1 of 2", "A maker to submit", "A new pre-flight", "3 signals open", "$2,000,000"):
        assert words in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=submitted", ["Household H-0001"]),
        ("verdict=none", ["Household H-0003"]),
        ("mode=draft", ["Household H-0003"]),
        ("book=adv-2", ["Household H-0002"]),
        ("text=h-0002", ["Household H-0002"]),
        ("text=0001", ["Household H-0001"]),
        ("text=%25", []),
        ("cash_due=1", ["Household H-0002"]),
        ("overdue=1", []),
        ("model=balanced&policy=band_5", ["Household H-0003", "Household H-0002", "Household H-0001"]),
        ("model=growth", []),
        ("sort=size", ["Household H-0001", "Household H-0002", "Household H-0003"]),
        ("sort=urgency", ["Household H-0002"]),
        ("sort=nonsense&state=nonsense&verdict=nonsense&mode=nonsense&after=nonsense", 3),
    ],
)
def test_filters_and_orders(house, three, query, found):
    page = house.browser("vera").get(f"/queue?{query}")
    assert page.status_code == 200
    shown = names(page)
    if isinstance(found, int):
        assert len(shown) == found
    elif query == "sort=urgency":
        assert shown[:1] == found
    elif query == "sort=size":
        assert shown[0] == "Household H-0001"
    else:
        assert shown == found


@pytest.mark.parametrize(
    ("who", "found"),
    [
        ("ana", ["Household H-0003", "Household H-0002"]),  # to check, to submit; she made H-0001
        ("pat", ["Household H-0002", "Household H-0001"]),
        ("cora", []),  # compliance approves second
        ("tom", []),
        ("vera", []),
        ("bea", ["Household H-0002"]),
    ],
)
def test_what_waits_for_me_is_what_i_may_do(house, three, who, found):
    page = house.browser(who).get("/queue?mine=1")
    assert names(page) == found


@pytest.mark.parametrize(
    ("who", "found", "said"),
    [
        ("pat", ["Household H-0001"], "1 signal waits for your approval"),
        ("ana", ["Household H-0003", "Household H-0002"], "2 signals wait for you"),
        ("tom", ["Household H-0003", "Household H-0002", "Household H-0001"], "Nothing waits for you now."),
        ("vera", ["Household H-0003", "Household H-0002", "Household H-0001"], "3 signals open"),
        ("adam", ["Household H-0003", "Household H-0001"], "2 signals open"),
    ],
)
def test_everybody_starts_with_what_waits_for_them(house, three, who, found, said):
    browser = house.browser(who)
    page = browser.get("/queue")
    assert names(page) == found
    assert said in page.text
    assert page.text.count('aria-current="true"') == 1
    assert ("Waits for you" in page.text) is (who != "vera")
    assert len(names(browser.get("/queue?state=open"))) == (2 if who == "adam" else 3)


def test_an_advisor_sees_the_own_book_only(house, three):
    page = house.browser("adam").get("/queue")
    assert "H-0002" not in page.text
    assert "adv-2" not in page.text
    assert names(page) == ["Household H-0003", "Household H-0001"]


def test_names_are_text(house):
    house.signal("checked", "H-0009", name="<script>alert(1)</script>'; DROP TABLE signal;--")
    page = house.browser("vera").get("/queue?text=%3Cscript%3E")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
