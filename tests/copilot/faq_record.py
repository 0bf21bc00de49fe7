"""The demo firm's tables, read plainly with pandas, and what several oracles of the FAQ set take from them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import pandas as pd

from workbench import rebalance
from workbench.exhibits import performance_review
from workbench.firm import Firm, open_at

LEVELS = {"security": "security_id", "sector": "sector", "asset_class": "asset_class", "region": "region"}


@dataclass(eq=False)
class Record:
    """A firm's tables, and what several oracles take from them."""

    firm: Firm
    _tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def table(self, name: str) -> pd.DataFrame:
        if name not in self._tables:
            self._tables[name] = self.firm.table(name)
        return self._tables[name]

    @functools.cached_property
    def today(self) -> pd.Timestamp:
        return pd.Timestamp(self.firm.as_of)

    @functools.cached_property
    def close(self) -> pd.Series:
        """Last close by security; cash is 1."""
        return self.closes(self.today)

    def closes(self, day: pd.Timestamp) -> pd.Series:
        prices = self.table("prices")
        known = prices[prices["date"] <= day].sort_values("date").groupby("security_id")["close"].last()
        known["CASH"] = 1.0
        return known

    @functools.cached_property
    def holdings(self) -> pd.DataFrame:
        """One row a position: quantity, dollars, weight in its account, and what it is."""
        held = self.table("positions").merge(self.table("securities"), on="security_id")
        held["dollars"] = held["quantity"] * held["security_id"].map(self.close)
        held["weight"] = held["dollars"] / held.groupby("account_id")["dollars"].transform("sum")
        return held

    @functools.cached_property
    def accounts(self) -> pd.DataFrame:
        return self.table("accounts").set_index("account_id", drop=False)

    @functools.cached_property
    def households(self) -> pd.DataFrame:
        return self.table("households").set_index("household_id", drop=False)

    def accounts_of(self, household: str) -> list[str]:
        return sorted(self.accounts.index[self.accounts["household_id"] == household])

    def in_force(self, model: str) -> int:
        versions = self.table("models")
        mine = versions[(versions["model_id"] == model) & (versions["status"] != "draft")]
        return int(mine[mine["effective_date"] <= self.today].sort_values("effective_date")["version"].iloc[-1])

    def draft(self, model: str) -> int:
        versions = self.table("models")
        return int(versions[(versions["model_id"] == model) & (versions["status"] == "draft")]["version"].iloc[-1])

    def targets(self, model: str, version: int, level: str) -> pd.Series:
        """Target by key of a level."""
        rows = self.table("model_targets")
        rows = rows[(rows["model_id"] == model) & (rows["version"] == version)]
        if level == "sleeve":
            names = self.table("sleeves").set_index("sleeve_id")["name"]
            return rows.groupby(rows["sleeve_id"].map(names))["target"].sum()
        return rows.merge(self.table("securities"), on="security_id").groupby(LEVELS[level])["target"].sum()

    def weights(self, account: str, level: str) -> pd.Series:
        """Weight by key; a security of several sleeves is shared in proportion to its targets there."""
        mine = self.holdings[self.holdings["account_id"] == account]
        if level != "sleeve":
            return mine.groupby(LEVELS[level])["weight"].sum()
        model = self.accounts.loc[account, "model_id"]
        rows = self.table("model_targets")
        rows = rows[(rows["model_id"] == model) & (rows["version"] == self.in_force(model))]
        shares = rows.assign(share=rows["target"] / rows.groupby("security_id")["target"].transform("sum"))
        names = self.table("sleeves").set_index("sleeve_id")["name"]
        split = mine.merge(shares, on="security_id", how="left")
        part = split["weight"] * split["share"].fillna(1.0)
        return part.groupby(split["sleeve_id"].map(names).fillna("Off model")).sum()

    def deviations(self, account: str, level: str) -> pd.DataFrame:
        """Weight, target and their difference by key."""
        model = self.accounts.loc[account, "model_id"]
        frame = pd.DataFrame(
            {"weight": self.weights(account, level), "target": self.targets(model, self.in_force(model), level)}
        ).fillna(0.0)
        return frame.assign(deviation=frame["weight"] - frame["target"])

    def value(self, account: str) -> float:
        return float(self.holdings.loc[self.holdings["account_id"] == account, "dollars"].sum())

    def lots(self, account: str, security: str) -> pd.DataFrame:
        """Open lots with gain a share, and whether they are long-term on the as-of date."""
        rows = self.table("lots")
        rows = rows[(rows["account_id"] == account) & (rows["security_id"] == security)].copy()
        rows["basis"] = rows["cost_per_share"] + rows["wash_adjustment"] / rows["quantity"]
        rows["gain"] = self.close[security] - rows["basis"]
        # Long-term is more than a year: sold after the same day of the next year (IRC 1222).
        rows["long"] = rows["holding_start"] + pd.DateOffset(years=1) <= self.today
        return rows

    @functools.cached_property
    def proposals(self) -> dict[str, rebalance.Proposal]:
        made = rebalance.propose_firm(rebalance.load(self.firm), rebalance.Settings())
        return {one.household_id: one for one in made}

    @functools.cached_property
    def performance(self) -> performance_review.PerformanceReview:
        return performance_review.measure(self.firm)

    def name(self, security: str) -> str:
        """A security's name as people say it: without its legal form."""
        words = str(self.table("securities").set_index("security_id")["name"][security]).split()
        while words[-1] in ("Inc.", "Corp.", "Co.", "&", "and", "(simulated)", "ETF"):
            words.pop()
        return "cash" if security == "CASH" else " ".join(words)


@functools.cache
def demo_record() -> Record:
    """The demo firm's record, opened once."""
    return Record(open_at("demo", None))
