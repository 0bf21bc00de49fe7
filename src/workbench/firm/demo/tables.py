"""From lived accounts to the firm's tables: the people, the books and what the year has realised."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict

import numpy as np
import pandas as pd

from workbench.firm.demo import people, wash
from workbench.firm.demo.classification import SUBSTITUTES
from workbench.firm.demo.clients import AUTHORS, Clients, Note, notes_table, restrictions_table
from workbench.firm.demo.ledger import UNITS, is_long_term
from workbench.firm.demo.market_data import Market
from workbench.firm.demo.models import ModelTables
from workbench.firm.demo.panel import Panel
from workbench.firm.demo.simulate import Life
from workbench.firm.schema import CASH, REGISTRATIONS

#: Securities sold in one day from which an advisor's own trading is a retreat, not a switch.
MANY_SALES = 4
#: Day ordinal of 1970-01-01, from which numpy counts.
_EPOCH = datetime.date(1970, 1, 1).toordinal()


def assemble(
    market: Market, models: ModelTables, arrays: Panel, lives: list[Life], wishes: Clients, as_of: pd.Timestamp
) -> dict[str, pd.DataFrame]:
    """Return every table of the firm."""
    washed = wash.find(lives)
    positions = positions_table(lives, arrays)
    households = list({life.plan.household.household_id: life.plan.household for life in lives}.values())
    return {
        "securities": market.securities.copy(),  # the market is shared by every firm of this process
        "substitutes": substitutes_table(market),
        "prices": market.prices[market.prices["date"] <= as_of].reset_index(drop=True),
        "rates": market.rates[market.rates["date"] <= as_of].reset_index(drop=True),
        **models.as_dict(),
        "households": households_table(households, lives, washed, as_of),
        "profiles": profiles_table(households, as_of),
        "accounts": accounts_table(lives, positions, market, as_of),
        "positions": positions,
        "lots": lots_table(lives, arrays, washed),
        "transactions": transactions_table(lives, arrays),
        "restrictions": restrictions_table(wishes.restrictions),
        "client_notes": notes_table([*wishes.notes, *lived_notes(lives)]),
        "advisors": people.advisors_table(),
        "custodians": people.custodians_table(),
    }


def _dates(ordinals: list[int | None]) -> np.ndarray:
    days = [np.datetime64("NaT", "D") if day is None else np.datetime64(day - _EPOCH, "D") for day in ordinals]
    return np.array(days, dtype="datetime64[ms]")


def positions_table(lives: list[Life], arrays: Panel) -> pd.DataFrame:
    """Return positions as the custodian states them: cash always, securities where any are held."""
    rows: list[tuple[str, str, float]] = []
    for life in lives:
        held = life.ledger.holdings()
        rows += [(life.plan.account_id, arrays.security_ids[s], held[s] / UNITS) for s in sorted(held)]
        rows.append((life.plan.account_id, CASH, life.ledger.cents / 100.0))
    return pd.DataFrame(rows, columns=["account_id", "security_id", "quantity"])


def lots_table(lives: list[Life], arrays: Panel, washed: wash.WashSales) -> pd.DataFrame:
    """Return open lots. The holding period starts the day after the acquisition, earlier after a wash sale."""
    lots = [
        (life.plan.account_id, lot) for life in lives for s in sorted(life.ledger.lots) for lot in life.ledger.lots[s]
    ]
    acquired = [lot.acquired for _, lot in lots]
    return pd.DataFrame(
        {
            "lot_id": [lot.lot_id for _, lot in lots],
            "account_id": [account for account, _ in lots],
            "security_id": [arrays.security_ids[lot.security] for _, lot in lots],
            "quantity": [lot.units / UNITS for _, lot in lots],
            "cost_per_share": [lot.cost for _, lot in lots],
            "acquired_on": _dates(list(acquired)),
            "holding_start": _dates([lot.acquired + 1 - washed.tacked_days.get(lot.lot_id, 0) for _, lot in lots]),
            "wash_adjustment": [round(washed.adjustment.get(lot.lot_id, 0.0), 2) for _, lot in lots],
            "covered": [day >= datetime.date(2011, 1, 1).toordinal() for day in acquired],
        }
    )


def transactions_table(lives: list[Life], arrays: Panel) -> pd.DataFrame:
    """Return every transaction, ordered by trade date, account and booking.

    `acquired_on` is a column of the demo's own: the acquisition day of the lot a row concerns.
    """
    ids = [*arrays.security_ids, CASH]  # security -1 is cash
    booked = [
        (entry.day, life.plan.account_id, n, entry) for life in lives for n, entry in enumerate(life.ledger.entries)
    ]
    booked.sort(key=lambda row: row[:3])
    entries = [row[3] for row in booked]
    trade = _dates([entry.day for entry in entries])
    return pd.DataFrame(
        {
            "transaction_id": [f"T{n:07d}" for n in range(1, len(entries) + 1)],
            "account_id": [row[1] for row in booked],
            "security_id": [ids[entry.security] for entry in entries],
            "trade_date": trade,
            "settle_date": _settle_dates(trade, np.array([entry.kind in ("buy", "sell") for entry in entries])),
            "kind": [entry.kind for entry in entries],
            "quantity": [entry.units / UNITS for entry in entries],
            "price": np.array([np.nan if entry.price is None else entry.price for entry in entries]),
            "amount": [entry.cents / 100.0 for entry in entries],
            "origin": [entry.origin for entry in entries],
            "lot_id": pd.Series([entry.lot_id for entry in entries], dtype="str"),
            "acquired_on": _dates([entry.acquired for entry in entries]),
        }
    )


def _settle_dates(trade: np.ndarray, trades: np.ndarray) -> np.ndarray:
    """Settlement after three business days to 2017-09-05, two to 2024-05-28, one since; other rows settle at once."""
    day = trade.astype("datetime64[D]")
    lag = np.where(day < np.datetime64("2017-09-05"), 3, np.where(day < np.datetime64("2024-05-28"), 2, 1))
    settled = np.busday_offset(day, np.where(trades, lag, 0), roll="forward")
    return settled.astype("datetime64[ms]")


def accounts_table(lives: list[Life], positions: pd.DataFrame, market: Market, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the accounts, with the custodian's stated value: positions at the close, rounded to cents."""
    plans = [life.plan for life in lives]
    return pd.DataFrame(
        {
            "account_id": [plan.account_id for plan in plans],
            "household_id": [plan.household.household_id for plan in plans],
            "advisor_id": [plan.household.advisor_id for plan in plans],
            "custodian_id": [plan.custodian_id for plan in plans],
            "registration": [plan.registration for plan in plans],
            "owner_birth_date": pd.Series([plan.birth for plan in plans], dtype="datetime64[ms]"),
            "discretionary": [plan.discretionary for plan in plans],
            "model_id": pd.Series([plan.model_id for plan in plans], dtype="str"),
            "opened_on": _dates([life.ledger.entries[0].day for life in lives]),
            "last_rebalanced_on": _dates([life.last_rebalanced for life in lives]),
            "rollout_mode": [plan.rollout_mode for plan in plans],
            "stated_value": stated_values(positions, market.prices, as_of).to_numpy(),
        }
    )


def lived_notes(lives: list[Life]) -> list[Note]:
    """Return what the overriding advisor wrote down after selling in a fall: one note a household and day."""
    notes = {}
    for life in lives:
        house = life.plan.household
        manual = {(e.day, e.security) for e in life.ledger.entries if e.kind == "sell" and e.origin == "manual"}
        sold = Counter(day for day, _ in manual)
        for day in sorted(day for day, names in sold.items() if names >= MANY_SALES):
            words = "Called after the fall in markets. We agreed to cut equities by a fifth and wait a quarter."
            written = pd.Timestamp.fromordinal(day)
            notes[house.household_id, day] = Note(
                house.household_id, written, AUTHORS[house.advisor_id], "meeting", words
            )
    return list(notes.values())


def stated_values(positions: pd.DataFrame, prices: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    """Value each account at the last close on or before `as_of`, rounded to cents, in order of first appearance."""
    known = prices[prices["date"] <= as_of].sort_values("date").groupby("security_id")["close"].last()
    value = positions["quantity"] * positions["security_id"].map(known)
    return value.groupby(positions["account_id"], sort=False).sum().round(2)


def households_table(
    households: list[people.Household], lives: list[Life], washed: wash.WashSales, as_of: pd.Timestamp
) -> pd.DataFrame:
    """Return the households, with the gains their taxed accounts have realised in the year of `as_of`.

    Losses that a wash sale disallows are not counted.
    """
    short: dict[str, float] = defaultdict(float)
    long: dict[str, float] = defaultdict(float)
    for life in lives:
        for sale in life.ledger.sales if life.plan.taxed else ():
            if datetime.date.fromordinal(sale.day).year == as_of.year:
                side = long if is_long_term(sale.acquired, sale.day) else short
                key = (life.plan.account_id, sale.lot_id, sale.day)
                side[life.plan.household.household_id] += sale.gain + washed.disallowed.get(key, 0.0)
    copied = (
        "household_id", "name", "advisor_id", "filing_status", "ordinary_rate", "long_term_rate", "state_rate",
        "niit", "gain_budget", "carryforward_short", "carryforward_long",
    )  # fmt: skip
    frame = pd.DataFrame([{name: getattr(house, name) for name in copied} for house in households])
    frame["gain_budget"] = frame["gain_budget"].astype(float)
    frame["realised_short"] = [round(short[x], 2) + 0.0 for x in frame["household_id"]]
    frame["realised_long"] = [round(long[x], 2) + 0.0 for x in frame["household_id"]]
    return frame


def profiles_table(households: list[people.Household], as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the suitability profiles."""
    objectives = ("preserve capital", "income", "balanced growth", "growth", "aggressive growth")
    rows = []
    for house in households:
        age = (as_of - house.birth).days / 365.25
        rows.append(
            {
                "household_id": house.household_id,
                "risk_tolerance": house.risk_tolerance,
                "risk_capacity": house.risk_capacity,
                "horizon_years": float(max(round(90 - age), 3)),
                "objective": objectives[house.risk_tolerance - 1],
                "liquidity_need": house.liquidity_need,
                "knowledge": house.knowledge,
                "sustainability": house.sustainability,
                "reviewed_on": as_of - pd.Timedelta(days=house.reviewed_days_ago),
            }
        )
    return pd.DataFrame(rows)


def substitutes_table(market: Market) -> pd.DataFrame:
    """Return substitutes among the market's securities, for every registration."""
    known = set(market.securities["security_id"])
    rows = []
    for security, others in SUBSTITUTES.items():
        fits = [other for other in others if other in known and security in known]
        rows += [(security, other, rank, list(REGISTRATIONS)) for rank, other in enumerate(fits, start=1)]
    columns = ["security_id", "substitute_id", "rank", "registrations"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"rank": "int64", "security_id": "str", "substitute_id": "str"})
