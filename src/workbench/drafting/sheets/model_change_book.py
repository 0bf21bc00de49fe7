"""What a change of models means for one book: the accounts it reaches, and what stands out among them.

A book is an advisor's accounts, or all of the firm's. Everything here is computed from the results of
`rebalance.model_change` and the firm's tables; the sums over the advisors' books are the firm's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.firm import gain_rates
from workbench.firm.schema import TAXED_REGISTRATIONS
from workbench.rebalance import ModelChangeImpact
from workbench.tax import is_long_term

#: An account is far from its old targets when this part of it, more than the change alone asks for, would trade.
FAR = 0.05
#: Less than half a cent is rounding.
HALF_CENT = 0.005
#: Restrictions that stop a sale; every other stops a purchase or a holding.
SALE_BARS = ("never_sell", "hold_lot")


@dataclass(frozen=True, eq=False)
class ModelChange:
    """One change of models and the rows of the firm that its notices need, on one day.

    `impact` starts from what accounts hold, `alone` from the old targets (`rebalance.model_change`, start "held" and
    "target"). `losses` are those of `tax.wash_state`, `prices` the last closes in dollars by security; the other
    frames are the firm's tables.
    """

    firm: str
    as_of: date
    snapshot: str
    impact: ModelChangeImpact
    alone: ModelChangeImpact
    models: pd.DataFrame
    targets: pd.DataFrame
    sleeves: pd.DataFrame
    securities: pd.DataFrame
    accounts: pd.DataFrame
    households: pd.DataFrame
    advisors: pd.DataFrame
    lots: pd.DataFrame
    prices: pd.Series
    losses: pd.DataFrame

    @cached_property
    def versions(self) -> pd.DataFrame:
        """The models that change: their rows of `impact.models` with name, benchmark and the like before and after."""
        keys = ["name", "benchmark", "effective_date", "status", "approved_by", "rationale"]
        known = self.models[["model_id", "version", *keys]]
        before = known.rename(columns={"version": "version_before", **{key: f"{key}_before" for key in keys}})
        joined = self.impact.models.merge(before, on=["model_id", "version_before"], how="left")
        return joined.merge(known.rename(columns={"version": "version_after"}), on=["model_id", "version_after"])

    @cached_property
    def household_names(self) -> dict[str, str]:
        """How each household is called; those that share a name with another carry their identifier, too."""
        rows = self.households
        shared = rows["name"].duplicated(keep=False)
        called = rows["name"].where(~shared, rows["name"] + " (" + rows["household_id"] + ")")
        return dict(zip(rows["household_id"], called))

    @cached_property
    def security_names(self) -> dict[str, str]:
        """The name of each security."""
        return dict(zip(self.securities["security_id"], self.securities["name"]))

    @cached_property
    def effective(self) -> date:
        """The first day on which one of the new versions takes effect."""
        first: date = self.versions["effective_date"].min().date()
        return first

    @cached_property
    def affected(self) -> pd.DataFrame:
        """Every measured account on a changed model: its row of `impact.accounts` with what else a notice asks of it.

        `turnover_alone` is that of the change alone; `long` and `short` the gain by term in dollars, missing where the
        basis or day of a lot is; `taxed`, `unplaced` (never yet rebalanced to its model), `far`.
        """
        own = self.accounts.set_index("account_id").reindex(self.impact.accounts["account_id"])
        alone = self.alone.accounts.set_index("account_id")["turnover"]
        terms = gains_by_term(self).groupby("account_id")[["long", "short"]].sum()
        frame = self.impact.accounts.merge(terms.reset_index(), on="account_id", how="left")
        frame[["long", "short"]] = frame[["long", "short"]].fillna(0.0)
        frame["turnover_alone"] = frame["account_id"].map(alone).fillna(0.0)
        frame["advisor_id"] = own["advisor_id"].to_numpy()
        frame["taxed"] = own["registration"].isin(TAXED_REGISTRATIONS).to_numpy()
        frame["unplaced"] = own["last_rebalanced_on"].isna().to_numpy()
        frame["far"] = ~frame["unplaced"] & (frame["turnover"] - frame["turnover_alone"] >= FAR)
        return frame


@dataclass(frozen=True, eq=False)
class Book:
    """The part of a change that falls on one book; `advisor` is None for the firm.

    `accounts`, `conflicts` and `unmeasured` are rows of the change. `households` has the sums over the book's accounts
    by household, `budgets` the households that would pass their gain budget (budget, realised, expected, over),
    `washed` the losses taken lately in securities that their household would buy.
    """

    change: ModelChange
    advisor: str | None
    accounts: pd.DataFrame
    conflicts: pd.DataFrame
    unmeasured: pd.DataFrame
    households: pd.DataFrame
    budgets: pd.DataFrame
    budgets_unknown: int
    washed: pd.DataFrame

    def assets(self, account_ids: pd.Series) -> float:
        """Dollars in those of the book's accounts that are named."""
        return float(self.accounts.loc[self.accounts["account_id"].isin(account_ids), "value"].sum())


def book(change: ModelChange, advisor: str | None = None) -> Book:
    """Return what falls on one advisor's accounts, or on all. Raises `ParameterError` for an unknown advisor."""
    known = change.advisors["advisor_id"]
    if advisor is not None and advisor not in set(known):
        raise ParameterError(f"advisor {advisor!r} is not one of {', '.join(known)}", "advisor")
    accounts = change.affected
    owner = change.accounts.set_index("account_id")["advisor_id"]
    unmeasured = change.impact.unmeasured
    if advisor is not None:
        accounts = accounts[accounts["advisor_id"] == advisor]
        unmeasured = unmeasured[(unmeasured["account_id"].map(owner) == advisor).to_numpy()]
    accounts = accounts.reset_index(drop=True)
    mine = accounts["account_id"]
    conflicts = change.impact.conflicts
    budgets, unknown = _budgets(change, accounts)
    return Book(
        change=change,
        advisor=advisor,
        accounts=accounts,
        conflicts=conflicts[conflicts["account_id"].isin(mine)].reset_index(drop=True),
        unmeasured=unmeasured.reset_index(drop=True),
        households=_households(accounts),
        budgets=budgets,
        budgets_unknown=unknown,
        washed=_washed(change, accounts),
    )


def gains_by_term(change: ModelChange) -> pd.DataFrame:
    """Return each taxed sale's gain in dollars, `long` and `short`, by account and security: least-taxed lots first.

    Terms are those of a sale on the day of the change's figures. A lot without cost or day counts in neither.
    """
    keys = ["account_id", "security_id"]
    own = change.accounts[change.accounts["registration"].isin(TAXED_REGISTRATIONS)]
    sales = change.impact.trades
    sales = sales[(sales["side"] == "sell") & (sales["amount"] > 0) & sales["account_id"].isin(own["account_id"])]
    lots = change.lots.merge(sales[[*keys, "amount"]], on=keys)
    short, long = gain_rates(change.households)
    rates = pd.DataFrame({"short": short, "long": long}, index=pd.Index(change.households["household_id"]))
    rates = rates.reindex(lots["account_id"].map(own.set_index("account_id")["household_id"]))
    price = lots["security_id"].map(change.prices)
    gain = price - lots["cost_per_share"] - lots["wash_adjustment"].fillna(0.0) / lots["quantity"]
    is_long = is_long_term(lots["holding_start"], pd.Timestamp(change.as_of))
    gain = gain.mask(lots["holding_start"].isna())
    tax = gain * np.where(is_long, rates["long"].to_numpy(), rates["short"].to_numpy())
    order = lots.assign(gain=gain, tax=tax, is_long=is_long, shares=lots["amount"] / price)
    order = order.sort_values([*keys, "tax"], kind="stable", na_position="last")
    before = order.groupby(keys)["quantity"].cumsum() - order["quantity"]
    taken = (order["shares"] - before).clip(lower=0.0, upper=order["quantity"])
    worth = (taken * order["gain"]).fillna(0.0)
    split = order[keys].assign(long=worth.where(order["is_long"], 0.0), short=worth.where(~order["is_long"], 0.0))
    return split.groupby(keys, as_index=False)[["long", "short"]].sum()


def _households(accounts: pd.DataFrame) -> pd.DataFrame:
    """Sums by household, those with most dollars to trade first."""
    sums = accounts.groupby("household_id", as_index=False).agg(
        accounts=("account_id", "size"), value=("value", "sum"), bought=("bought", "sum"), sold=("sold", "sum"),
        gain=("gain", "sum"), tax=("tax", "sum"),
    )  # fmt: skip
    sums["traded"] = sums["bought"] + sums["sold"]
    return sums.sort_values(["traded", "household_id"], ascending=[False, True], ignore_index=True)


def _budgets(change: ModelChange, accounts: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Households whose gains would pass their budget, over all of their accounts, and how many cannot be told.

    A budget is for a year: where the change takes effect in a later one, this year's gains do not count against it.
    """
    whole = change.affected.groupby("household_id")["gain"].sum()
    rows = change.households[change.households["household_id"].isin(accounts["household_id"])]
    rows = rows[rows["gain_budget"].notna()]
    same_year = change.effective.year == change.as_of.year
    realised = rows["realised_short"] + rows["realised_long"] if same_year else rows["gain_budget"] * 0.0
    frame = pd.DataFrame(
        {
            "household_id": rows["household_id"],
            "budget": rows["gain_budget"],
            "realised": realised,
            "expected": rows["household_id"].map(whole).astype(float).fillna(0.0),
        }
    )
    frame["over"] = frame["realised"] + frame["expected"] - frame["budget"]
    passed = frame[(frame["expected"] > HALF_CENT) & (frame["over"] > HALF_CENT)]
    passed = passed.sort_values(["over", "household_id"], ascending=[False, True], ignore_index=True)
    return passed, int(frame["realised"].isna().sum())


def _washed(change: ModelChange, accounts: pd.DataFrame) -> pd.DataFrame:
    """Losses whose window is still open on the first effective day, in securities that the household would buy."""
    buys = change.impact.trades
    buys = buys[(buys["side"] == "buy") & (buys["amount"] > 0) & buys["account_id"].isin(accounts["account_id"])]
    home = accounts.set_index("account_id")["household_id"]
    bought = buys.assign(household_id=buys["account_id"].map(home))
    bought = bought.groupby(["household_id", "security_id"], as_index=False)["amount"].sum()
    losses = change.losses
    losses = losses[losses["last_day"] >= pd.Timestamp(max(change.effective, change.as_of))]
    open_ = losses.groupby(["household_id", "security_id"], as_index=False).agg(
        loss=("loss", "sum"), last_day=("last_day", "max")
    )
    found = open_.merge(bought, on=["household_id", "security_id"])
    return found.sort_values(["loss", "household_id", "security_id"], ascending=[False, True, True], ignore_index=True)
