"""Sums and products of a panel: all that the likelihood needs of it, whatever the number of accounts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from workbench.attribution.implementation.panel import Floats, Panel

#: A covariate of which less than this share of its variance is its own is a combination of the others.
_OWN = 1e-9


@dataclass(frozen=True, eq=False)
class Moments:
    """Products of W = [Z | X | y], where Z holds M months and A advisors, X custodians and covariates.

    Columns of X: one a custodian (its mean), then the covariates that are `kept`, centred and divided by `scale`.
    - `products` (q x q): W'W.
    - `counts` (J): the numbers of months that accounts have, and `accounts_with` (J) how many accounts have each.
    - `by_count` (J x q x q): the sum of g g' over the accounts of each count, g an account's sum of its rows of W.
    - `sums` (C x q): each account's sum of its rows of W, for the predictions of account effects.

    With a ratio `r` of account to error variance, account effects leave W'W - sum r / (1 + r n_j) by_count_j, so that a
    likelihood costs J x q^2, whatever the number of rows or accounts.
    """

    products: Floats
    counts: Floats
    accounts_with: Floats
    by_count: Floats
    sums: Floats
    n_rows: int
    n_months: int
    n_advisors: int
    n_custodians: int
    kept: tuple[str, ...]
    centre: Floats
    scale: Floats
    left_out: tuple[tuple[str, str], ...]

    @property
    def n_random(self) -> int:
        """Months and advisors together."""
        return self.n_months + self.n_advisors

    @property
    def n_fixed(self) -> int:
        """Custodians and kept covariates together."""
        return self.n_custodians + len(self.kept)

    def pooled(self) -> Moments:
        """The same with one mean for all: the model in which no custodian differs."""
        first, many = self.n_random, self.n_custodians
        join = np.delete(np.eye(len(self.products)), slice(first + 1, first + many), axis=1)
        join[first : first + many, first] = 1.0
        return replace(
            self,
            products=join.T @ self.products @ join,
            by_count=join.T @ self.by_count @ join,
            sums=self.sums @ join,
            n_custodians=1,
        )


def moments(panel: Panel) -> Moments:
    """Sum a panel once.

    A covariate that is constant, or a combination of custodians and those before it, is left out and listed.
    """
    n_accounts, n_months, n_advisors = len(panel.accounts), len(panel.months), len(panel.advisors)
    custodian_of, n_custodians = panel.custodian_of, len(panel.custodians)
    covariates, kept, centre, scale, left_out = _columns(panel)
    dense = np.column_stack([covariates, panel.gap])
    months_of = np.bincount(panel.account * n_months + panel.month, minlength=n_accounts * n_months)
    months_of = months_of.reshape(n_accounts, n_months).astype(np.float64)
    rows_of = months_of.sum(axis=1)

    def owned(owner: np.ndarray, levels: int) -> Floats:
        out = np.zeros((n_accounts, levels))
        out[np.arange(n_accounts), owner] = rows_of
        return out

    by_account = _sum_by(panel.account, dense, n_accounts)
    sums = np.hstack([months_of, owned(panel.advisor_of, n_advisors), owned(custodian_of, n_custodians), by_account])
    # W'W from sums: a group column times any column is that group's sum of it.
    groups = np.zeros((n_advisors + n_custodians, sums.shape[1]))
    np.add.at(groups, panel.advisor_of, sums)
    np.add.at(groups, n_advisors + custodian_of, sums)
    products = np.zeros((sums.shape[1], sums.shape[1]))
    middle = slice(n_months, n_months + n_advisors + n_custodians)
    products[middle, :] = groups
    products[:, middle] = groups.T
    by_month = _sum_by(panel.month, dense, n_months)
    last = slice(middle.stop, None)
    products[:n_months, :n_months] = np.diag(months_of.sum(axis=0))
    products[:n_months, last], products[last, :n_months] = by_month, by_month.T
    products[last, last] = dense.T @ dense
    counts, which = np.unique(rows_of, return_inverse=True)
    by_count = np.stack([sums[which == j].T @ sums[which == j] for j in range(len(counts))])
    return Moments(
        products, counts, np.bincount(which).astype(np.float64), by_count, sums, len(panel.gap), n_months, n_advisors,
        n_custodians, kept, centre, scale, left_out,
    )  # fmt: skip


def _sum_by(code: np.ndarray, dense: Floats, levels: int) -> Floats:
    return np.column_stack([np.bincount(code, weights=column, minlength=levels) for column in dense.T])


def _columns(
    panel: Panel,
) -> tuple[Floats, tuple[str, ...], Floats, Floats, tuple[tuple[str, str], ...]]:
    """The covariates that are kept, centred and scaled; those left out with the reason."""
    custodian, n_custodians = panel.custodian, len(panel.custodians)
    size = np.bincount(custodian, minlength=n_custodians)
    kept: list[int] = []
    columns: list[Floats] = []
    own: list[Floats] = []
    left_out: list[tuple[str, str]] = []
    centres, scales = panel.covariates.mean(axis=0), panel.covariates.std(axis=0)
    for place, name in enumerate(panel.names):
        if scales[place] <= 1e-12 * max(1.0, abs(centres[place])):
            left_out.append((name, "the same in every account-month"))
            continue
        column = (panel.covariates[:, place] - centres[place]) / scales[place]
        rest = column - (np.bincount(custodian, weights=column, minlength=n_custodians) / size)[custodian]
        for other in own:
            rest = rest - other * (other @ rest)
        length = rest @ rest
        if length <= _OWN * len(rest):
            others = " and ".join(["custodians", *(panel.names[k] for k in kept)]) if n_custodians > 1 else "the others"
            left_out.append((name, f"a combination of {others}: its effect cannot be told apart"))
            continue
        own.append(rest / np.sqrt(length))
        columns.append(column)
        kept.append(place)
    covariates = np.column_stack(columns) if columns else np.empty((len(panel.gap), 0))
    return covariates, tuple(panel.names[k] for k in kept), centres[kept], scales[kept], tuple(left_out)
