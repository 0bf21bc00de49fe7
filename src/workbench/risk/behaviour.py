"""What transactions show of habits: facts with their chance, for an advisor to know. Never a diagnosis of a person.

Two kinds of decision are kept apart. An advisor's: trades booked as `manual` in discretionary accounts. A client's:
trades booked as `client`, and manual ones in accounts that are not discretionary, where the client had to agree.

Everything tested is counted, and what is said passes Benjamini and Hochberg's false discovery rate over all tests of
advisors, or over all of households: a rate that held over both together would not hold for either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.firm import Firm
from workbench.risk.chance import false_discovery
from workbench.risk.habits import favourites, idle_cash, no_rebalance, overrides
from workbench.risk.limits import Limits, load_limits
from workbench.risk.patterns import LEVELS, Pattern, SubjectLevel
from workbench.risk.timing import Market, timed
from workbench.risk.watched import Watched


@dataclass(frozen=True, eq=False)
class Behaviour:
    """All patterns looked for, those that are said first; `tests` counts the tests by level (advisor, household).

    `first` and `last` bound the transactions looked at, `limits` are the thresholds used; with a `reason` nothing could
    be looked at.
    """

    patterns: tuple[Pattern, ...]
    tests: Mapping[SubjectLevel, int]
    first: pd.Timestamp
    last: pd.Timestamp
    limits: Limits
    reason: str = ""

    @property
    def said(self) -> tuple[Pattern, ...]:
        """Those that may be said."""
        return tuple(pattern for pattern in self.patterns if pattern.said)

    def to_frame(self) -> pd.DataFrame:
        """One row a pattern, in the fields of `Pattern`."""
        return pd.DataFrame([vars(pattern) for pattern in self.patterns], columns=list(Pattern.__dataclass_fields__))


def load_trades(firm: Firm) -> pd.DataFrame:
    """Purchases, sales, deposits and withdrawals of the firm: what `find_patterns` reads.

    Columns: account_id, security_id, trade_date, kind, amount (dollars, signed as booked), origin.
    """
    columns = ["account_id", "security_id", "trade_date", "kind", "amount", "origin"]
    rows = firm.table("transactions", columns)
    return rows[rows["kind"].isin(["buy", "sell", "deposit", "withdrawal"])].reset_index(drop=True)


def find_patterns(watched: Watched, trades: pd.DataFrame, limits: Limits | None = None) -> Behaviour:
    """Look for habits of each advisor and of each household's clients in `trades`.

    Windows, minimum sizes and counts are those of `warnings.yml`. Without transactions or prices in the period the
    result says so and holds no pattern.
    """
    limits = limits or load_limits()
    setting = {id: limit.value for id, limit in limits.behaviour.items()}
    first = int(
        watched.sessions.searchsorted(watched.as_of - pd.DateOffset(days=round(365.25 * setting["history_years"])))
    )
    first = max(first, int(setting["window"]))
    start, end = watched.sessions[min(first, watched.last)], watched.as_of
    rows = _coded(watched, trades, first)
    if first > watched.last or rows.empty:
        reason = "no transaction" if first <= watched.last else "too few sessions of prices"
        return Behaviour((), dict.fromkeys(LEVELS, 0), start, end, limits, f"{reason} in the period looked at")
    market = Market.of(watched, first, setting)
    found = [
        *timed(watched, rows, market, setting, "sell", "sold_after_falls"),
        *timed(watched, rows, market, setting, "buy", "bought_after_rises"),
        *overrides(watched, rows, first, setting),
        *favourites(watched, rows, setting),
        *no_rebalance(watched, rows, first, setting),
        *idle_cash(watched, rows, setting),
    ]
    of_level = {level: [pattern for pattern in found if pattern.level == level] for level in LEVELS}
    tested = [pattern for patterns in of_level.values() for pattern in _discoveries(patterns, setting)]
    tests = {level: sum(p.p_value is not None for p in patterns) for level, patterns in of_level.items()}
    tested.sort(key=lambda pattern: (not pattern.said, pattern.level, pattern.subject, pattern.kind))
    return Behaviour(tuple(tested), tests, start, end, limits)


def _coded(watched: Watched, trades: pd.DataFrame, first: int) -> pd.DataFrame:
    """Trades of the period with their account, security and session as positions, and who decided."""
    accounts = watched.accounts
    session = np.minimum(watched.sessions.searchsorted(trades["trade_date"], side="left"), watched.last)
    rows = trades.assign(
        account=pd.Index(accounts["account_id"]).get_indexer(trades["account_id"]),
        security=pd.Index(watched.securities["security_id"]).get_indexer(trades["security_id"]),
        session=session,
    )
    rows = rows[(rows["account"] >= 0) & (rows["session"] >= first) & (trades["trade_date"] <= watched.as_of)]
    account = rows["account"].to_numpy()
    discretionary = accounts["discretionary"].to_numpy(bool)[account]
    manual, client = (rows["origin"] == "manual").to_numpy(), (rows["origin"] == "client").to_numpy()
    decided = np.select([manual & discretionary, client | manual], ["advisor", "client"], default="")
    household = accounts["household_id"].to_numpy()[account]
    advisor = accounts["advisor_id"].to_numpy()[account]
    return rows.assign(
        decided_by=decided,
        subject=np.where(decided == "advisor", advisor, household),
        household_id=household,
        advisor_id=advisor,
        discretionary=discretionary,
        dollars=rows["amount"].abs(),
    )


def _discoveries(found: list[Pattern], setting: Mapping[str, float]) -> list[Pattern]:
    """Adjust the p-values of everything tested, and say what passes with enough days behind it."""
    tested = [pattern.p_value is not None for pattern in found]
    adjusted = iter(false_discovery(np.array([p.p_value for p in found if p.p_value is not None], np.float64)))
    result = []
    for pattern, was_tested in zip(found, tested, strict=True):
        if was_tested:
            q_value = float(next(adjusted))
            enough = len(pattern.days) >= setting["least_count"]
            enough &= pattern.episodes is None or pattern.episodes >= setting["least_episodes"]
            pattern = replace(pattern, q_value=q_value, said=bool(enough and q_value <= setting["false_discovery"]))
        result.append(pattern)
    return result
