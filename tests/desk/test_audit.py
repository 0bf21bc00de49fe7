"""The audit trail's pages: what is found, by whom, one record whole, verification and export."""

import io
import json
import zipfile

import pytest
from sqlalchemy import func, select, text

from workbench.governance.tables import audit

HOSTILE = "<script>alert(1)</script>'; DROP TABLE audit; --"


def last(house):
    with house.store.reading() as connection:
        return connection.execute(select(func.max(audit.c.sequence))).scalar_one()


def test_the_newest_records_come_first_and_can_be_looked_for(house):
    signal_id = house.signal("approved")
    browser = house.browser("otto")
    page = browser.get("/audit")
    assert page.text.index(f"/audit/records/{last(house)}") < page.text.index('/audit/records/1"')
    found = browser.get("/audit", params={"object_id": signal_id, "action": "approve"}).text
    assert found.count("/audit/records/") == 1
    assert "Pat Kimura" in found
    assert "No record answers this." in browser.get("/audit", params={"actor": "nobody"}).text
    assert (
        browser.get("/audit", params={"first_day": "2022-12-28", "last_day": "2022-12-28"}).text.count(
            "/audit/records/"
        )
        > 2
    )
    assert "Give a day such as" in browser.get("/audit", params={"first_day": "soon"}).text


def test_pages_follow_by_key(house):
    for number in range(60):
        house.create(f"H-{number:04d}")
    browser = house.browser("otto")
    first = browser.get("/audit").text
    assert first.count('href="/audit/records/') == 50
    second = browser.get("/audit?before=11").text
    assert 'href="/audit/records/10"' in second
    assert 'href="/audit/records/11"' not in second
    assert browser.get("/audit?before=x").status_code == 200


def test_a_record_is_shown_whole(house):
    signal_id = house.signal("submitted")
    browser = house.browser("cora")
    number = last(house)
    page = browser.get(f"/audit/records/{number}").text
    assert 'class="said"' not in page, "a record is no message"
    with house.store.reading() as connection:
        row = connection.execute(select(audit).where(audit.c.sequence == number)).one()
    assert row.hash in page
    assert json.loads(row.body)["previous"] in page
    assert f"/signals/{signal_id}" in page
    assert browser.get("/audit/records/999999").status_code == 404
    assert browser.get("/audit/records/1e9").status_code == 404


@pytest.mark.parametrize("who", ["vera", "adam", "ana", "bea", "pat", "tom", "ada"])
def test_the_trail_is_for_compliance_and_auditors(house, who):
    house.signal("checked")
    browser = house.browser(who)
    for path in ("/audit", "/audit/records/1"):
        assert browser.get(path).status_code == 403
    browser.get("/me")
    hidden = browser.fields("/sign-out")
    for path in ("/audit/verify", "/audit/export"):
        answer = browser.client.post(path, data={**hidden, "reason": "curious"}, headers={"origin": "http://localhost"})
        assert answer.status_code == 403
        assert "audit_trail" not in answer.headers.get("content-disposition", "")


def test_verify_says_what_holds_and_what_was_changed(house):
    house.signal("approved")
    browser = house.browser("otto")
    browser.get("/audit")
    page = browser.send("/audit/verify").text
    assert "nothing was changed" in page
    assert "No checkpoint vouches" in page
    if house.store.engine.dialect.name == "sqlite":
        with house.store.engine.begin() as connection:
            for name in (
                connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            ):
                connection.execute(text(f"DROP TRIGGER {name}"))
            connection.execute(text("UPDATE audit SET body = replace(body, '\"pat\"', '\"tom\"')"))
        page = browser.send("/audit/verify").text
        assert "findings: keep everything" in page


def test_an_export_is_a_file_and_a_record(house):
    house.signal("checked", "H-1")
    browser = house.browser("cora")
    browser.get("/audit")
    assert browser.send("/audit/export", first="", last="", reason="").status_code == 422
    assert browser.send("/audit/export", first="x", last="", reason="for the examiner").status_code == 422
    assert browser.send("/audit/export", first="900", last="", reason="for the examiner").status_code == 422
    browser.get("/audit")
    answer = browser.send("/audit/export", first="", last="", reason="for the examiner")
    assert answer.headers["content-type"] == "application/zip"
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert {"trail/records.jsonl", "trail/records.csv", "trail/manifest.json", "trail/verifier.py"} <= set(names)
    with house.store.reading() as connection:
        row = connection.execute(select(audit).order_by(audit.c.sequence.desc()).limit(1)).one()
    assert (row.action, row.actor) == ("export_audit", "cora")


def test_hostile_words_are_words(house):
    house.create("H-1", name=HOSTILE[:60], policy=HOSTILE[:60])
    browser = house.browser("otto")
    for field in ("actor", "object_id", "book", "text"):
        page = browser.get("/audit", params={field: HOSTILE})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    assert "<script>alert" not in browser.get(f"/audit/records/{last(house)}").text
    assert last(house) >= 1
