"""The user's own prices: a CSV or Parquet file of daily closes becomes the market of the same demo firm.

Columns: date, ticker, close, adj_close, dividend; volume and split_ratio where there are any; others are ignored.
`close` is taken as it is. Where a vendor has already adjusted it for splits, as most free ones have, leave
split_ratio out: it is then 1 throughout, and dividends are per share on the same basis, on the ex-date.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.errors import BadRow, FirmDataError
from workbench.firm.demo.classification import ETFS, FACTOR_FUNDS, HALF_SPREAD, STOCKS, Classification
from workbench.firm.demo.market_data import (
    CASH_FACTS,
    TRADING_DAYS,
    Market,
    approximate_rates,
    cash_prices,
    securities_table,
    sort_prices,
)
from workbench.firm.schema import CASH, KINDS
from workbench.firm.validation import report

REQUIRED = ("date", "ticker", "close", "adj_close", "dividend")
#: Columns a securities file must have, and those it may.
SECURITY_COLUMNS = ("security_id", "name", "kind", "asset_class", "sector", "region")
OPTIONAL_SECURITY_COLUMNS = ("issuer_id", "expense_ratio", "half_spread", "screens", "identical_group")
#: Sessions in the median that stands for average daily volume, and in the trailing bill return.
VOLUME_WINDOW = 60
BILL_WINDOW = 63


def market_from_file(file: Path | str, securities: Path | str | pd.DataFrame | None = None) -> Market:
    """Return the market of a price file.

    About 85 well-known funds and stocks are classified already; `securities` (a CSV file or a frame with
    security_id, name, kind, asset_class, sector, region) classifies others, and overrides. Missing days are named in
    `Market.gaps` and never filled. Rates come from BIL (trailing 63 sessions, annualised) where it is there, from the
    approximate table otherwise. Raises `FirmDataError` with every bad row, or naming the unknown tickers.
    """
    file = Path(file)
    frame = _read(file)
    prices = _checked_prices(frame, file)
    facts = _classify(sorted(prices["security_id"].unique()), _own_facts(securities), file)
    sessions = pd.DatetimeIndex(prices["date"].unique()).sort_values()
    table = securities_table([*facts, CASH_FACTS])
    table["adv"] = table["security_id"].map(_average_volume(prices)).astype(float)
    every = sort_prices(pd.concat([prices, cash_prices(sessions)], ignore_index=True))
    return Market(file.name, "file", table, every, _rates(prices, sessions), _gaps(prices, sessions))


def _read(file: Path) -> pd.DataFrame:
    frame = _read_table(file, {"ticker": "str", "date": "str"}, f"{', '.join(REQUIRED)}")
    missing = [column for column in REQUIRED if column not in frame]
    if missing:
        raise FirmDataError(f"{file} lacks the column(s) {', '.join(missing)}; it needs {', '.join(REQUIRED)}")
    if frame.empty:
        raise FirmDataError(f"{file} has no rows; it needs a price a session and ticker")
    return frame


def _read_table(file: Path, types: str | dict[str, str], columns: str) -> pd.DataFrame:
    if not file.is_file():
        raise FirmDataError(f"{file} is not a file; give a CSV or Parquet file with {columns}")
    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(file)
        frame: pd.DataFrame = pd.read_csv(file, dtype=types)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FirmDataError(f"{file} cannot be read ({first}); give a CSV or Parquet file with {columns}") from error
    return frame


def _checked_prices(frame: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return the rows in the schema of `prices`, or raise with every row that is wrong."""
    dates = pd.to_datetime(frame["date"], errors="coerce", format="ISO8601").dt.tz_localize(None)
    prices = pd.DataFrame({"date": dates.astype("datetime64[ms]"), "security_id": frame["ticker"].astype("str")})
    for column in ("close", "adj_close", "dividend", "volume", "split_ratio"):
        given = frame[column] if column in frame else pd.Series(np.nan, index=frame.index)
        prices[column] = pd.to_numeric(given, errors="coerce").astype(float)
    if "split_ratio" not in frame:
        prices["split_ratio"] = 1.0
    bad = _bad_rows(frame, prices)
    if bad:
        raise FirmDataError(report(bad, str(file)), bad)
    return prices[["date", "security_id", "close", "adj_close", "dividend", "split_ratio", "volume"]]


def _bad_rows(frame: pd.DataFrame, prices: pd.DataFrame) -> list[BadRow]:
    infinite = prices[["close", "adj_close", "dividend"]].abs() == np.inf
    checks: list[tuple[str, pd.Series, str, str]] = [
        ("date", prices["date"].isna(), "is not a date", "write dates as YYYY-MM-DD"),
        ("date", prices["date"].notna() & (prices["date"] != prices["date"].dt.normalize()),
         "has a time of day", "give daily prices, dates without a time"),
        ("ticker", prices["security_id"].isna() | (prices["security_id"].str.strip().str.len() == 0),
         "has no ticker", "name the security"),
        ("ticker", prices["security_id"] == CASH, f"is named {CASH}", f"{CASH} is the account's cash; rename it"),
    ]  # fmt: skip
    for column in ("close", "adj_close", "split_ratio"):
        wrong = ~(prices[column] > 0) | infinite.get(column, False)
        checks.append((column, wrong, "is not a number above 0", "correct or remove the row"))
    wrong = ~(prices["dividend"] >= 0) | infinite["dividend"]
    checks.append(("dividend", wrong, "is not a number from 0", "write 0 where nothing was paid"))
    again = prices.duplicated(["date", "security_id"]) & prices["date"].notna()
    checks.append(("date", again, "is there twice for this ticker", "keep one row a date and ticker"))
    return [
        BadRow(
            "market file", int(position), f"{frame['ticker'].iloc[position]} {frame['date'].iloc[position]}",
            column, str(frame[column].iloc[position]) if column in frame else "", problem, remedy,
        )
        for column, wrong, problem, remedy in checks
        for position in np.nonzero(wrong.to_numpy())[0]
    ]  # fmt: skip


def _own_facts(securities: Path | str | pd.DataFrame | None) -> dict[str, Classification]:
    """Read the user's classification. Every name is text and stays text."""
    if securities is None:
        return {}
    if isinstance(securities, pd.DataFrame):
        frame = securities
    else:
        frame = _read_table(Path(securities), "str", ", ".join(SECURITY_COLUMNS))
    missing = [column for column in SECURITY_COLUMNS if column not in frame]
    if missing:
        raise FirmDataError(
            f"the securities file lacks {', '.join(missing)}; it needs {', '.join(SECURITY_COLUMNS)} "
            f"and may have {', '.join(OPTIONAL_SECURITY_COLUMNS)}"
        )
    bad = _bad_securities(frame)
    if bad:
        raise FirmDataError(report(bad, "the securities file"), bad)
    return {str(row["security_id"]): _own_fact(row) for row in frame.to_dict("records")}


def _bad_securities(frame: pd.DataFrame) -> list[BadRow]:
    checks = [
        (column, frame[column].isna() | (frame[column].astype("str").str.strip() == ""), "is blank", f"give {column}")
        for column in SECURITY_COLUMNS
    ]
    checks.append(("kind", ~frame["kind"].isin(KINDS[:-1]), "is no kind", f"one of {', '.join(KINDS[:-1])}"))
    checks.append(("security_id", frame["security_id"].duplicated(), "is there twice", "keep one row a security"))
    for column in ("expense_ratio", "half_spread"):
        if column in frame:
            number = pd.to_numeric(frame[column], errors="coerce")
            wrong = frame[column].notna() & ~number.between(0, 1)
            checks.append((column, wrong, "is not a fraction", "write 0.0003 for 3 basis points"))
    return [
        BadRow(
            "securities file", int(n), str(frame["security_id"].iloc[n]), column, str(frame[column].iloc[n]),
            problem, remedy,
        )
        for column, wrong, problem, remedy in checks
        for n in np.nonzero(wrong.to_numpy())[0]
    ]  # fmt: skip


def _own_fact(row: dict[str, object]) -> Classification:
    def given(column: str, default: str) -> str:
        value = row.get(column)
        return default if value is None or pd.isna(value) else str(value)

    group = given("identical_group", "")
    screens = given("screens", "")
    return Classification(
        str(row["security_id"]), str(row["name"]), str(row["kind"]), str(row["asset_class"]), str(row["sector"]),
        str(row["region"]), given("issuer_id", str(row["security_id"])),
        expense_ratio=float(given("expense_ratio", "0")),
        half_spread=float(given("half_spread", str(HALF_SPREAD[str(row["kind"])]))),
        screens=tuple(part.strip() for part in screens.split(";") if part.strip()),
        identical_group=group or None, identical_confidence="medium" if group else None,
    )  # fmt: skip


def _classify(tickers: list[str], own: dict[str, Classification], file: Path) -> list[Classification]:
    known = {facts.security_id: facts for facts in (*STOCKS, *FACTOR_FUNDS, *ETFS)} | own
    unknown = [ticker for ticker in tickers if ticker not in known]
    if unknown:
        raise FirmDataError(
            f"{file}: no classification of {', '.join(unknown[:20])}{' ...' if len(unknown) > 20 else ''} "
            f"({len(unknown)} ticker(s)); add a securities file with {', '.join(SECURITY_COLUMNS)}, or leave them out"
        )
    return [known[ticker] for ticker in tickers]


def _average_volume(prices: pd.DataFrame) -> pd.Series:
    """Median volume of each security's last 60 sessions, shares a day; missing where there is none."""
    recent = prices.sort_values("date").groupby("security_id").tail(VOLUME_WINDOW)
    median = recent.groupby("security_id")["volume"].median()
    return median.where(median > 0)


def _rates(prices: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    bills = prices[prices["security_id"] == "BIL"].set_index("date")["adj_close"].sort_index()
    if len(bills) <= BILL_WINDOW:
        return approximate_rates(sessions)
    growth = (bills / bills.shift(BILL_WINDOW)) ** (TRADING_DAYS / BILL_WINDOW) - 1.0
    known = growth.dropna().round(6)
    return pd.DataFrame({"date": known.index, "t_bill": known.to_numpy()})


def _gaps(prices: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Sessions between a security's first and last price that have none."""
    wide = prices.pivot(index="date", columns="security_id", values="close").reindex(sessions).notna()
    inside = wide.cummax() & wide[::-1].cummax()[::-1]
    rows, columns = np.nonzero((inside & ~wide).to_numpy())
    return pd.DataFrame({"security_id": wide.columns[columns], "date": sessions[rows]})
