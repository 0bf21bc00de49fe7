"""The panel of gaps: one row an account and month, account return minus model return in basis points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import ParameterError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_KEYS = ("account_id", "advisor_id", "custodian_id", "month")
_MODEL = "model_id"
#: A model with fewer accounts is taken together with the other small ones: it shares too little to be told apart.
LEAST_ACCOUNTS = 5
#: Keys named in a message; more are counted.
_NAMED = 5


@dataclass(frozen=True, eq=False)
class Panel:
    """n account-months of C accounts, A advisors, K custodians, L models, M months; every code points into its labels.

    - `gap` (n): account minus model, bp a month.
    - `account`, `month` (n): codes of the row's account and month.
    - `advisor_of`, `custodian_of`, `model_of` (C): codes of each account's advisor, custodian and model. Models with
      fewer than five accounts are one: `small_models` are their names.
    - `precision` (C): what a row of the account counts for; an account whose gaps vary twice as much counts a quarter.
    - `covariates` (n x q): one column for each of `names`, any unit; they are centred when a model is fitted.
    """

    gap: Floats
    account: Ints
    month: Ints
    advisor_of: Ints
    custodian_of: Ints
    covariates: Floats
    names: tuple[str, ...]
    accounts: pd.Index
    months: pd.Index
    advisors: pd.Index
    custodians: pd.Index
    model_of: Ints
    models: pd.Index
    small_models: tuple[str, ...]
    precision: Floats

    @classmethod
    def of(cls, frame: pd.DataFrame, gap: str = "gap", covariates: Sequence[str] = ()) -> Panel:
        """Read a frame with columns account_id, advisor_id, custodian_id, month, the gap and the covariates.

        Where it has a column model_id too, what the accounts of one model share is told from what all share.

        Raises ParameterError where a column or value is missing, a row occurs twice, or an account has two advisors,
        custodians or models (the account then has to be split where it changed hands).
        """
        _check_columns(frame, [*_KEYS, *([_MODEL] if _MODEL in frame else []), gap, *covariates])
        codes, labels = zip(*(pd.factorize(frame[key], sort=True) for key in _KEYS), strict=True)
        account, advisor, custodian, month = (np.asarray(code, dtype=np.int64) for code in codes)
        twice = frame.duplicated(["account_id", "month"])
        if twice.any():
            raise ParameterError(
                f"{int(twice.sum())} account-months occur twice, the first is row {int(np.argmax(twice))}", gap
            )
        advisor_of = _owner(account, advisor, labels[0], "advisor_id")
        custodian_of = _owner(account, custodian, labels[0], "custodian_id")
        model_of, models = np.zeros(len(labels[0]), dtype=np.int64), pd.Index(["all"])
        small: tuple[str, ...] = ()
        if _MODEL in frame:
            code, names = pd.factorize(frame[_MODEL], sort=True)
            model_of, models, small = _small_together(
                _owner(account, np.asarray(code, dtype=np.int64), labels[0], _MODEL), pd.Index(names)
            )
        values = frame[list(covariates)].to_numpy(dtype=np.float64).reshape(len(frame), len(covariates))
        y = frame[gap].to_numpy(dtype=np.float64)
        return cls(
            y, account, month, advisor_of, custodian_of, values, tuple(covariates),
            labels[0], labels[3], labels[1], labels[2], model_of, models, small, np.ones(len(labels[0])),
        )  # fmt: skip

    @property
    def advisor(self) -> Ints:
        """The advisor's code of each row (n)."""
        return self.advisor_of[self.account]

    @property
    def custodian(self) -> Ints:
        """The custodian's code of each row (n)."""
        return self.custodian_of[self.account]

    @property
    def n_months(self) -> Ints:
        """How many months each account has (C)."""
        return np.bincount(self.account, minlength=len(self.accounts))

    def with_covariates(self, names: Sequence[str]) -> Panel:
        """The same gaps with only these covariates, in this order."""
        unknown = [name for name in names if name not in self.names]
        if unknown:
            raise ParameterError(f"no covariate {', '.join(unknown)}; there are {', '.join(self.names)}", "covariates")
        places = [self.names.index(name) for name in names]
        return replace(self, covariates=self.covariates[:, places], names=tuple(names))


def _owner(account: Ints, code: Ints, labels: pd.Index, name: str) -> Ints:
    """The one code of each account."""
    owner = np.zeros(len(labels), dtype=np.int64)
    owner[account] = code
    moved = np.unique(account[owner[account] != code])
    if len(moved):
        raise ParameterError(
            f"{_some(labels[moved])} changed {name}: give the account another account_id from the change on", name
        )
    return owner


def _small_together(model_of: Ints, models: pd.Index) -> tuple[Ints, pd.Index, tuple[str, ...]]:
    """Models with few accounts as one, behind the others."""
    few = np.bincount(model_of, minlength=len(models)) < LEAST_ACCOUNTS
    if few.sum() < 2:
        return model_of, models, ()
    code = np.where(few, int((~few).sum()), np.cumsum(~few) - 1)
    small = tuple(str(name) for name in models[few])
    return code[model_of].astype(np.int64), models[~few].append(pd.Index(["small models"])), small


def _check_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    absent = [column for column in columns if column not in frame]
    if absent:
        raise ParameterError(f"the panel has no column {', '.join(absent)}", absent[0])
    if frame.empty:
        raise ParameterError("the panel has no row: no account lived a whole month with a model", "panel")
    for column in columns:
        values = frame[column]
        missing = values.isna()
        if column not in (*_KEYS, _MODEL):
            missing = ~np.isfinite(values.to_numpy(dtype=np.float64, na_value=np.nan))
        if missing.any():
            raise ParameterError(
                f"column {column} of the panel has {int(missing.sum())} missing or infinite values, "
                f"the first in row {int(np.argmax(missing))}: leave the account-month out and say so",
                column,
            )


def _some(keys: pd.Index) -> str:
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return ", ".join(map(str, keys[:_NAMED])) + more
