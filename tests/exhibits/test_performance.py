"""The performance chapter: on the demo firm, on small and odd firms, and with nothing to show."""

from __future__ import annotations

import importlib.util
import math
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ParameterError
from workbench.exhibits import Origin, performance, performance_accounts, performance_paths
from workbench.exhibits.performance_review import ALL, PerformanceReview, measure
from workbench.firm import open_at
from workbench.report.exhibit import CalloutBody, FigureBody, Missing, ProseBody, TableBody

_spec = importlib.util.spec_from_file_location("exhibits_conftest", Path(__file__).parent / "conftest.py")
_conftest = importlib.util.module_from_spec(_spec)
sys.modules["exhibits_conftest"] = _conftest
_spec.loader.exec_module(_conftest)


@pytest.fixture(scope="module")
def demo():
    """The chapter on the demo firm."""
    return _conftest.run_chapter("performance", open_at("demo"), since="2018-12-31", years=3)


@pytest.fixture(scope="module")
def review() -> PerformanceReview:
    return measure(open_at("demo"), "2020-12-31")


def lived(tables: dict[str, pd.DataFrame], start: str = "2021-11-30") -> dict[str, pd.DataFrame]:
    """The small firm with a year of prices and both accounts open since the first day of them."""
    days = pd.bdate_range(start, "2022-12-28").astype("datetime64[ms]")
    days = days.difference(pd.DatetimeIndex(["2022-12-26"]))
    rng, parts = np.random.default_rng(5), []
    for security, rows in tables["prices"].groupby("security_id", sort=False):
        close = np.full(len(days), 1.0) if security == "CASH" else 20.0 * np.cumprod(1 + rng.normal(0, 0.01, len(days)))
        parts.append(rows.iloc[[0] * len(days)].assign(date=days, close=close, adj_close=close))
    opened = pd.Timestamp(days[0])
    moved = tables["transactions"].iloc[:4].assign(trade_date=opened, settle_date=opened)
    lots = tables["lots"].assign(acquired_on=opened, holding_start=opened + pd.Timedelta(days=1))
    positions = pd.DataFrame(
        {
            "account_id": ["A1", "A1", "A1", "A2"],
            "security_id": ["AAA", "BBB", "CASH", "CASH"],
            "quantity": [70.0, 10.0, 50.0, 100.0],
        }
    )
    # The purchases at their prices cost 1,200: a deposit of 1,250 leaves 50.
    moved = moved.assign(amount=[1_250.0, -700.0, -500.0, 100.0])
    return tables | {
        "prices": pd.concat(parts, ignore_index=True),
        "transactions": moved,
        "positions": positions,
        "lots": lots.assign(quantity=[70.0, 10.0]),
        "accounts": tables["accounts"].assign(opened_on=opened, last_rebalanced_on=pd.NaT),
        "models": tables["models"].assign(effective_date=opened),
    }


def figures_of(shown) -> list[float]:
    return [fact.value for fact in shown.facts.values() if isinstance(fact.value, float)]


def check_sound(shown) -> None:
    """What every chapter keeps: no NaN, settings on all that shows figures, facts that agree."""
    assert all(math.isfinite(value) for value in figures_of(shown))
    assert len({exhibit.id for exhibit in shown.exhibits}) == len(shown.exhibits)
    for exhibit in shown.exhibits:
        text = shown.text(exhibit.id)
        assert "nan" not in text.lower().split()
        if not isinstance(exhibit.body, ProseBody | CalloutBody):
            assert exhibit.settings is not None


def test_the_chapter_on_the_demo_firm_is_sound_and_says_what_was_earned(demo):
    check_sound(demo)
    verdict = demo.text("performance-verdict")
    assert "In 2022 up to 28 December, accounts that follow a model returned" in verdict
    assert "came from carrying them out" in verdict
    assert "of 5 models are behind their benchmark" in verdict
    assert {"performance-growth", "performance-excess", "performance-statistics"} <= {e.id for e in demo.exhibits}
    assert not any(exhibit.id.startswith("composite-") for exhibit in demo.exhibits)


def test_the_excess_is_the_models_choice_and_its_implementation(demo):
    value = {name: demo.facts[f"performance.returns.all.{name}.year"].value for name in ("excess", "choice")}
    carried = demo.facts["performance.returns.all.implementation.year"].value
    assert value["excess"] == pytest.approx(value["choice"] + carried, abs=1e-15)
    fees = demo.facts["performance.returns.all.fees.year"].value
    assert 0 < fees < 0.02


def test_returns_agree_with_the_yearly_record_and_the_statistics(demo):
    facts = demo.facts
    assert facts["performance.returns.bal.net.year"].value == pytest.approx(facts["composite.balanced.2022.net"].value)
    rows = demo["performance-statistics"].body.rows
    spans = demo["performance-returns"].body
    column = [column.label for column in spans.columns].index("3 years, per year")
    by_model = {row[0]: row[column].text for row in spans.rows}
    header = [column.label for column in demo["performance-statistics"].body.columns]
    assert {name: cell.text for name, cell in zip(header[1:-1], rows[0][1:-1])} == by_model


def test_one_line_a_model_and_every_difference_can_be_followed(demo):
    returns, against, behind = (demo[f"performance-{name}"].body for name in ("returns", "against", "behind"))
    assert [row[0] for row in returns.rows] == [row[0] for row in against.rows]
    assert len(behind.rows) == 2 * len(returns.rows)
    year = [column.name for column in returns.columns].index("year")
    for net, excess, benchmark in zip(returns.rows, against.rows, behind.rows):
        value = [demo.facts[row[year].fact].value for row in (net, excess, benchmark)]
        assert value[1] == pytest.approx(value[0] - value[2], abs=1e-15)
        assert all(re.fullmatch(r"\D?\d+\.\d\d(%|\xa0pp)", row[year].text) for row in (net, excess))


def test_the_rest_of_carrying_out_is_implementation_without_fees(demo):
    value = {name: demo.facts[f"performance.returns.all.{name}.year"].value for name in ("fees", "rest")}
    carried = demo.facts["performance.returns.all.implementation.year"].value
    assert carried == pytest.approx(value["rest"] - value["fees"], abs=1e-15)


def test_whole_yearly_records_are_shown_where_asked_for(small, chapter):
    shown = chapter("performance", lived(small), records_in_full=1, record_years=1)
    check_sound(shown)
    assert sum(exhibit.id.startswith("composite-") for exhibit in shown.exhibits) == 1
    assert len(shown["performance-records"].body.rows) == 2


def test_contributions_sum_to_the_return_of_the_accounts_as_one(review):
    frame, start = performance_accounts._contributions(review)
    followed = review.net.accounts["model_id"].notna().to_numpy(bool)
    first = review.sessions.get_loc(start)
    value = review.net.value[followed][:, first:].sum(axis=0)
    flow = (review.net.flow + review.net.fee)[followed][:, first:].sum(axis=0)
    pooled = np.prod((value[1:] - flow) / value[:-1]) - 1.0
    assert frame["contribution"].sum() == pytest.approx(pooled, rel=1e-9)


def test_timing_is_nothing_without_flows_and_paid_in_before_a_fall_it_costs(review):
    frame, _ = performance_accounts._timing(review)
    still = review.net.account_ids[(review.net.flow == 0).all(axis=1) & (review.net.value[:, 0] > 0)]
    quiet = frame[frame["account_id"].isin(still)]
    assert len(quiet) > 10
    assert quiet["gap"].abs().max() < 1e-8
    assert frame["gap"].abs().max() > 1e-4


def test_the_strip_shows_every_account_that_lived_the_year(review, origin):
    exhibit = performance_accounts.dispersion_strip(review, origin, 5)
    frame, _ = performance_accounts._gaps(review)
    marks, _, named = exhibit.body.figure["data"]
    assert len(marks["x"]) + len(named["x"]) == len(frame)
    assert len(exhibit.body.data.rows) == 5
    assert "did not live the whole time" in exhibit.body.data.note


def test_tracks_are_ordered_by_money_with_all_first(review):
    assert review.tracks[0].key == ALL
    money = [track.composite.monthly["end"].iloc[-1] for track in review.models]
    assert money == sorted(money, reverse=True)


def test_three_sessions_are_no_record_and_the_chapter_says_so(small, chapter):
    shown = chapter("performance", small)
    check_sound(shown)
    assert "no record to show" in shown.text("performance-verdict")


def test_a_small_firm_without_benchmarks_rates_or_policy(small, chapter):
    shown = chapter("performance", lived(small))
    check_sound(shown)
    assert "own sleeve weights" in shown.text("performance-against")
    assert "zero, for the firm keeps no rates" in shown.text("performance-statistics")
    assert "Nothing: 2 accounts measured" in shown.text("performance-left-out")


def test_nothing_under_a_year_is_annualised(small, chapter):
    shown = chapter("performance", lived(small, "2022-05-31"))
    check_sound(shown)
    assert "a year" not in shown.text("performance-verdict")
    statistics = shown["performance-statistics"].body
    row = next(row for row in statistics.rows if row[0] == "Volatility")
    assert all(isinstance(cell, Missing) for cell in row[1:-1])
    assert "nothing shorter is annualised" in shown.text("performance-timing")


def test_a_firm_without_prices_for_its_model_still_shows_returns(small, chapter):
    tables = lived(small)
    extra = tables["securities"].iloc[[1]].assign(security_id="NEW", name="New")
    targets = tables["model_targets"].assign(security_id=["AAA", "NEW", "CASH"])
    shown = chapter("performance", tables | {
        "securities": pd.concat([tables["securities"], extra], ignore_index=True), "model_targets": targets,
    })  # fmt: skip
    check_sound(shown)
    assert "There is no benchmark to compare with: " in shown.text("performance-verdict")
    assert [row[0] for row in shown["performance-behind"].body.rows if ": " in row[0]] == [
        "Before fees: all models together"
    ]


def test_a_model_whose_benchmark_is_not_known_is_named_beside_the_figure(review):
    origin, track = Origin("2022-12-28", "3f9a12c4", ""), review.tracks[1]
    blank = replace(track, benchmark=track.benchmark * np.nan)
    bare = replace(review, tracks=(review.tracks[0], blank, *review.tracks[2:]))
    settings = performance_paths.excess_figure(bare, origin, 1).settings
    assert f"without {track.name}, whose benchmark is not known over the whole time" in str(settings)
    none = replace(review, tracks=(replace(review.tracks[0], benchmark=blank.benchmark), *review.tracks[1:]))
    assert "without the benchmark" in str(performance_paths.growth_figure(none, origin, 1).settings)


def test_a_model_that_never_fell_is_named_under_the_falls(review):
    track = review.tracks[1]
    rising = replace(track, net=track.net * 0.0 + 0.001)
    exhibit = performance_paths.drawdown_table(
        replace(review, tracks=(review.tracks[0], rising, *review.tracks[2:])), Origin("2022-12-28", "3f9a12c4", ""), 1
    )
    assert exhibit.body.note == f"Never below an earlier high: {track.name}."
    assert len(exhibit.body.rows) == len(review.tracks) - 1


def test_long_names_of_models_are_clipped_and_told_apart(small):
    tables = lived(small)
    models = tables["models"].assign(name="A name that goes on " * 20)
    other = models.assign(model_id="ZZ")
    made = measure(_firm_of(tables | {"models": pd.concat([models, other], ignore_index=True)}))
    assert made.names.is_unique
    assert made.names.str.len().max() < 60


def test_accounts_too_short_for_a_year_are_counted_under_the_timing(review):
    lives = review.net.lives()
    long = (lives["end"] - lives["start"] >= pd.Timedelta(days=365)) & (lives["holes"] == 0) & (lives["return"] > -1)
    exhibit = performance_accounts.timing_table(review, Origin("2022-12-28", "3f9a12c4", ""))
    shown = sum(row[1].value if hasattr(row[1], "value") else row[1] for row in exhibit.body.rows)
    left = int((~long).sum())
    assert left
    assert f"{left} accounts are not shown: their records are shorter than a year, broken" in exhibit.body.note
    assert shown <= int(long.sum())


def test_accounts_without_a_model_have_no_record(small, chapter):
    tables = lived(small)
    shown = chapter("performance", tables | {"accounts": tables["accounts"].assign(model_id=None)})
    check_sound(shown)
    assert "no record to show" in shown.text("performance-verdict")


def test_what_is_left_out_is_listed_with_its_reason(small, chapter):
    tables = lived(small)
    extra = tables["securities"].iloc[[1]].assign(security_id="PRIVATE", name="Private")
    held = pd.DataFrame({"account_id": ["A2"], "security_id": ["PRIVATE"], "quantity": [5.0]})
    # The firm's book is sound without a price on the day; the ledger cannot value it.
    firm = _firm_of(tables | {
        "securities": pd.concat([tables["securities"], extra], ignore_index=True),
        "positions": pd.concat([tables["positions"], held], ignore_index=True),
    })  # fmt: skip
    review = measure(firm)
    exhibit = performance_accounts.left_out_table(review, Origin("2022-12-28", "3f9a12c4", ""), 10)
    assert "PRIVATE has no price" in _conftest.words(exhibit)


def _firm_of(tables: dict[str, pd.DataFrame]):
    from workbench.firm import Firm

    as_of = pd.Timestamp("2022-12-28")
    rewound = tables | {
        name: pd.DataFrame({column: pd.Series(dtype="object") for column in columns})
        for name, columns in {
            "rates": ["date", "t_bill"],
            "sleeve_benchmarks": ["sleeve_id", "security_id", "weight"],
            "model_benchmarks": ["model_id", "sleeve_id", "weight"],
        }.items()
    }
    return Firm(Path("."), as_of, as_of, {}, {}, "Made", rewound=rewound)


def moved(tables, account: str, kind: str, amount: float, day: str = "2022-06-15"):
    """The firm with one more movement of cash, and the balance that follows from it."""
    date = pd.Timestamp(day)
    row = (
        tables["transactions"]
        .iloc[[0]]
        .assign(
            transaction_id=f"T{amount:.0f}",
            account_id=account,
            kind=kind,
            trade_date=date,
            settle_date=date,
            amount=amount,
        )
    )
    positions = tables["positions"].copy()
    positions.loc[(positions["account_id"] == account) & (positions["security_id"] == "CASH"), "quantity"] += amount
    return tables | {
        "transactions": pd.concat([tables["transactions"], row], ignore_index=True),
        "positions": positions[positions["quantity"] != 0.0].reset_index(drop=True),
    }


def without_account(tables, account: str):
    return {
        name: frame[frame["account_id"] != account].reset_index(drop=True) if "account_id" in frame else frame
        for name, frame in tables.items()
    }


ODD = {
    "an account in debt": (lambda t: moved(t, "A1", "withdrawal", -6_000.0), "1 account below zero"),
    "a flow larger than the account": (lambda t: moved(t, "A2", "deposit", 10_000.0), "a flow larger than the account"),
    "an account that loses all": (lambda t: moved(t, "A2", "fee", -100.0), "the whole capital was lost"),
    "nobody left": (lambda t: moved(without_account(t, "A1"), "A2", "fee", -100.0), "no record to show"),
    "an account that left": (lambda t: moved(t, "A2", "withdrawal", -100.0), "$100 (taken out, net)"),
    "one account": (lambda t: without_account(t, "A2"), "Balanced fell by"),
}


@pytest.mark.parametrize("case", list(ODD))
def test_odd_firms_give_a_sound_page_that_says_what_is_odd(small, chapter, case):
    make, words = ODD[case]
    shown = chapter("performance", make(lived(small)), records_in_full=2)
    check_sound(shown)
    page = "\n".join(shown.text(exhibit.id) for exhibit in shown.exhibits)
    assert words in page
    assert not re.search(r"\b1 (accounts|models|of 1|model are|account are|account have)\b", page)


def test_an_account_in_debt_is_named_in_the_verdict(small, chapter):
    shown = chapter("performance", moved(lived(small), "A1", "withdrawal", -6_000.0))
    assert "1 account is left out of months in which a day has no return" in shown.text("performance-verdict")


def test_a_firm_younger_than_a_month_says_since_when(small, chapter):
    shown = chapter("performance", lived(small, "2022-12-05"))
    check_sound(shown)
    assert "from 2022-12-05 to 2022-12-28 there is no month's end" in shown.text("performance-verdict")


def test_a_model_nobody_follows_is_left_out(small, chapter):
    tables = lived(small)
    more = {
        name: pd.concat([tables[name], tables[name].assign(model_id="GRO")], ignore_index=True)
        for name in ("models", "model_targets", "tolerances")
    }
    shown = chapter("performance", tables | more)
    check_sound(shown)
    assert [row[0] for row in shown["performance-returns"].body.rows] == ["All models together", "Balanced (BAL)"]


def test_hostile_names_stay_text(small, chapter):
    tables = lived(small)
    name = "<script>alert(1)</script> =1+1"
    shown = chapter("performance", tables | {"models": tables["models"].assign(name=name)})
    check_sound(shown)
    for exhibit in shown.exhibits:
        if isinstance(exhibit.body, FigureBody):
            assert "<script" not in str(exhibit.body.figure)
    assert isinstance(shown["performance-returns"].body, TableBody)


def test_since_is_a_day_or_inception():
    with pytest.raises(ParameterError, match="neither a day"):
        measure(open_at("demo"), "yesterday-ish")


def test_one_session_of_a_new_year_and_a_closed_model(review, origin):
    shown = performance_paths.drawdown_table(review, origin, 1)
    assert all(row[3] >= "2021-12" for row in shown.body.rows)
    assert "Accounts together" in performance.summary(review, origin).title
