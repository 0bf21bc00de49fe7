"""The array core of the rebalancer: convex programs of one household, solved to the last share.

quadratic.solve                the convex program, exactly
integral.solve                 with wash sides, least trades and whole shares
tracking_limit.solve_within    under a tracking error that may not be exceeded
conflict.explain               why a program has no solution, and the least violation that gives it one
LinearModel                    linear forms, re-solved by HiGHS
solve_accounts                 single accounts with specific risk only, many at once
"""

from workbench.rebalance.solver import conflict, integral, quadratic, tracking_limit
from workbench.rebalance.solver.linear import LinearModel
from workbench.rebalance.solver.problem import Integrality, Problem, Solution
from workbench.rebalance.solver.single import Accounts, solve_accounts

__all__ = [
    "Accounts",
    "Integrality",
    "LinearModel",
    "Problem",
    "Solution",
    "conflict",
    "integral",
    "quadratic",
    "solve_accounts",
    "tracking_limit",
]
