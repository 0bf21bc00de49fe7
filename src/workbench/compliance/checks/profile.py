"""The profile itself: how old it is, what its knowledge leaves out, and whether its preference became screens."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.compliance.checks.suitability import NO_TRADES
from workbench.compliance.context import Context
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.wording import counted, day
from workbench.compliance.words import dollars, quoted


def profile_age(context: Context, rule: Rule) -> Outcome:
    """Days since the profile was reviewed: beyond `warn_days` a warning, beyond `most_days` what the rule says.

    No profile, or one reviewed in the future, is not assessable.
    """
    rows = np.flatnonzero(context.trades_of > 0)
    reviewed = pd.to_datetime(context.profile("reviewed_on")).to_numpy().astype("datetime64[D]")[rows]
    age = (context.view.as_of - reviewed).astype(np.float64)
    age[np.isnat(reviewed)] = np.nan
    warn, most = float(rule.parameters["warn_days"]), float(rule.parameters["most_days"])
    limit = np.where(age > most, most, warn)

    def reason(row: int) -> str:
        if np.isnat(reviewed[row]):
            return "The household has no profile on file; record one before anything is recommended."
        if age[row] < 0:
            return f"The profile is dated {day(reviewed[row])}, after the day of the data; correct its date."
        return (
            f"The profile was reviewed on {day(reviewed[row])}, {counted(age[row], 'day', 'days')} ago; "
            f"it has to be reviewed after {limit[row]:.0f} days."
        )

    return judge(
        rule, len(context), rows, value=age, limit=limit, softer=age <= most,
        unknown=np.isnan(age) | (age < 0), subject=lambda row: _household(context, int(rows[row])), reason=reason,
        otherwise=NO_TRADES,
    )  # fmt: skip


def knowledge(context: Context, rule: Rule) -> Outcome:
    """Dollars bought of kinds or asset classes that are too complex for the knowledge the profile states."""
    orders, view = context.orders, context.view
    rows = np.flatnonzero(context.known & ~orders.sell)
    whose, security = orders.proposal[rows], context.security[rows]
    stated = context.profile("knowledge").astype("object").to_numpy(object)[whose]
    too_complex = {str(level): set(names) for level, names in rule.parameters["not_for"].items()}
    kind, asset_class = (view.securities[name].astype(str).to_numpy(object) for name in ("kind", "asset_class"))
    unfit = {
        level: np.array([kind[s] in names or asset_class[s] in names for s in range(len(kind))], bool)
        for level, names in too_complex.items()
    }
    unknown = np.array([not (isinstance(level, str) and level in unfit) for level in stated], bool)
    fails = np.zeros(len(rows), bool)
    for level, flags in unfit.items():
        at = stated == level
        fails[at] = flags[security[at]]

    def reason(row: int) -> str:
        if unknown[row]:
            said = "no knowledge" if pd.isna(stated[row]) else f"knowledge {quoted(stated[row])}"
            return f"The household's profile states {said}, so it cannot be told which products it understands."
        s = security[row]
        return (
            f"{dollars(float(amount[row]))} of {view.security_ids[s]} ({kind[s]}, {quoted(asset_class[s])}) would be "
            f"bought for a household whose stated knowledge is {stated[row]}."
        )

    amount = orders.shares[rows] * orders.price[rows]
    return judge(
        rule, len(context), whose, value=np.where(fails, amount, 0.0), limit=0.0, fails=fails, unknown=unknown,
        subject=lambda row: str(view.security_ids[security[row]]), reason=reason,
        otherwise="Nothing is bought, so no product has to be understood.",
    )  # fmt: skip


def sustainability(context: Context, rule: Rule) -> Outcome:
    """Screens in force of a household whose sustainability preference asks for screens: at least one."""
    rows = np.flatnonzero(context.trades_of > 0)
    screens = context.restrictions("screen")
    count = np.bincount(screens["proposal"].to_numpy(np.int64), minlength=len(context))[rows].astype(np.float64)
    stated = context.profile("sustainability").iloc[rows].astype("object").to_numpy(object)
    asks = {str(name): bool(needed) for name, needed in rule.parameters["needs_screens"].items()}
    limit = np.array([float(asks[one]) if isinstance(one, str) and one in asks else np.nan for one in stated])

    def reason(row: int) -> str:
        if np.isnan(limit[row]):
            said = "none on file" if pd.isna(stated[row]) else quoted(stated[row])
            return f"The sustainability preference ({said}) is not one that rule {rule.rule_id} knows; correct either."
        on_file = counted(count[row], "screen is", "screens are")
        return f"The sustainability preference is {quoted(stated[row])}, and {on_file} on file."

    return judge(
        rule, len(context), rows, value=count, limit=limit, at_least=True,
        subject=lambda row: _household(context, int(rows[row])), reason=reason, otherwise=NO_TRADES,
    )  # fmt: skip


def _household(context: Context, i: int) -> str:
    return str(context.orders.household_names[context.orders.household[i]])
