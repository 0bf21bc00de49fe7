"""How far a household's own assets have fallen, flows taken out: what the client has seen, whatever is held now."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from workbench import performance
from workbench.errors import ParameterError
from workbench.firm import Firm
from workbench.performance import DailyHoldings
from workbench.risk.load import YEARS_BACK

#: A year of sessions, over which the highest value counts.
WINDOW = 252


def drawdown_of_value(ledgers: Iterable[DailyHoldings], households: pd.Series, *, window: int = WINDOW) -> pd.DataFrame:
    """How far each household's assets stand below their highest of `window` sessions, flows taken out.

    The frame is date by household_id, fractions of the highest value. `ledgers` are those of different accounts over
    the same sessions, one or many; `households` gives the household_id of each account_id. Returns are those of all
    accounts of a household together, after fees, flows at the close; a period without money to earn on counts as none,
    and a household that has never held anything by a day is missing there. Raises `ParameterError` for a window below
    1, an account without household, or ledgers of different sessions.
    """
    if window < 1:
        raise ParameterError(f"window is {window}; give 1 session or more", "window")
    ids = pd.Index(sorted(households.unique()), name="household_id")
    sessions: pd.DatetimeIndex | None = None
    value = flow = np.zeros((len(ids), 0))
    for ledger in ledgers:
        owner = ids.get_indexer(ledger.account_ids.map(households))
        if (owner < 0).any():
            raise ParameterError(f"account {ledger.account_ids[owner < 0][0]} has no household", "households")
        if sessions is None:
            sessions = ledger.sessions
            value, flow = np.zeros((len(ids), len(sessions))), np.zeros((len(ids), len(sessions) - 1))
        elif not sessions.equals(ledger.sessions):
            raise ParameterError("the ledgers are of different sessions; load them from one start", "ledgers")
        np.add.at(value, owner, ledger.account_value)
        np.add.at(flow, owner, ledger.flow)
    if sessions is None:
        return pd.DataFrame(columns=ids, dtype="float64")
    begin = value[:, :-1]
    growth = np.divide(value[:, 1:] - flow, begin, out=np.ones_like(begin), where=begin > 0)
    unit = np.concatenate([np.ones((len(ids), 1)), np.cumprod(growth, axis=1)], axis=1)
    highest = pd.DataFrame(unit.T).rolling(window + 1, min_periods=1).max().to_numpy().T
    fall = np.divide(highest - unit, highest, out=np.ones_like(unit), where=highest > 0)
    held = np.maximum.accumulate(value > 0, axis=1)
    return pd.DataFrame(np.where(held, fall, np.nan).T, index=sessions, columns=ids)


def load_drawdown(firm: Firm, *, years: int = YEARS_BACK) -> pd.DataFrame:
    """`drawdown_of_value` of all accounts of the firm over `years`, or as long as it has prices; a chunk at a time.

    Empty where there are fewer than two sessions.
    """
    accounts = firm.table("accounts", ["account_id", "household_id"]).set_index("account_id")["household_id"]
    dates = firm.table("prices", ["date"])["date"]
    dates = dates[dates <= firm.as_of]
    if dates.nunique() < 2 or accounts.empty:
        return pd.DataFrame(columns=pd.Index(sorted(accounts.unique()), name="household_id"), dtype="float64")
    start = max(dates.min(), firm.as_of - pd.DateOffset(years=years))
    return drawdown_of_value(performance.chunks(firm, start=start), accounts)
