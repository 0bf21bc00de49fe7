"""From judged rows to one outcome a proposal: each check lists what it looked at, the worst of it is the finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.compliance.outcome import Outcome, Verdict
from workbench.compliance.rule import Rule
from workbench.compliance.words import one_line

#: Figures closer to a limit than this, relative to it, are at the limit: rounding is not a breach.
TOLERANCE = 1e-9
#: A reason longer than this is cut.
LONGEST = 1_000
#: Said of a breach that was there before and is not made worse.
EASED = "It was beyond that before, and the trades do not make it worse."
_FAILING = {"warn": Verdict.WARN, "block": Verdict.BLOCK}


def judge(
    rule: Rule,
    n: int,
    proposal: ArrayLike,
    *,
    value: ArrayLike,
    limit: ArrayLike = np.nan,
    before: ArrayLike = np.nan,
    at_least: bool = False,
    fails: ArrayLike | None = None,
    softer: ArrayLike = False,
    unknown: ArrayLike = False,
    not_worse: ArrayLike = False,
    subject: Callable[[int], str] = lambda row: "",
    reason: Callable[[int], str],
    otherwise: str,
    order: ArrayLike | None = None,
) -> Outcome:
    """Return the worst of many judged rows for each of n proposals; `proposal` says whose each row is.

    A row fails where `value` is above `limit` (below it with `at_least`) by more than rounding, or where `fails` says
    so; with what verdict, the rule says. `softer` rows only warn; `unknown` ones, and rows whose value or limit is NaN
    (unless `fails` is given), are not assessable. Where the rule is `worsening_only`, a breach that was there before
    and is not made worse warns; `not_worse` names rows that the trades do not make worse whatever the figures say.
    `subject` and `reason` take a row; `otherwise` is the sentence of a proposal that has
    none. Rows of equal verdict go by distance from the limit, then by `order` (default: as given): hand in rows in an
    order of their content, so that nothing depends on the order of trades.
    """
    whose = np.asarray(proposal, np.int64)
    size = len(whose)
    figure, bound, old = (np.broadcast_to(np.asarray(a, np.float64), size) for a in (value, limit, before))
    sign = -1.0 if at_least else 1.0
    excess = sign * (figure - bound)
    slack = TOLERANCE * np.maximum(np.abs(np.nan_to_num(bound)), 1.0)
    failing = excess > slack if fails is None else np.broadcast_to(np.asarray(fails, bool), size)
    lost = np.broadcast_to(np.asarray(unknown, bool), size)
    if fails is None:
        lost = lost | np.isnan(excess)
    worst = np.full(size, _FAILING[rule.failing], np.int8)
    worst[np.broadcast_to(np.asarray(softer, bool), size)] = Verdict.WARN
    eased = np.zeros(size, bool)
    if rule.worsening_only:
        was = sign * (old - bound)
        kept = (excess <= was + slack) | np.broadcast_to(np.asarray(not_worse, bool), size)
        eased = (was > slack) & kept & failing & ~lost
        worst[eased] = Verdict.WARN
    verdict = np.where(lost, np.int8(Verdict.NOT_ASSESSABLE), np.where(failing, worst, np.int8(Verdict.PASS)))
    tie = np.arange(size) if order is None else np.asarray(order)
    distance = np.where(np.isnan(excess), -np.inf, excess)
    ranked = np.lexsort([tie, -distance, -verdict.astype(np.int64), whose])
    first = ranked[np.concatenate([[True], np.diff(whose[ranked]) != 0])[:size]]
    chosen = np.full(n, -1, np.int64)
    chosen[whose[first]] = first

    def worded(row: int) -> str:
        return f"{reason(row)} {EASED}" if eased[row] else reason(row)

    return _outcome(chosen, verdict, figure, bound, old, subject, worded, otherwise)


def _outcome(
    chosen: NDArray[np.int64],
    verdict: NDArray[np.int8],
    figure: NDArray[np.float64],
    bound: NDArray[np.float64],
    old: NDArray[np.float64],
    subject: Callable[[int], str],
    reason: Callable[[int], str],
    otherwise: str,
) -> Outcome:
    def picked(values: NDArray[Any], missing: Any) -> NDArray[Any]:
        return np.append(values, missing).astype(values.dtype)[chosen]

    return Outcome(
        verdict=picked(verdict, Verdict.PASS),
        value=picked(figure, np.nan),
        limit=picked(bound, np.nan),
        before=picked(old, np.nan),
        subject=lambda i: one_line(subject(int(chosen[i]))) if chosen[i] >= 0 else "",
        reason=lambda i: one_line(reason(int(chosen[i])), LONGEST) if chosen[i] >= 0 else otherwise,
    )
