"""Notices of the demo firm: every figure recomputed from its rows, every text supported, nothing lost between books."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from workbench.drafting.sheets.model_change import SHOWN_MOVES, notice_sheet
from workbench.drafting.sheets.model_change_book import FAR, book, gains_by_term
from workbench.drafting.sheets.model_change_record import Timetable
from workbench.drafting.verifying import verify
from workbench.errors import ParameterError
from workbench.firm import open_at
from workbench.papers import notice

TIMES = Timetable(consents_due="2023-02-07", proposals_from="2023-02-14", ask="Helen Marsh")
ADVISORS = ("ADV1", "ADV2", "ADV3", "ADV4")
ADDED_UP = (
    "book.accounts", "book.households", "book.assets", "book.bought", "book.sold", "book.blocked", "book.gain",
    "book.tax", "book.long", "book.short", "alone.gain", "conflicts.accounts", "conflicts.new", "conflicts.assets",
    "consent.accounts", "consent.assets", "monitor.accounts", "far.accounts", "far.assets", "untaxed.accounts",
    "untaxed.assets",
    "realising.accounts", "realising.assets", "unmeasured.accounts",
)  # fmt: skip


@pytest.fixture(scope="module")
def firm():
    return open_at("demo")


@pytest.fixture(scope="module")
def draft_versions(firm):
    return notice.model_change(firm)


@pytest.fixture(scope="module")
def approved(firm):
    """Version 4 on the last session before it came into force."""
    models = ("BAL", "CON", "EQT", "GRO", "INC")
    return notice.model_change(firm, dict.fromkeys(models, 4), as_of="2022-04-14")


@pytest.fixture(scope="module")
def drafts(draft_versions, approved):
    """Every notice: by change (preview or approved) and advisor, None for the desk."""
    made = {}
    for change, times in ((draft_versions, TIMES), (approved, Timetable())):
        for advisor in (*ADVISORS, None):
            sheet = notice_sheet(book(change, advisor), times, preview=change is draft_versions)
            made["preview" if change is draft_versions else "approved", advisor] = notice.notice(sheet)
    return made


def value(draft, id):
    return draft.sheet.fact(id).value if draft.sheet.has(id) else 0


def test_every_notice_is_wholly_supported(drafts):
    assert len(drafts) == 10
    for draft in drafts.values():
        assert verify(draft.text, draft.sheet).supported
        assert 4 <= len(draft.sheet.groups("question")) <= 8


@pytest.mark.parametrize("which", ["preview", "approved"])
def test_the_books_of_the_advisors_add_up_to_the_firm(drafts, which):
    for id in ADDED_UP:
        parts = sum(value(drafts[which, advisor], id) for advisor in ADVISORS)
        assert parts == pytest.approx(value(drafts[which, None], id), abs=0.01), id


@pytest.mark.parametrize("which", ["preview", "approved"])
def test_the_desk_s_table_of_advisors_shows_what_each_advisor_reads(drafts, which):
    desk = drafts[which, None].sheet
    pairs = {"accounts": "book.accounts", "assets": "book.assets", "sold": "book.sold", "gain": "book.gain",
             "tax": "book.tax", "conflicted": "conflicts.accounts", "consent": "consent.accounts"}  # fmt: skip
    for row in desk.groups("advisor"):
        advisor = desk.fact(f"{row}.name").entity[0].partition(":")[2]
        for column, id in pairs.items():
            assert desk.fact(f"{row}.{column}").value == pytest.approx(value(drafts[which, advisor], id)), (row, column)


def test_the_sums_are_those_of_the_accounts_by_hand(draft_versions, drafts, firm):
    owner = dict(zip(firm.table("accounts")["account_id"], firm.table("accounts")["advisor_id"]))
    assets, sold, trusted = {}, {}, {}
    for row in draft_versions.impact.accounts.itertuples():
        key = owner[row.account_id]
        assets[key] = assets.get(key, 0.0) + row.value
        trusted[key] = trusted.get(key, 0) + (not row.discretionary)
    for row in draft_versions.impact.trades.itertuples():
        if row.side == "sell":
            sold[owner[row.account_id]] = sold.get(owner[row.account_id], 0.0) + row.amount
    for advisor in ADVISORS:
        sheet = drafts["preview", advisor].sheet
        assert sheet.fact("book.assets").value == pytest.approx(assets[advisor])
        assert sheet.fact("book.sold").value == pytest.approx(sold[advisor])
        assert sheet.fact("consent.accounts").value == trusted[advisor]


def test_long_and_short_gains_make_up_the_gain_of_every_account(draft_versions, approved):
    for change in (draft_versions, approved):
        split = gains_by_term(change).set_index(["account_id", "security_id"])
        trades = change.impact.trades.set_index(["account_id", "security_id"])
        sold = trades.loc[split.index, "gain"]
        assert (split["long"] + split["short"]).to_numpy() == pytest.approx(sold.to_numpy(), abs=0.01)
        assert split[["long", "short"]].sum().sum() == pytest.approx(change.impact.summary.gain, abs=0.01)


def test_gain_budgets_are_compared_household_by_household(draft_versions, drafts):
    expected = draft_versions.impact.accounts.groupby("household_id")["gain"].sum()
    passed = {}
    for row in draft_versions.households.itertuples():
        gain = expected.get(row.household_id, 0.0)
        # The versions take effect in the year after the book's, so this year's gains do not count.
        if pd.notna(row.gain_budget) and gain > 0 and gain > row.gain_budget:
            passed.setdefault(row.advisor_id, {})[row.household_id] = gain - row.gain_budget
    for advisor in ADVISORS:
        sheet = drafts["preview", advisor].sheet
        over = {
            sheet.fact(f"{one}.household").entity[0][10:]: sheet.fact(f"{one}.over").value
            for one in sheet.groups("budget")
        }
        assert over == pytest.approx(passed[advisor])
        assert list(over.values()) == sorted(over.values(), reverse=True)
        assert sheet.fact("budgets.passed").value == len(over)
        assert not sheet.has("budget.1.realised")


def test_gains_to_date_that_are_not_known_on_an_earlier_day_are_not_taken_for_zero(drafts, approved):
    budgeted = approved.households[approved.households["gain_budget"].notna()]
    on_it = budgeted["household_id"].isin(approved.impact.accounts["household_id"])
    assert value(drafts["approved", None], "budgets.unknown") == on_it.sum()
    assert not drafts["approved", None].sheet.has("budgets.passed")


def test_wash_windows_are_those_open_when_the_change_takes_effect(drafts, approved, draft_versions):
    home = dict(zip(approved.accounts["account_id"], approved.accounts["household_id"]))
    bought = {
        (home[row.account_id], row.security_id)
        for row in approved.impact.trades.itertuples()
        if row.side == "buy" and row.amount > 0
    }
    wanted = {
        (row.household_id, row.security_id)
        for row in approved.losses.itertuples()
        if row.last_day >= pd.Timestamp("2022-04-18") and (row.household_id, row.security_id) in bought
    }
    sheet = drafts["approved", None].sheet
    shown = {
        tuple(key.partition(":")[2] for key in sheet.fact(f"{row}.until").entity) for row in sheet.groups("wash.row")
    }
    assert shown == wanted
    assert wanted
    # By February every window of December is closed.
    assert not drafts["preview", None].sheet.has("wash.households")


def test_sleeves_are_ranked_by_the_dollars_they_move(drafts, draft_versions, firm):
    targets = firm.table("model_targets").groupby(["model_id", "version", "sleeve_id"])["target"].sum()
    for advisor in ADVISORS:
        sheet = drafts["preview", advisor].sheet
        assets = book(draft_versions, advisor).accounts.groupby("model_id")["value"].sum()
        shown = []
        for one in sheet.groups("change"):
            model, sleeve = (key.partition(":")[2] for key in sheet.fact(f"{one}.dollars").entity)
            before, after = (targets.get((model, version, sleeve), 0.0) for version in (4, 5))
            assert sheet.fact(f"{one}.from").value == pytest.approx(before)
            assert sheet.fact(f"{one}.to").value == pytest.approx(after)
            shown.append(sheet.fact(f"{one}.dollars").value)
            assert shown[-1] == pytest.approx(abs(after - before) * assets[model], abs=0.01)
        assert shown == sorted(shown, reverse=True)
        assert len(shown) == SHOWN_MOVES


def test_every_restriction_in_the_way_stands_on_the_page_once(drafts, draft_versions):
    for advisor in ADVISORS:
        rows = book(draft_versions, advisor).conflicts
        sheet = drafts["preview", advisor].sheet
        shown = sheet.groups("conflict")
        assert len(shown) == rows.groupby(["household_id", "restriction_id"]).ngroups
        amounts = [sheet.fact(f"{one}.amount").value for one in shown]
        assert sum(amounts) == pytest.approx(rows["amount"].sum())
        assert amounts == sorted(amounts, reverse=True)
        named = {sheet.fact(f"{a}.name").value for one in shown for a in sheet.groups(f"{one}.account")}
        assert named == set(rows["account_id"])
        assert all(sheet.has(f"{one}.reason") for one in shown)


def test_accounts_far_from_their_old_targets_trade_more_than_the_change_asks(draft_versions):
    rows = draft_versions.affected
    alone = draft_versions.alone.accounts.set_index("account_id")["turnover"]
    for row in rows.itertuples():
        assert row.far == (not row.unplaced and row.turnover - alone[row.account_id] >= FAR)


def test_a_version_that_the_committee_has_not_approved_needs_a_preview(firm, drafts):
    with pytest.raises(ParameterError, match=r"not approved .*ask for a preview"):
        next(iter(notice.drafts(firm, advisors=["ADV1"])))
    for advisor in (*ADVISORS, None):
        assert drafts["preview", advisor].text.startswith("**Preview, not approved by the committee.**")
        assert "Preview" not in drafts["approved", advisor].text


def test_the_rationale_is_the_committee_s_word_for_word(drafts, approved):
    words = set(approved.versions["rationale"])
    for advisor in (*ADVISORS, None):
        quoted = {line[2:] for line in drafts["approved", advisor].text.splitlines() if line.startswith("> ")}
        assert quoted == words


def test_what_is_not_settled_is_said_and_never_made_up(drafts):
    for advisor in ADVISORS:
        text = drafts["approved", advisor].text
        assert "The day by which consents must be in is not in the record." in text
        assert "The day on which proposals will arrive is not in the record." in text
        assert "Consents are due by 7 February 2023." in drafts["preview", advisor].text


def test_the_same_firm_gives_the_same_notice(draft_versions, drafts):
    again = notice.notice(notice_sheet(book(draft_versions, "ADV3"), TIMES, preview=True))
    assert again.hash == drafts["preview", "ADV3"].hash
    assert again.sheet.hash == drafts["preview", "ADV3"].sheet.hash


def test_an_altered_figure_is_found(drafts):
    draft = drafts["preview", "ADV1"]
    sold, bought = (f"${draft.sheet.fact(f'book.{name}').value:,.0f}" for name in ("sold", "bought"))
    swapped = draft.text.replace(sold, "\0").replace(bought, sold).replace("\0", bought)
    assert swapped != draft.text
    assert not draft.edited(swapped).report.supported
    assert not draft.edited(draft.text.replace("7 February 2023", "8 February 2023")).report.supported
    assert not draft.edited(draft.text + "\nMost of your clients gain.\n").report.supported


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ({"consents_due": "7 February"}, "give a day like"),
        ({"proposals_from": "2023-02-30"}, "give a day like"),
    ],
)
def test_a_timetable_takes_days_only(times, message):
    with pytest.raises(ParameterError, match=message):
        Timetable(**times)


def test_a_day_before_the_notice_is_refused(draft_versions):
    with pytest.raises(ParameterError, match="before the notice's own day"):
        notice_sheet(book(draft_versions, "ADV1"), Timetable(consents_due="2022-12-01"), preview=True)


def test_an_unknown_advisor_is_refused(draft_versions):
    with pytest.raises(ParameterError, match="ADV9"):
        book(draft_versions, "ADV9")


def test_the_sample_in_the_docs_is_what_the_notice_says(drafts):
    page = (Path(__file__).parents[2] / "docs" / "notices.md").read_text()
    sample = " ".join(" ".join(line[2:] for line in page.splitlines() if line.startswith("> ")).split())
    assert " ".join(drafts["approved", "ADV2"].text.split()).startswith(sample)
