"""The record a copilot reads: a firm's tables and analytics, each made when first needed, then kept."""

from __future__ import annotations

from functools import cached_property

import pandas as pd

from workbench import drift, rebalance, tax
from workbench.exhibits import performance_review
from workbench.firm import CASH, Firm, models_in_force, positions_at
from workbench.rebalance.version_change.impact import ModelChangeImpact


class Record:
    """One firm, read only; proposals are made household by household and kept."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self._proposals: dict[str, rebalance.Proposal] = {}

    @property
    def as_of(self) -> pd.Timestamp:
        """The day the record speaks of."""
        return self.firm.as_of

    @property
    def day(self) -> str:
        """The same day as ISO text."""
        return str(self.firm.as_of.date())

    @cached_property
    def households(self) -> pd.DataFrame:
        """The table of households by identifier."""
        return self.firm.table("households").set_index("household_id", drop=False)

    @cached_property
    def accounts(self) -> pd.DataFrame:
        """The table of accounts by identifier."""
        return self.firm.table("accounts").set_index("account_id", drop=False)

    @cached_property
    def securities(self) -> pd.DataFrame:
        """The table of securities by identifier."""
        return self.firm.table("securities").set_index("security_id", drop=False)

    @cached_property
    def sleeves(self) -> pd.DataFrame:
        """The table of sleeves by identifier."""
        return self.firm.table("sleeves").set_index("sleeve_id", drop=False)

    @cached_property
    def advisors(self) -> pd.DataFrame:
        """The table of advisors by identifier."""
        return self.firm.table("advisors").set_index("advisor_id", drop=False)

    @cached_property
    def custodians(self) -> pd.DataFrame:
        """The table of custodians by identifier."""
        return self.firm.table("custodians").set_index("custodian_id", drop=False)

    @cached_property
    def models(self) -> pd.DataFrame:
        """Every version of every model."""
        return self.firm.table("models")

    @cached_property
    def in_force(self) -> dict[str, int]:
        """The version of each model that is in force."""
        frame = models_in_force(self.models, self.as_of)
        return {str(row.model_id): int(row.version) for row in frame.itertuples()}

    @cached_property
    def targets(self) -> pd.DataFrame:
        """Targets of every version of every model."""
        return self.firm.table("model_targets")

    @cached_property
    def notes(self) -> pd.DataFrame:
        """Notes on file up to the day, newest first."""
        table = self.firm.table("client_notes")
        table = table[table["written_on"] <= self.as_of]
        return table.sort_values(["written_on", "note_id"], ascending=[False, True])

    @cached_property
    def restrictions(self) -> pd.DataFrame:
        """Restrictions in force on the day."""
        table = self.firm.table("restrictions")
        return table[table["expires_on"].isna() | (table["expires_on"] >= self.as_of)].sort_values("restriction_id")

    @cached_property
    def holdings(self) -> pd.DataFrame:
        """What each account holds at the last close: account_id, household_id, security_id, quantity, price, value."""
        held = self.firm.table("positions")
        market = self.book.market
        price = pd.Series(market.price, index=list(market.ids))
        held = held.assign(price=held["security_id"].map(price).astype(float))
        held["value"] = held["quantity"] * held["price"]
        held["household_id"] = held["account_id"].map(self.accounts["household_id"])
        return held

    @cached_property
    def book(self) -> rebalance.Book:
        """Every household as arrays."""
        return rebalance.load(self.firm)

    @cached_property
    def review(self) -> drift.Review:
        """Drift of every account and its causes."""
        return drift.review(self.firm)

    @cached_property
    def performance(self) -> performance_review.PerformanceReview:
        """Returns of accounts, models and benchmarks since the record began."""
        return performance_review.measure(self.firm)

    @cached_property
    def change(self) -> ModelChangeImpact:
        """What the coming versions of the models would do to the firm. Raises `ParameterError` where none comes."""
        return rebalance.model_change(self.firm)

    @cached_property
    def lots(self) -> pd.DataFrame:
        """Open lots with price and gain: `basis` is dollars a share, wash adjustment included; see `known`."""
        lots = self.firm.table("lots").copy()
        market = self.book.market
        lots["price"] = lots["security_id"].map(pd.Series(market.price, index=list(market.ids))).astype(float)
        lots["basis"] = lots["cost_per_share"] + lots["wash_adjustment"] / lots["quantity"]
        lots["known"] = lots["covered"] | (lots["cost_per_share"] > 0)
        lots["gain"] = lots["quantity"] * (lots["price"] - lots["basis"])
        return lots

    @cached_property
    def distributions(self) -> tax.RequiredDistributions:
        """Required distributions of this year and what of them was taken."""
        owners = self.firm.table("accounts")
        born = owners["owner_birth_date"]
        # Before 70 nobody owes one (IRC 401(a)(9)(C)); their balances need not be looked up.
        owners = owners[
            owners["registration"].isin(["traditional_ira", "401k", "inherited_ira"])
            & (born.isna() | (self.as_of.year - born.dt.year >= 70))
        ]
        paid = self.firm.table("transactions")
        paid = paid[(paid["kind"] == "withdrawal") & paid["account_id"].isin(owners["account_id"])]
        withdrawals = paid[["account_id", "trade_date"]].assign(amount=paid["amount"].abs())
        balances = pd.concat([self._year_end(owners, year) for year in (self.as_of.year - 1, self.as_of.year)])
        return tax.required_distributions(owners, balances, withdrawals, self.as_of)

    def _year_end(self, owners: pd.DataFrame, year: int) -> pd.DataFrame:
        """Value of each account on 31 December before a year."""
        day = pd.Timestamp(year - 1, 12, 31)
        prices = self.firm.table("prices", ["date", "security_id", "close"])
        last = prices[prices["date"] <= day].sort_values("date").drop_duplicates("security_id", keep="last")
        price = last.set_index("security_id")["close"].to_dict() | {CASH: 1.0}
        held = positions_at(self.firm, day)
        worth = held["quantity"] * held["security_id"].map(price).astype(float)
        balance = worth.groupby(held["account_id"]).sum(min_count=1).reindex(owners["account_id"], fill_value=0.0)
        return pd.DataFrame({"account_id": balance.index, "year": year, "balance": balance.to_numpy()})

    def accounts_of(self, household: str) -> list[str]:
        """Return a household's accounts."""
        table = self.accounts
        return sorted(map(str, table.index[table["household_id"] == household]))

    def proposal(self, household: str) -> rebalance.Proposal:
        """Return what is proposed for a household. Raises `ParameterError` for one without accounts."""
        if household not in self._proposals:
            self._proposals[household] = rebalance.propose(self.book.find(household))
        return self._proposals[household]
