"""The library: which books there are, and no file but a book's own."""

import json

import pytest

from workbench.desk import Settings, bookshelf


@pytest.fixture
def store_url(sqlite_url):
    """One database is enough here: nothing of this depends on which."""
    return sqlite_url


NAME = "quarterly-2022-12-28-0123456789"


@pytest.fixture
def settings(tmp_path):
    """A desk with one book on its shelf, beside what is none."""
    folder = tmp_path / "reports"
    book = folder / NAME
    (book / "assets").mkdir(parents=True)
    run = {"title": "The <b>quarterly</b> book", "as_of": "2022-12-28", "status": "succeeded", "notebooks": [{}, {}]}
    (book / "run.json").write_text(json.dumps(run))
    (book / "index.html").write_text("<p>The book")
    (book / "assets" / "house.css").write_text("p {}")
    (book / "secret.txt").write_text("not part of a book")
    (tmp_path / "outside.html").write_text("outside")
    (book / "leads-out.html").symlink_to(tmp_path / "outside.html")
    (folder / "linked").symlink_to(book)
    (folder / "broken").mkdir()
    (folder / "broken" / "index.html").write_text("x")
    (folder / "broken" / "run.json").write_text("[" * 100_000)
    return Settings(firm_name="Alder & Birch", hosts=("localhost",), reports=folder)


def test_books_are_listed_with_what_their_run_says(house):
    page = house.browser("vera").get("/library").text
    assert "The &lt;b&gt;quarterly&lt;/b&gt; book" in page
    assert "Complete" in page
    assert page.count('href="/library/') == 1


def test_a_book_is_served_apart_from_the_desk(house):
    browser = house.browser("vera")
    place = browser.get(f"/library/{NAME}").headers["location"]
    answer = browser.get(place)
    assert answer.text == "<p>The book"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in policy
    style = house.visitor().get(place.replace("index.html", "assets/house.css"))
    assert style.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "path",
    [
        "secret.txt", "run.json", "leads-out.html", "../outside.html", "%2e%2e/outside.html", "..%2foutside.html",
        "assets/../../outside.html", "/etc/passwd", "assets%5c..%5cx.html", "index.html%00.css", ".hidden.html", "",
    ],
)  # fmt: skip
def test_nothing_else_is_served(house, path):
    browser = house.browser("vera")
    place = browser.get(f"/library/{NAME}").headers["location"]
    answer = browser.get(place.replace("index.html", path))
    assert answer.status_code == 404
    assert "outside" not in answer.text


def test_a_ticket_is_for_one_book_one_session_and_an_hour(house):
    browser = house.browser("vera")
    place = browser.get(f"/library/{NAME}").headers["location"]
    ticket = place.split("/")[3]
    forged = house.visitor().get(place.replace(ticket, ticket[:-4] + "AAAA"))
    assert forged.status_code == 404
    browser.get("/me")
    browser.send("/sign-out")
    assert house.visitor().get(place).status_code == 303
    other = house.browser("vera")
    place = other.get(f"/library/{NAME}").headers["location"]
    house.clock.advance(minutes=61)
    assert other.get(place).status_code == 303


def test_a_book_of_the_whole_firm_is_not_for_one_book_of_clients(house):
    assert house.browser("adam").get("/library").status_code == 403
    assert house.browser("adam").get(f"/library/{NAME}").status_code == 403
    assert house.visitor().get(f"/library/{NAME}").status_code == 303


@pytest.mark.parametrize("name", ["..", ".", "linked", "broken", "no-such-book", "a/b", "x" * 200])
def test_names_that_are_no_book(settings, name):
    assert bookshelf.book(settings.reports, name) is None
