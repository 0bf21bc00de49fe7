"""Alerts of a firm, from its review to the folder, as the command line makes them."""

import pytest
from click.testing import CliRunner

from workbench import drift
from workbench.cli import main
from workbench.errors import FirmDataError, ParameterError
from workbench.firm import at, open_firm
from workbench.firm.demo import build_firm
from workbench.papers import alerts


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alerts") / "firm"
    build_firm(folder, seed=7, as_of="2022-12-28", accounts=60)
    return open_firm(folder)


def call(*arguments):
    return CliRunner().invoke(main, ["draft", "alerts", *map(str, arguments)])


def test_the_night_agrees_with_the_two_reviews(firm):
    night = alerts.nightly(firm, since="2022-11-30")
    today = drift.review(firm).drift.accounts.set_index("account_id")["breaches"] > 0
    before = drift.review(at(firm, "2022-11-30")).drift.accounts.set_index("account_id")["breaches"] > 0
    was = before.reindex(today.index, fill_value=False)
    assert {one.account_id for one in night.left} == set(today.index[today & ~was])
    assert {one.account_id for one in night.back} == set(today.index[~today & was])
    assert night.left or night.back
    assert len(night.accounts) == len(today)


def test_the_session_before_is_compared_with_unless_a_day_is_given(firm):
    assert alerts.nightly(firm).since == "2022-12-27"


def test_each_reader_gets_a_paper(firm):
    drafts = list(alerts.drafts(firm, since="2022-11-30", link="https://desk.example.com"))
    advisors = sorted(firm.table("households", ["advisor_id"])["advisor_id"].unique())
    assert [draft.key for draft in drafts] == ["firm", *advisors, "channel"]
    assert all(draft.kind == "alert" and draft.report.supported for draft in drafts)


def test_one_advisor_gets_that_book_alone(firm):
    drafts = list(alerts.drafts(firm, advisors=["ADV1"]))
    assert [draft.key for draft in drafts] == ["ADV1", "channel"]
    with pytest.raises(ParameterError, match="no advisor 'ADV9'"):
        list(alerts.drafts(firm, advisors=["ADV9"]))


def test_a_day_outside_the_data_is_refused(firm):
    with pytest.raises(FirmDataError):
        alerts.nightly(firm, since="2031-01-01")


def test_the_command_prints_the_index_and_says_that_nothing_is_released(firm, tmp_path):
    made = call("--firm", firm.folder, "--out", tmp_path, "--since", "2022-11-30")
    assert made.exit_code == 0, made.stderr
    assert "not released" in made.stderr
    assert made.stdout.strip().endswith("index.html")
    assert "already there" in call("--firm", firm.folder, "--out", tmp_path, "--since", "2022-11-30").stderr


def test_an_error_is_one_line(firm, tmp_path):
    refused = call("--firm", firm.folder, "--out", tmp_path, "--advisor", "ADV9")
    assert refused.exit_code == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_version_is_a_model_and_its_number(firm):
    refused = CliRunner().invoke(main, ["draft", "notice", "--firm", str(firm.folder), "--version", "BAL"])
    assert refused.exit_code == 2
    assert "write it as BAL=5" in refused.stderr
