"""Alerts say what a night did, to each reader what that reader may see, and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from workbench.drafting.reasons.alerts import CLAIMS, FAR
from workbench.drafting.sheets.alerts import (
    MOST_TOLD,
    MOST_WORST,
    Night,
    Watched,
    advisor_sheet,
    channel_sheet,
    firm_sheet,
)
from workbench.drafting.verifying import verify
from workbench.drafting.writer import write

ADVISORS = {"ADV1": "Margaret Osei", "ADV2": "Daniel Whitcombe"}
MODELS = {"BAL": "Balanced", "GRO": "Growth"}
CAUSES = (
    "market", "corporate_actions", "flows", "trades", "overrides", "model_change", "residual", "start",
)  # fmt: skip
LINK = "https://desk.example.com/drift"


def watched(number, out, was_out, advisor="ADV1", model="BAL", use=1.5, deviation=0.0625, cause="market"):
    return Watched(
        f"A{number:05}", f"The Household of {number:05}", advisor, ADVISORS[advisor], model, MODELS[model],
        use if out else 0.4, out, was_out, "US equity", deviation, cause,
    )  # fmt: skip


def night(*accounts, unmeasured=0, link=LINK):
    return Night("Harrow", "2022-12-28", "2022-12-27", "5e1f" * 16, tuple(accounts), unmeasured, link)


def firm(made):
    return write(firm_sheet(made), "alert_firm", CLAIMS).text


ACCOUNTS = st.lists(
    st.tuples(
        st.booleans(), st.booleans(), st.sampled_from(sorted(ADVISORS)), st.sampled_from(sorted(MODELS)),
        st.floats(1.01, 40) | st.just(float("inf")), st.floats(0.001, 0.9) | st.floats(-0.9, -0.001),
        st.sampled_from(CAUSES),
    ),
    max_size=30,
).map(lambda rows: [watched(number, *row) for number, row in enumerate(rows, start=1)])  # fmt: skip


@given(ACCOUNTS, st.integers(0, 5), st.sampled_from(["", LINK]))
@effort(max_examples=60)
def test_every_night_can_be_told_to_each_reader(accounts, unmeasured, link):
    made = night(*accounts, unmeasured=unmeasured, link=link)
    for sheet, template in (
        (firm_sheet(made), "alert_firm"),
        (advisor_sheet(made, "ADV1"), "alert_advisor"),
        (channel_sheet(made), "alert_channel"),
    ):
        draft = write(sheet, template, CLAIMS)  # raises where the verifier finds a fault
        assert draft.report.supported
        assert sheet.fact("all.out").value == sum(one.out for one in (accounts if template != "alert_advisor" else [
            one for one in accounts if one.advisor_id == "ADV1"
        ]))  # fmt: skip


@given(ACCOUNTS)
@effort(max_examples=40)
def test_an_outside_channel_can_name_nobody(accounts):
    sheet = channel_sheet(night(*accounts))
    assert not sheet.entities
    text = write(sheet, "alert_channel", CLAIMS).text
    known = [*ADVISORS.values(), *MODELS.values(), *(one.account_id for one in accounts), "Household"]
    assert not [name for name in known if name in text]
    assert len(text.splitlines()) <= 8


@given(ACCOUNTS)
@effort(max_examples=40)
def test_an_advisor_sees_no_account_of_another(accounts):
    others = [one for one in accounts if one.advisor_id != "ADV1"]
    sheet = advisor_sheet(night(*accounts), "ADV1")
    kept = sheet.document().decode()
    assert not [one.account_id for one in others if one.account_id in kept]
    assert ADVISORS["ADV2"] not in kept


def test_counts_add_up_over_advisors_and_models():
    made = night(
        watched(1, True, False), watched(2, True, True, "ADV2"), watched(3, False, True, "ADV2", "GRO"),
        watched(4, False, False, "ADV1", "GRO"),
    )  # fmt: skip
    sheet = firm_sheet(made)
    for name in ("measured", "out", "left", "back"):
        whole = sheet.fact(f"all.{name}").value
        for group in ("advisor", "model"):
            assert sum(sheet.fact(f"{one}.{name}").value for one in sheet.groups(group)) == whole
    assert [sheet.fact(f"all.{name}").value for name in ("measured", "out", "left", "back")] == [4, 2, 1, 1]


def test_a_quiet_night_is_one_line():
    text = firm(night(watched(1, True, True), watched(2, False, False), link=""))
    lines = [line for line in text.splitlines() if line]
    assert lines == [
        "# Drift of the firm on 28 December 2022",
        "No account left its bands or came back since 27 December 2022. 1 account is out of band now, of 2 measured.",
    ]


def test_accounts_stand_in_the_order_of_the_review_and_the_rest_is_counted():
    made = night(*(watched(number, True, False, use=50.0 - number) for number in range(1, MOST_TOLD + 4)))
    sheet = firm_sheet(made)
    told = [sheet.fact(f"{one}.account").value for one in sheet.groups("left")]
    assert told == [f"A{number:05}" for number in range(1, MOST_TOLD + 1)]
    assert len(sheet.groups("worst")) == MOST_WORST
    assert "There are 3 more of them." in firm(made)


@pytest.mark.parametrize(("use", "far"), [(FAR, True), (FAR - 0.01, False), (float("inf"), False)])
def test_far_out_is_said_by_rule(use, far):
    text = firm(night(watched(1, True, False, use=use)))
    assert ("**far out**" in text) is far
    assert ("no room" in text) is (use == float("inf"))


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_has_its_words_and_none_stays_empty(cause):
    row = next(line for line in firm(night(watched(1, True, False, cause=cause))).splitlines() if "A00001" in line)
    assert row.split("|")[6].strip()


def test_an_account_without_a_cause_is_told_without_one():
    bare = replace(watched(1, True, False), key="", cause="", deviation=0.0)
    assert "A00001" in firm(night(bare))


def test_hostile_names_stay_names():
    name = "The <b>O|Brien\\*</b> household {f:day} \u202e"
    text = firm(night(replace(watched(1, True, False), household=name)))
    assert "\u202e" not in text
    assert "{f:day}" in text


def test_swapped_figures_are_caught():
    made = night(watched(1, True, False), watched(2, True, True), watched(3, False, True))
    sheet = firm_sheet(made)
    text = write(sheet, "alert_firm", CLAIMS).text
    assert verify(text, sheet).supported
    assert not verify(text.replace("1 account left its bands", "2 accounts left their bands"), sheet).supported
    assert not verify(text.replace("27 December", "26 December"), sheet).supported
