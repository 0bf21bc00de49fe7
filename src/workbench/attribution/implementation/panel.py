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
#: Keys named in a message; more are counted.
_NAMED = 5


@dataclass(frozen=True, eq=False)
class Panel:
    """n account-months of C accounts, A advisors, K custodians and M months; every code points into its labels.

    - `gap` (n): account minus model, bp a month.
    - `account`, `month` (n): codes of the row's account and month.
    - `advisor_of`, `custodian_of` (C): codes of each account's advisor and custodian.
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

    @classmethod
    def of(cls, frame: pd.DataFrame, gap: str = "gap", covariates: Sequence[str] = ()) -> Panel:
        """Read a frame with columns account_id, advisor_id, custodian_id, month, the gap and the covariates.

        Raises ParameterError where a column or value is missing, a row occurs twice, or an account has two advisors
        or custodians (the account then has to be split where it changed hands).
        """
        _check_columns(frame, [*_KEYS, gap, *covariates])
        codes, labels = zip(*(pd.factorize(frame[key], sort=True) for key in _KEYS), strict=True)
        account, advisor, custodian, month = (np.asarray(code, dtype=np.int64) for code in codes)
        twice = frame.duplicated(["account_id", "month"])
        if twice.any():
            raise ParameterError(
                f"{int(twice.sum())} account-months occur twice, the first is row {int(np.argmax(twice))}", gap
            )
        n_accounts = len(labels[0])
        owners = []
        for name, code in (("advisor_id", advisor), ("custodian_id", custodian)):
            owner = np.zeros(n_accounts, dtype=np.int64)
            owner[account] = code
            moved = np.unique(account[owner[account] != code])
            if len(moved):
                raise ParameterError(
                    f"{_some(labels[0][moved])} changed {name}: give the account another account_id from the change on",
                    name,
                )
            owners.append(owner)
        values = frame[list(covariates)].to_numpy(dtype=np.float64).reshape(len(frame), len(covariates))
        y = frame[gap].to_numpy(dtype=np.float64)
        return cls(
            y, account, month, owners[0], owners[1], values, tuple(covariates),
            labels[0], labels[3], labels[1], labels[2],
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


def _check_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    absent = [column for column in columns if column not in frame]
    if absent:
        raise ParameterError(f"the panel has no column {', '.join(absent)}", absent[0])
    if frame.empty:
        raise ParameterError("the panel has no row: no account lived a whole month with a model", "panel")
    for column in columns:
        values = frame[column]
        missing = values.isna()
        if column not in _KEYS:
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
