"""What the rebalance chapter says more than once: the firm's proposals added up, and their figures as facts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from workbench.exhibits.brief import assets, tracking_error, traded
from workbench.exhibits.origin import Origin
from workbench.rebalance.proposal import Proposal
from workbench.report import Fact

TABLES = ["accounts", "households", "lots", "model_targets", "positions", "prices", "restrictions", "transactions"]
FUNCTION = "rebalance.propose"
#: How a figure about all proposals is shown.
_KINDS = {
    "households": "count",
    "proposals": "count",
    "trades": "count",
    "assets": "usd",
    "traded": "usd",
    "bought": "usd",
    "sold": "usd",
    "gain_short": "usd",
    "gain_long": "usd",
    "tax": "usd",
    "cost": "usd",
    "harvested": "usd",
    "disallowed": "usd",
    "benefit": "usd",
    "tracking_before": "percent",
    "tracking_after": "percent",
    "conflicts": "count",
    "undone": "count",
    "not_measured": "count",
}


def by_household(proposals: Sequence[Proposal]) -> pd.DataFrame:
    """Return one row a household: its proposal's amounts in dollars, and tracking errors as fractions (NaN: none)."""
    rows = []
    for proposal in proposals:
        table, error = proposal.tax_table, tracking_error(proposal)
        rows.append(
            {
                "household_id": proposal.household_id,
                "name": proposal.household_name,
                "assets": assets(proposal),
                "trades": len(proposal.trades),
                "bought": traded(proposal.trades, "buy"),
                "sold": traded(proposal.trades, "sell"),
                "gain_short": table.proposed_short,
                "gain_long": table.proposed_long,
                "tax": table.tax,
                "cost": proposal.cost,
                "harvested": table.losses_harvested,
                "disallowed": table.disallowed,
                "benefit": proposal.benefit,
                "tracking_before": float("nan") if error is None else error[0],
                "tracking_after": float("nan") if error is None else error[1],
                "managed": sum(group.value for group in proposal.groups),
                "budget": float("nan") if table.budget is None else table.budget,
                "budget_before": table.budget_used_before,
                "budget_after": table.budget_used_after,
                "conflicts": len(proposal.conflicts),
                "undone": len(proposal.refused),
            }
        )
    columns = [
        "household_id", "name", "assets", "trades", "bought", "sold", "gain_short", "gain_long", "tax", "cost",
        "harvested", "disallowed", "benefit", "tracking_before", "tracking_after", "managed", "budget",
        "budget_before", "budget_after", "conflicts", "undone",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def firm_facts(proposals: Sequence[Proposal], origin: Origin) -> dict[str, Fact]:
    """Return the sums over all proposals, by their short name; tracking errors are weighted by value managed."""
    frame = by_household(proposals)
    names = ["assets", "trades", "bought", "sold", "gain_short", "gain_long", "tax", "cost", "harvested"]
    sums = {name: frame[name].sum() for name in [*names, "disallowed", "benefit", "conflicts", "undone"]}
    known = frame[frame["tracking_before"].notna()]
    figures: dict[str, float] = sums | {
        "households": len(frame),
        "proposals": int((frame["trades"] > 0).sum()),
        "traded": sums["bought"] + sums["sold"],
        "not_measured": len(frame) - len(known),
    }
    if not known.empty:
        for name in ("tracking_before", "tracking_after"):
            figures[name] = (known[name] * known["managed"]).sum() / known["managed"].sum()
    return {
        name: origin.fact(f"rebalance.firm.{name}", figures[name], kind, FUNCTION, TABLES, digits=_digits(kind))
        for name, kind in _KINDS.items()
        if name in figures
    }


def basis(proposals: Sequence[Proposal]) -> str:
    """Return what all proposals rest on, for their settings line."""
    mode = proposals[0].mode if proposals else "full"
    return f"one proposal a household, mode {mode.replace('_', ' ')}; nothing is released"


def _digits(kind: str) -> int | None:
    return 2 if kind == "percent" else None
