"""What a reconciliation says: findings with a severity, the rows behind them, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from workbench.errors import ParameterError
from workbench.firm.schema import TABLES

#: From the worst: reject (no figure of the firm can be trusted), severe (figures of the rows named are wrong),
#: warning (a person should look before acting on them), info (good to know).
SEVERITIES = ("reject", "severe", "warning", "info")


@dataclass(frozen=True, eq=False)
class Finding:
    """One check's verdict at one severity.

    `rows` holds the failing rows with the figures compared; `money` is the amount in doubt in account
    currency (None where money is not the measure); `detail` says in one sentence what was found, `remedy`
    what to do.
    """

    check: str
    severity: str
    table: str
    title: str
    detail: str
    remedy: str
    rows: pd.DataFrame
    money: float | None = None

    @property
    def count(self) -> int:
        """How many rows fail."""
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Findings:
    """Every finding of one snapshot, the worst first and, within a severity, the most money first.

    `checks` names all checks that were asked, so that silence can be told from not having looked.
    """

    as_of: pd.Timestamp
    items: tuple[Finding, ...]
    checks: tuple[str, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def of(self, check: str) -> tuple[Finding, ...]:
        """The findings of one check; raises `ParameterError` for a check that does not exist."""
        if check not in self.checks:
            raise ParameterError(f"no check {check!r}; there are {', '.join(self.checks)}", "check")
        return tuple(item for item in self.items if item.check == check)

    @property
    def reject(self) -> bool:
        """Whether the snapshot should not be used at all."""
        return any(item.severity == "reject" for item in self.items)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity, the worst first; zeros included."""
        return {severity: sum(item.severity == severity for item in self.items) for severity in SEVERITIES}

    def to_frame(self) -> pd.DataFrame:
        """One row a finding: check, severity, table, rows, money, title, detail, remedy."""
        columns = ["check", "severity", "table", "rows", "money", "title", "detail", "remedy"]
        lines = [(f.check, f.severity, f.table, f.count, f.money, f.title, f.detail, f.remedy) for f in self.items]
        frame = pd.DataFrame(lines, columns=columns)
        return frame.astype({"rows": "int64", "money": "float64"})


@dataclass(frozen=True, eq=False)
class Book:
    """The tables under reconciliation, with the derived frames that several checks read.

    `sessions` are the trading days that prices should cover. Tables that are absent read as empty.
    """

    tables: Mapping[str, pd.DataFrame]
    as_of: pd.Timestamp
    sessions: pd.DatetimeIndex
    _held: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    def table(self, name: str) -> pd.DataFrame:
        """A table by name; an absent one has its columns and no rows."""
        if name in self.tables:
            return self.tables[name]
        return pd.DataFrame({column: pd.Series(dtype=object) for column in TABLES[name].columns})

    @property
    def last_session(self) -> pd.Timestamp:
        """The last trading day up to the as-of date: the day holdings are priced on."""
        return self.sessions[self.sessions.searchsorted(self.as_of, side="right") - 1]

    def closes(self, on: pd.Timestamp) -> pd.Series:
        """Each security's last raw close up to `on`, by security_id."""
        prices = self.table("prices")
        known = prices.loc[prices["date"] <= on, ["date", "security_id", "close"]].sort_values("date")
        return known.groupby("security_id", observed=True)["close"].last()

    def holdings(self) -> pd.DataFrame:
        """Positions with their close and value at the as-of date; close is missing where there is none."""
        if "holdings" not in self._held:
            frame = self.table("positions")[["account_id", "security_id", "quantity"]].copy()
            frame["close"] = frame["security_id"].map(self.closes(self.as_of)).astype("float64")
            frame["value"] = frame["quantity"] * frame["close"]
            self._held["holdings"] = frame
        return self._held["holdings"]


def ranked(items: Sequence[Finding]) -> tuple[Finding, ...]:
    """Sort findings by severity, then by money in doubt, then by the number of rows; ties by name."""
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    return tuple(sorted(items, key=lambda f: (order[f.severity], -(f.money or 0.0), -f.count, f.check)))


def whole_sums(frame: pd.DataFrame, by: str, column: str) -> pd.Series:
    """Sum `column` for each value of `by`; missing where any part is, for a part is not the whole."""
    return frame.groupby(by, sort=False, observed=True)[column].sum(skipna=False)


def listed(names: Sequence[object], shown: int = 3) -> str:
    """Names for a sentence: the first few, and how many more there are; unprintable characters are escaped."""
    unique = list(dict.fromkeys("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(n)) for n in names))
    more = f" and {len(unique) - shown:,} more" if len(unique) > shown else ""
    return ", ".join(unique[:shown]) + more


def plural(count: int, noun: str, several: str | None = None) -> str:
    """A count with its noun: "1 account", "2,000 accounts"."""
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"
