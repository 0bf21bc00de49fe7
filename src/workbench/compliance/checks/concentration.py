"""How much of a household stands in one issuer, one sector or one name, before and after the trades."""

from __future__ import annotations

import numpy as np

from workbench.compliance.context import Context
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.words import percent


def concentration(context: Context, rule: Rule) -> Outcome:
    """The weight of each issuer, sector ... against the limit of the household's risk level.

    `level` is what is summed, over the `scope`: the household or each account. `limits` are fractions for risk levels 1
    to 5 (the lower of tolerance and capacity). `without_kinds` leaves kinds of security out that are spread by
    themselves, because funds cannot be looked through; `without_keys` leaves out keys that are no risk of one kind
    ("Diversified"). A weight that rises only because costs make the whole smaller is not made worse. A household
    without a profile, and a holding without a price, is not assessable.
    """
    view, parameters = context.view, rule.parameters
    level = parameters["level"]
    by_account = parameters["scope"] == "account"
    found = context.exposure(level, by_account=by_account, without=frozenset(parameters["without_kinds"]))
    names = view.group_names[level]
    kept = ~np.isin(names[found.key], parameters["without_keys"]) & (found.after != 0.0)
    kept &= context.trades_of[found.proposal] > 0
    proposal, key, owner = found.proposal[kept], found.key[kept], found.owner[kept]
    added = found.after[kept] > found.before[kept]
    before, after = found.weight_before[kept], found.weight_after[kept]
    limits = np.append(np.asarray(parameters["limits"], np.float64), np.nan)
    risk = context.risk_level[proposal]
    limit = limits[risk - 1]
    noun = level.replace("_", " ")

    def where(i: int) -> str:
        return f"account {view.account_ids[owner[i]]}" if by_account else "the household"

    def reason(i: int) -> str:
        if risk[i] == 0:
            return f"The household has no profile, so there is no limit to hold {names[key[i]]} against."
        if np.isnan(after[i]):
            return f"The weight of {noun} {names[key[i]]} cannot be told: a holding of {where(i)} has no price."
        return (
            f"{names[key[i]]} would be {percent(after[i])} of {where(i)} after the trades ({percent(before[i])} "
            f"before); risk level {risk[i]} allows {percent(limit[i])} in one {noun}."
        )

    return judge(
        rule, len(context), proposal, value=after, limit=limit, before=before,
        not_worse=~added, subject=lambda i: f"{noun} {names[key[i]]} in {where(i)}", reason=reason, order=key,
        otherwise=f"No {noun} is held that this limit is about, or nothing is traded.",
    )  # fmt: skip
