"""What the drift chapter, the memo and the index say alike: firm-wide figures, and why one of them is not known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.drift import Review
from workbench.errors import ParameterError
from workbench.exhibits.origin import Origin
from workbench.report import Exhibit, Fact, ProseBody
from workbench.report import format as fmt
from workbench.report.exhibit import Run

#: What every figure of drift rests on, for its settings line.
BASIS = "market value at the close, targets of the versions in force"
TABLES = ["positions", "prices", "model_targets", "tolerances"]
#: The levels that weights of the firm and causes are shown at.
LEVELS = ("sector", "asset_class", "region", "sleeve")
#: Securities or keys named in a sentence; more are counted.
_NAMED = 3
#: Smaller amounts are no trade.
_CENT = 0.01
#: How a figure about the whole firm is shown.
_KINDS = {
    "accounts": "count",
    "value": "usd",
    "out_of_band": "count",
    "share_out": "percent",
    "value_share_out": "percent",
    "active_share": "percent",
    "tracking_error": "percent",
    "breaches": "count",
    "turnover_to_correct": "usd",
    "cost_to_correct": "usd",
    "tax_to_correct": "usd",
    "tax_unknown": "count",
}


def firm_facts(review: Review, origin: Origin) -> dict[str, Fact]:
    """The firm-wide figures, by their short name; what is not known is not there.

    Without a measured account only `accounts` and `not_measured` are.
    """
    firm = review.aggregate.firm
    unknown = {name for name in _KINDS if firm[name] != firm[name]}
    if review.ranking.empty:
        unknown = set(_KINDS) - {"accounts"}
    elif firm["tax_unknown"] == firm["accounts"]:
        unknown.add("tax_to_correct")  # a sum of nothing known is not zero
    facts = {
        name: origin.fact(
            f"drift.firm.{name}",
            int(firm[name]) if kind == "count" else firm[name],
            kind,
            "drift.aggregate",
            [*TABLES, "lots"],
        )
        for name, kind in _KINDS.items()
        if name not in unknown
    }
    not_measured = len(review.drift.no_data)
    tables = ["accounts", "positions", "prices", "models"]
    return facts | {"not_measured": origin.fact("drift.firm.not_measured", not_measured, "count", "drift.load", tables)}


def firm_wide(review: Review, level: str) -> pd.DataFrame:
    """Value-weighted weight, target and deviation of each key over all models, the largest target first.

    Missing for a key where a model's is missing, as an exposure is that includes a security without one.
    """
    if review.ranking.empty:
        return pd.DataFrame(columns=["key", "weight", "target", "deviation"])
    by_key = review.aggregate.by_key
    rows = by_key[by_key["level"] == level]
    value = rows["model_id"].map(review.aggregate.models.set_index("model_id")["value"])
    share = value / review.aggregate.firm["value"]
    shares = pd.DataFrame({"key": rows["key"], "weight": rows["weight"] * share, "target": rows["target"] * share})
    frame = shares.groupby("key", sort=False).sum(skipna=False).reset_index()
    frame["deviation"] = frame["weight"] - frame["target"]
    return frame.sort_values(["target", "key"], ascending=[False, True], ignore_index=True)


def netted(review: Review) -> pd.DataFrame:
    """Dollars to buy and sell of each security over all accounts, days to trade the net, tax of the sales.

    Cash and what stands on its target are left out; the tax is missing where one account's is.
    """
    rows, securities = review.drift.rows, review.drift.inputs.securities
    frame = pd.DataFrame(
        {"security": rows.security, "amount": -rows.deviation * review.drift.value[rows.account], "tax": rows.tax}
    )
    frame = frame[~securities.is_cash[frame["security"]] & (frame["amount"].abs() >= _CENT)]
    grouped = frame.assign(buy=frame["amount"].clip(lower=0), sell=-frame["amount"].clip(upper=0)).groupby("security")
    total = grouped[["buy", "sell", "tax"]].sum(skipna=False)
    total["net"] = total["buy"] - total["sell"]
    shares = total["net"].abs() / securities.price[total.index]
    total["days"] = shares / (review.drift.participation * securities.adv[total.index])
    total.insert(0, "name", [securities.ids[position] for position in total.index])
    total = total.reset_index(drop=True).rename(columns={"name": "security"})
    return total.sort_values(["net"], key=lambda net: -net.abs(), ignore_index=True, kind="stable")


def tax_to_correct(facts: dict[str, Fact]) -> tuple[Run, ...]:
    """The tax of correcting everything as a clause to follow "would": what it costs or saves, or that it is unknown."""
    if "tax_to_correct" not in facts:
        return ("take a tax that is not known, for lots are missing",)
    tax = facts["tax_to_correct"]
    told: tuple[Run, ...] = ("cost ", tax.ref(), " of tax")
    if float(tax.value) < 0.5:
        told = ("cost no tax",)
    if float(tax.value) <= -0.5:
        told = ("realise losses worth ", tax.ref(fmt.usd(-float(tax.value))), " of tax")
    unknown = int(facts["tax_unknown"].value)
    if not unknown:
        return told
    return (*told, ", without ", facts["tax_unknown"].ref(), f" {noun(unknown, 'account')} whose lots are incomplete")


def no_tracking_error(review: Review) -> str:
    """Why a tracking error is missing."""
    if review.risk is None:
        return "too few sessions of prices in the risk window"
    return f"no full price history of {listed(review.not_covered)}" if review.not_covered else "not known"


def without_bands(review: Review) -> int:
    """How many measured accounts are on a model without a single band: these can never be out of tolerance."""
    inputs = review.drift.inputs
    banded = np.zeros(len(inputs.model_ids), dtype=bool)
    for level in inputs.levels.values():
        banded |= (np.isfinite(level.upper) | np.isfinite(level.lower)).any(axis=1)
    return int((~banded[inputs.model]).sum())


def absent(id: str, title: str, why: str = "No account was measured.") -> Exhibit:
    """What stands in the place of an exhibit that has nothing to show."""
    return Exhibit(id, title, ProseBody((why,)))


def check_level(level: str) -> None:
    """Raise `ParameterError` for a level that weights and causes are not shown at."""
    if level not in LEVELS:
        raise ParameterError(f"level {level!r} cannot be shown; choose one of {', '.join(LEVELS)}", "level")


def display_names(names: pd.Series) -> pd.Series:
    """Names of models by model_id, told apart by their id where two models share one."""
    twice = names.duplicated(keep=False)
    return names.where(~twice, names + " (" + names.index.astype(str) + ")")


def noun(count: float, one: str, several: str | None = None) -> str:
    """The noun to follow a count: "account" after 1, "accounts" else."""
    return one if count == 1 else several or f"{one}s"


def plural(count: float, one: str, several: str | None = None) -> str:
    """A count with its noun: "1 account", "2,000 accounts"."""
    return f"{fmt.count(count)} {noun(count, one, several)}"


def listed(names: tuple[str, ...] | list[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def why(account: pd.Series) -> str:
    """The driver of a ranked account's furthest deviation; what its score rests on where causes are not known."""
    return str(account["driver"] if isinstance(account["driver"], str) else account["reason"])


def account_anchor(account: object, origin: Origin) -> str:
    """Where the drift chapter explains an account."""
    return f"drift-account-{origin.slug(account)}"
