"""What a client, an employer or a pledge forbids: securities never bought, sold or held, lots never touched."""

from __future__ import annotations

import numpy as np

from workbench.compliance.context import Context
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule


def never_buy(context: Context, rule: Rule) -> Outcome:
    """Shares bought of a security that a restriction on the account or its household says never to buy."""
    orders = context.orders
    rows = np.flatnonzero(~orders.sell)
    return judge(
        rule, len(context), orders.proposal[rows], value=0.0, limit=0.0,
        reason=lambda row: "", otherwise="Nothing is bought that a restriction forbids.",
    )  # fmt: skip
