"""Sums and products of a panel: all that the likelihood needs of it, whatever the number of accounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.attribution.implementation.panel import Floats, Ints, Panel

#: A covariate of which less than this share of its variance is its own is a combination of the others.
_OWN = 1e-9


@dataclass(frozen=True, eq=False)
class Moments:
    """Products of W = [Z | X | y], where Z holds M months and A advisors, X custodians, models and covariates.

    Columns of X: one a custodian (its mean), then models but one and the covariates that are `kept`, all of these
    centred and divided by `scale`. Every row counts by its account's precision P.
    - `products` (L x q x q): W'PW of the accounts of each model.
    - `counts` (G): the numbers of months, times precision, that the accounts of a model have, `accounts_with` (G) how
      many of its accounts have each, `by_count` (G x q x q) the sum of g g' over these, g an account's sum of its rows
      of PW; those of model l are the rows `first[l]` to `first[l + 1]` - 1.
    - `sums` (C x q) and `count_of` (C): each account's g and count, for the predictions of account effects.

    With a ratio `r` of account to error variance, account effects leave W'W - sum r / (1 + r n_j) by_count_j, so that a
    likelihood costs G x q^2, whatever the number of rows or accounts. A month's columns within a model's products are
    also the products of what that model's accounts share in the month, so that nothing more is kept for those effects.
    """

    products: Floats
    counts: Floats
    accounts_with: Floats
    by_count: Floats
    first: Ints
    sums: Floats
    count_of: Floats
    n_rows: int
    n_months: int
    n_advisors: int
    n_custodians: int
    n_models: int
    kept_models: tuple[int, ...]
    kept: tuple[str, ...]
    centre: Floats
    scale: Floats
    left_out: tuple[tuple[str, str], ...]

    @property
    def n_random(self) -> int:
        """Months and advisors together."""
        return self.n_months + self.n_advisors

    @property
    def n_means(self) -> int:
        """Custodians and kept models together: the fixed effects before the covariates."""
        return self.n_custodians + len(self.kept_models)

    @property
    def n_fixed(self) -> int:
        """Custodians, kept models and kept covariates together."""
        return self.n_means + len(self.kept)


def moments(panel: Panel) -> Moments:
    """Sum a panel once.

    A covariate that is constant, or a combination of custodians, models and those before it, is left out and listed; a
    model that is a combination of custodians is left out, for it cannot be told from them.
    """
    n_accounts, n_months = len(panel.accounts), len(panel.months)
    columns = _columns(panel)
    precision = panel.precision[panel.account]
    dense = np.column_stack([columns.values, panel.gap])
    weighted = dense * precision[:, None]
    months_of = np.bincount(panel.account * n_months + panel.month, precision, n_accounts * n_months)
    count_of = np.round(panel.precision * panel.n_months, 9)
    sums = np.hstack([
        months_of.reshape(n_accounts, n_months), _owned(panel.advisor_of, len(panel.advisors), count_of),
        _owned(panel.custodian_of, len(panel.custodians), count_of), _sum_by(panel.account, weighted, n_accounts),
    ])  # fmt: skip
    products, groups = [], []
    model = panel.model_of[panel.account]
    for place in range(len(panel.models)):
        whose = np.flatnonzero(panel.model_of == place)
        rows = np.flatnonzero(model == place) if len(panel.models) > 1 else slice(None)
        products.append(_products(panel, sums[whose], whose, dense[rows], weighted[rows], panel.month[rows]))
        counts, which = np.unique(count_of[whose], return_inverse=True)
        groups.append((counts, np.bincount(which), [sums[whose[which == j]] for j in range(len(counts))]))
    return Moments(
        np.stack(products), np.concatenate([group[0] for group in groups]),
        np.concatenate([group[1] for group in groups]).astype(np.float64),
        np.stack([part.T @ part for group in groups for part in group[2]]),
        np.cumsum([0, *(len(group[0]) for group in groups)]), sums, count_of, len(panel.gap), n_months,
        len(panel.advisors), len(panel.custodians), len(panel.models), columns.models, columns.covariates,
        columns.centre, columns.scale, columns.left_out,
    )  # fmt: skip


def _products(panel: Panel, sums: Floats, whose: Ints, dense: Floats, weighted: Floats, month: Ints) -> Floats:
    """W'PW of one model's accounts, from sums: a group column times any column is that group's sum of it."""
    n_months, n_advisors, n_custodians = len(panel.months), len(panel.advisors), len(panel.custodians)
    groups = np.zeros((n_advisors + n_custodians, sums.shape[1]))
    np.add.at(groups, panel.advisor_of[whose], sums)
    np.add.at(groups, n_advisors + panel.custodian_of[whose], sums)
    products = np.zeros((sums.shape[1], sums.shape[1]))
    middle = slice(n_months, n_months + n_advisors + n_custodians)
    products[middle, :] = groups
    products[:, middle] = groups.T
    last = slice(middle.stop, None)
    products[:n_months, :n_months] = np.diag(sums[:, :n_months].sum(axis=0))
    by_month = _sum_by(month, weighted, n_months)
    products[:n_months, last], products[last, :n_months] = by_month, by_month.T
    products[last, last] = dense.T @ weighted
    return products


def _owned(owner: Ints, levels: int, value: Floats) -> Floats:
    out = np.zeros((len(owner), levels))
    out[np.arange(len(owner)), owner] = value
    return out


def _sum_by(code: Ints, dense: Floats, levels: int) -> Floats:
    return np.column_stack([np.bincount(code, weights=column, minlength=levels) for column in dense.T])


@dataclass(frozen=True, eq=False)
class _Columns:
    """Models but one, and covariates: those kept, centred and scaled (n x c); covariates left out, and why."""

    values: Floats
    models: tuple[int, ...]
    covariates: tuple[str, ...]
    centre: Floats
    scale: Floats
    left_out: tuple[tuple[str, str], ...]


def _columns(panel: Panel) -> _Columns:
    custodian, n_custodians = panel.custodian, len(panel.custodians)
    size = np.bincount(custodian, minlength=n_custodians)
    # The largest model is the one left out, so that the others are compared with what is known best.
    largest = int(np.argmax(np.bincount(panel.model_of, minlength=len(panel.models))))
    of_model = [place for place in range(len(panel.models)) if place != largest]
    model = panel.model_of[panel.account]
    models: list[int] = []
    covariates: list[str] = []
    columns: list[Floats] = []
    own: list[Floats] = []
    centres: list[float] = []
    scales: list[float] = []
    left_out: list[tuple[str, str]] = []
    candidates: list[int | str] = [*of_model, *panel.names]
    for place in candidates:
        raw = panel.covariates[:, panel.names.index(place)] if isinstance(place, str) else (model == place) * 1.0
        centre, scale = float(raw.mean()), float(raw.std())
        if scale <= 1e-12 * max(1.0, abs(centre)):
            left_out.append((str(place), "the same in every account-month"))
            continue
        column = (raw - centre) / scale
        rest = column - (np.bincount(custodian, weights=column, minlength=n_custodians) / size)[custodian]
        for other in own:
            rest = rest - other * (other @ rest)
        length = rest @ rest
        if length <= _OWN * len(rest):
            if isinstance(place, str):
                others = [*(["custodians"] if n_custodians > 1 else []), *(["models"] if models else []), *covariates]
                words = " and ".join(others) or "the others"
                left_out.append((place, f"a combination of {words}: its effect cannot be told apart"))
            continue
        own.append(rest / np.sqrt(length))
        columns.append(column)
        centres.append(centre)
        scales.append(scale)
        if isinstance(place, str):
            covariates.append(place)
        else:
            models.append(place)
    values = np.column_stack(columns) if columns else np.empty((len(panel.gap), 0))
    return _Columns(
        values, tuple(models), tuple(covariates), np.array(centres), np.array(scales), tuple(left_out)
    )  # fmt: skip
