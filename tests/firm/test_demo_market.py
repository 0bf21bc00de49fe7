"""Markets of the demo firm: the user's own file, its errors, and real funds where the shared file is there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.errors import FirmDataError
from workbench.firm import demo

SHARED = Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).resolve().parents[3] / "shared"))
ETF_FILE = SHARED / "data" / "etf" / "etf_daily_2005_2026.csv.gz"
HOSTILE = '=HYPERLINK("http://x","<script>alert(1)</script>") {{ 7*7 }} \'; drop table--'


def prices(tickers=("SPY", "EFA", "VWO", "AGG", "BIL"), days=900, start="2016-01-04") -> pd.DataFrame:
    rng = np.random.default_rng(1)
    sessions = pd.bdate_range(start, periods=days)
    frames = []
    for ticker in tickers:
        noise = rng.standard_normal(days) if ticker != "BIL" else np.full(days, 0.01)
        close = 100 * np.exp(np.cumsum(0.008 * noise))
        row = {"date": sessions.strftime("%Y-%m-%d"), "ticker": ticker, "close": close, "adj_close": close}
        frames.append(pd.DataFrame({**row, "volume": 1_000_000, "dividend": 0.0}))
    return pd.concat(frames, ignore_index=True)


def written(frame: pd.DataFrame, folder: Path) -> Path:
    file = folder / "prices.csv"
    frame.to_csv(file, index=False)
    return file


def test_a_firm_lives_on_the_users_own_prices(tmp_path):
    frame = prices()
    market = demo.market_from_file(written(frame, tmp_path))
    firm = demo.build_firm(tmp_path / "firm", market=market, as_of=str(frame["date"].max()), accounts=24)
    assert set(firm.table("positions")["security_id"]) <= {*frame["ticker"], "CASH"}
    assert firm.table("model_targets").groupby(["model_id", "version"])["target"].sum().round(6).eq(1).all()
    assert market.securities.set_index("security_id").loc["SPY", "adv"] == 1_000_000


def test_parquet_and_csv_give_the_same_market(tmp_path):
    frame = prices(days=50)
    frame.to_parquet(tmp_path / "prices.parquet")
    one, two = demo.market_from_file(written(frame, tmp_path)), demo.market_from_file(tmp_path / "prices.parquet")
    pd.testing.assert_frame_equal(one.prices, two.prices)


def test_every_bad_row_is_named_at_once(tmp_path):
    frame = prices(days=20).astype({"date": "object", "close": "object"})
    frame.loc[0, "close"] = -1
    frame.loc[1, "close"] = "n/a"
    frame.loc[2, "date"] = "yesterday"
    frame.loc[3, "date"] = frame.loc[4, "date"]
    frame.loc[5, "adj_close"] = np.nan
    frame.loc[6, "dividend"] = -0.1
    frame.loc[7, "ticker"] = "CASH"
    with pytest.raises(FirmDataError) as caught:
        demo.market_from_file(written(frame, tmp_path))
    rows = {(row.row, row.column) for row in caught.value.rows}
    assert rows == {
        (0, "close"), (1, "close"), (2, "date"), (4, "date"), (5, "adj_close"), (6, "dividend"), (7, "ticker"),
    }  # fmt: skip


def test_a_missing_day_is_said_and_not_filled(tmp_path):
    frame = prices(days=600)
    gone = frame[(frame["ticker"] == "SPY")].iloc[300]
    frame = frame.drop(index=gone.name)
    market = demo.market_from_file(written(frame, tmp_path))
    assert market.gaps.to_dict("records") == [{"security_id": "SPY", "date": pd.Timestamp(gone["date"])}]
    spy = market.prices[(market.prices["security_id"] == "SPY")]
    assert pd.Timestamp(gone["date"]) not in set(spy["date"])
    tables = demo.build(market=market, as_of=str(frame["date"].max()), accounts=24)
    traded = tables["transactions"].query("security_id == 'SPY' and kind in ('buy', 'sell')")
    assert pd.Timestamp(gone["date"]) not in set(traded["trade_date"])


def test_unknown_tickers_need_a_securities_file_and_hostile_names_stay_text(tmp_path):
    file = written(prices(("SPY", "AGG", "ZZZ1", "ZZZ2")), tmp_path)
    with pytest.raises(FirmDataError, match=r"ZZZ1, ZZZ2 .*add a securities file"):
        demo.market_from_file(file)
    own = pd.DataFrame(
        {
            "security_id": ["ZZZ1", "ZZZ2"], "name": [HOSTILE, "Ordinary"], "kind": "stock",
            "asset_class": "US equity", "sector": HOSTILE, "region": "North America",
        }
    )  # fmt: skip
    own.to_csv(tmp_path / "securities.csv", index=False)
    market = demo.market_from_file(file, tmp_path / "securities.csv")
    last = str(market.prices["date"].max().date())
    firm = demo.build_firm(tmp_path / "firm", market=market, as_of=last, accounts=24)
    stored = firm.table("securities").set_index("security_id")
    assert stored.loc["ZZZ1", "name"] == stored.loc["ZZZ1", "sector"] == HOSTILE


def test_a_bad_securities_file_is_refused_with_its_rows(tmp_path):
    file = written(prices(("SPY", "ZZZ1"), days=30), tmp_path)
    own = pd.DataFrame({"security_id": ["ZZZ1"], "name": [" "], "kind": ["cash"]})
    with pytest.raises(FirmDataError, match="lacks asset_class, sector, region"):
        demo.market_from_file(file, own)
    own = own.assign(asset_class="US equity", sector="Energy", region="North America", expense_ratio="5")
    with pytest.raises(FirmDataError) as caught:
        demo.market_from_file(file, own)
    assert {row.column for row in caught.value.rows} == {"name", "kind", "expense_ratio"}


def test_files_that_are_no_markets_say_what_is_needed(tmp_path):
    with pytest.raises(FirmDataError, match="is not a file"):
        demo.market_from_file(tmp_path / "none.csv")
    with pytest.raises(FirmDataError, match="lacks the column"):
        demo.market_from_file(written(prices(days=5).drop(columns="dividend"), tmp_path))
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00 not really")
    with pytest.raises(FirmDataError, match="cannot be read"):
        demo.market_from_file(broken)
    with pytest.raises(FirmDataError, match="is not a file"):
        demo.market_from_file(written(prices(days=5), tmp_path), tmp_path / "none.csv")
    with pytest.raises(FirmDataError, match="no rows"):
        demo.market_from_file(written(prices(days=5).head(0), tmp_path))


@pytest.mark.slow
@pytest.mark.skipif(not ETF_FILE.is_file(), reason=f"the shared fund prices are not at {ETF_FILE}")
def test_real_funds_make_a_firm_with_a_real_sector_sleeve(tmp_path):
    market = demo.market_from_file(ETF_FILE)
    assert len(market.gaps) <= 1
    firm = demo.build_firm(tmp_path / "firm", market=market, as_of="2026-03-31", accounts=40)
    held = set(firm.table("positions")["security_id"])
    assert {"VTI", "XLK", "AGG", "GLD", "VNQ", "VWO"} <= held
    assert firm.table("models").query("status == 'active'")["effective_date"].eq(pd.Timestamp("2024-03-11")).all()
    identical = firm.table("securities").set_index("security_id")["identical_confidence"]
    assert identical["IVV"] == "high"
    assert identical["SCHB"] == "low"
