"""Consent: nothing is traded in an account that is not discretionary before its client agreed."""

from __future__ import annotations

import numpy as np

from workbench.compliance.context import Context
from workbench.compliance.exposures import sums
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.words import dollars, quoted


def consent(context: Context, rule: Rule) -> Outcome:
    """Dollars traded in an account that is not discretionary, without a consent recorded for it or its household."""
    orders, view = context.orders, context.view
    rows = np.flatnonzero(context.known)
    n_accounts = max(len(view.account_household), 1)
    key, place = np.unique(orders.proposal[rows] * n_accounts + context.account[rows], return_inverse=True)
    traded = sums(place, np.abs(orders.shares[rows] * orders.price[rows]), len(key))
    whose, account = np.divmod(key, n_accounts)
    asked = ~view.accounts["discretionary"].to_numpy(bool)[account]
    whose, account, traded = whose[asked], account[asked], traded[asked]
    source = [_source(context, int(a)) for a in account]
    missing = np.array([not one for one in source], bool)

    def reason(row: int) -> str:
        name = view.account_ids[account[row]]
        amount = dollars(float(traded[row]))
        if missing[row]:
            return (
                f"{amount} would be traded in {name}, which is not discretionary, and no consent of its client is on "
                "record; ask the client and record where the answer is written down."
            )
        agreed = quoted(source[row])
        return f"{amount} would be traded in {name}, which is not discretionary; the client agreed ({agreed})."

    return judge(
        rule, len(context), whose, value=np.where(missing, traded, 0.0), limit=0.0, fails=missing,
        subject=lambda row: str(view.account_ids[account[row]]), reason=reason,
        otherwise="Every account that trades is discretionary.",
    )  # fmt: skip


def _source(context: Context, account: int) -> str:
    view = context.view
    household = view.household_ids[view.account_household[account]]
    found = context.consents.get(str(view.account_ids[account])) or context.consents.get(str(household)) or ""
    return found.strip()
