"""SRI and ESG screens of a household: what is screened out is not bought, and what is held of it is said."""

from __future__ import annotations

import numpy as np

from workbench.compliance.context import Context, matched
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.words import quoted, shares


def screens(context: Context, rule: Rule) -> Outcome:
    """Shares held after the trades of a security that one of the client's screens excludes.

    Buying one fails; one that was there and is not added to warns (`worsening_only`). `known_screens` are those the
    firm's data cover: any other cannot be checked. Single securities are screened, a fund only by its own label.
    """
    view, rows, listed = context.view, context.positions, context.restrictions("screen")
    covered = set(rule.parameters["known_screens"])
    key = listed["key"].astype(str).to_numpy(object)
    column = np.array([view.screen_names.index(k) if k in view.screen_names else -1 for k in key], np.int64)
    uncovered = np.array([k not in covered for k in key], bool)
    flagged = np.column_stack([view.screens, np.zeros(len(view.price), bool)])
    row, place = matched(listed["proposal"].to_numpy(), rows.proposal, len(context))
    scope = listed["account"].to_numpy()[row]
    hit = (scope < 0) | (scope == rows.account[place])
    lost = (
        uncovered[row]
        & (rows.quantity_after[place] > rows.quantity_before[place])
        & (rows.security[place] != view.cash)
    )
    hit &= lost | (flagged[rows.security[place], column[row]] & ~uncovered[row])
    row, place, lost = row[hit], place[hit], lost[hit]

    def reason(i: int) -> str:
        facts, at = listed.iloc[row[i]], place[i]
        name, where = view.security_ids[rows.security[at]], view.account_ids[rows.account[at]]
        if lost[i]:
            return (
                f"Restriction {facts['restriction_id']} screens out {quoted(facts['key'])}, which the firm's data "
                f"do not cover, so the purchase of {name} in {where} cannot be checked."
            )
        return (
            f"{where} would hold {shares(rows.quantity_after[at])} of {name} after the trades "
            f"({shares(rows.quantity_before[at])} before), which the screen {quoted(facts['key'])} of restriction "
            f"{facts['restriction_id']} excludes: {quoted(facts['reason'])}."
        )

    return judge(
        rule, len(context), rows.proposal[place], value=rows.quantity_after[place], limit=0.0,
        before=rows.quantity_before[place], unknown=lost,
        subject=lambda i: f"{view.account_ids[rows.account[place[i]]]} {view.security_ids[rows.security[place[i]]]}",
        reason=reason, otherwise="Nothing is held that a screen excludes.",
    )  # fmt: skip
