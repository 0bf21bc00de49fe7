"""What a measurement of drift holds: arrays by account and row, made into frames when asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from workbench.drift.inputs import ON_THE_LINE, DriftInputs, Flags, Floats, Ints, Level, Offsets
from workbench.errors import ParameterError
from workbench.market import PARTICIPATION, spread_cost


@dataclass(frozen=True, eq=False)
class SecurityRows:
    """One row for each security that an account holds or its model names, sorted by account and security.

    Rows `account_ptr[a]:account_ptr[a + 1]` are account a's. `holding` is the row of the holdings (-1: not held);
    `te_contribution` is annualised and adds up to the account's tracking error; `days_to_trade` and `tax` (account
    currency) are those of correcting the row's whole deviation. What is not known is NaN.
    """

    account_ptr: Offsets
    security: Ints
    holding: Offsets
    weight: Floats
    target: Floats
    deviation: Floats
    te_contribution: Floats
    days_to_trade: Floats
    tax: Floats

    @property
    def account(self) -> Ints:
        """Position of each row's account."""
        sizes = np.diff(self.account_ptr)
        return np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)


@dataclass(frozen=True, eq=False)
class Drift:
    """Measured drift of every account that has a model, holdings and prices; the others are in `no_data`.

    `value` (A) is in account currency and `tracking_error` (A) annualised. `weights` and `te_by_level` hold an A x G
    array for each level above the security.
    """

    inputs: DriftInputs
    rows: SecurityRows
    value: Floats
    tracking_error: Floats
    weights: dict[str, Floats]
    te_by_level: dict[str, Floats] = field(repr=False)
    participation: float = PARTICIPATION

    @property
    def as_of(self) -> pd.Timestamp:
        """The day drift was measured on."""
        return self.inputs.as_of

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of the levels measured, `security` first."""
        return tuple(self.inputs.levels)

    @property
    def no_data(self) -> pd.DataFrame:
        """account_id, model_id and reason of every account that could not be measured."""
        return self.inputs.no_data.copy()

    def deviation(self, level: str) -> Floats:
        """Return weight minus target (A x G) of a level above the security."""
        return self.weights[level] - self.inputs.levels[level].target[self.inputs.model]

    def level(self, name: str, accounts: list[str] | None = None) -> pd.DataFrame:
        """Return a level as a long frame: account_id, key, weight, target, deviation, lower, upper, band, breach,
        te_contribution; at security level also value, days_to_trade and tax_to_correct.

        Weights are fractions of the account; `band` is the room between target and the limit on the deviation's
        side (NaN: no band). Keys with neither weight nor target are left out. Raises `ParameterError` for a level or
        account that was not measured.
        """
        chosen = self._positions(accounts)
        if name == "security":
            return self._security_frame(chosen)
        level = self._level(name)
        at = slice(None) if chosen is None else chosen
        model, weight = self.inputs.model[at], self.weights[name][at]
        row, key = np.nonzero((weight != 0) | (level.target[model] != 0))
        account = row if chosen is None else chosen[row]
        te = self.te_by_level[name][at][row, key] if name in self.te_by_level else np.full(len(row), np.nan)
        return self._frame(level, account, key, weight[row, key], te)

    def breaches(self, name: str) -> Ints:
        """Return how many keys of a level stand outside their band, by account (A)."""
        out = self._outside(name)
        if name == "security":
            return _by_account(np.add, out.astype(np.int32), self.rows.account_ptr[:-1])
        return out.sum(axis=1, dtype=np.int32)

    @cached_property
    def band_use(self) -> Floats:
        """The account's furthest deviation in units of its band, over all levels (A): above 1 is out of tolerance."""
        furthest = np.zeros(len(self.value))
        for name in self.levels:
            level = self._level(name)
            if name == "security":
                rows = self.rows
                band = level.band(self.inputs.model[rows.account], rows.security, rows.deviation)
                furthest = _by_account(np.fmax, _ratio(rows.deviation, band), rows.account_ptr[:-1])
            else:
                deviation = self.deviation(name)
                band = level.band(self.inputs.model, slice(None), deviation)
                furthest = np.fmax(furthest, np.nanmax(_ratio(deviation, band), axis=1, initial=0.0))
        return furthest

    @cached_property
    def accounts(self) -> pd.DataFrame:
        """One row an account: what stands where, how risky it is, and what correcting it would take.

        value, turnover_to_correct, tax_to_correct and cost_to_correct (half spreads) are in account currency;
        max_deviation, active_share (half the sum of absolute deviations, cash included) and tracking_error
        (annualised) are fractions; days_to_trade is the slowest security's, of those with a known volume, and
        untimed counts those without one. A missing tax stays missing.
        """
        rows, ptr = self.rows, self.rows.account_ptr[:-1]
        absolute = np.abs(rows.deviation)
        active_share = 0.5 * _by_account(np.add, absolute, ptr)
        traded = pd.Series(rows.deviation * self.value[rows.account])
        cost = spread_cost(traded, pd.Series(self.inputs.securities.half_spread[rows.security]))
        untimed = np.isnan(rows.days_to_trade) & (absolute > ON_THE_LINE)
        frame = self.inputs.accounts[
            ["account_id", "household_id", "advisor_id", "registration", "model_id", "model_version"]
        ].copy()
        frame["value"] = self.value
        frame["max_deviation"] = _by_account(np.maximum, absolute, ptr)
        frame["active_share"] = active_share
        frame["tracking_error"] = self.tracking_error
        breaches = {f"breaches_{name}": self.breaches(name) for name in self.levels}
        frame["breaches"] = np.sum(list(breaches.values()), axis=0)
        frame = frame.assign(**breaches)
        frame["band_use"] = self.band_use
        frame["turnover_to_correct"] = active_share * self.value
        frame["cost_to_correct"] = _by_account(np.add, cost.to_numpy(), ptr)
        frame["tax_to_correct"] = _by_account(np.add, rows.tax, ptr)
        frame["days_to_trade"] = _by_account(np.fmax, rows.days_to_trade, ptr)
        frame["untimed"] = _by_account(np.add, untimed.astype(np.int64), ptr)
        return frame

    def _level(self, name: str) -> Level:
        if name not in self.inputs.levels:
            raise ParameterError(f"level {name!r} was not measured; there are {', '.join(self.levels)}", "level")
        return self.inputs.levels[name]

    def _positions(self, accounts: list[str] | None) -> Offsets | None:
        if accounts is None:
            return None
        positions = self.inputs.account_ids.get_indexer(pd.Index(accounts))
        missing = [account for account, position in zip(accounts, positions) if position < 0]
        if missing:
            raise ParameterError(f"account {missing[0]!r} was not measured; see no_data for the reason", "accounts")
        return np.asarray(positions, dtype=np.int64)

    def _outside(self, name: str) -> Flags:
        level = self._level(name)
        if name == "security":
            return level.outside(self.inputs.model[self.rows.account], self.rows.security, self.rows.weight)
        return level.outside(self.inputs.model, slice(None), self.weights[name])

    def _security_frame(self, chosen: Offsets | None) -> pd.DataFrame:
        rows = self.rows
        account = rows.account
        picked: Offsets | slice = slice(None)
        if chosen is not None:
            bounds = zip(rows.account_ptr[chosen], rows.account_ptr[chosen + 1])
            picked = np.concatenate([np.arange(*bound) for bound in bounds] or [np.zeros(0, np.int64)])
        account, key = account[picked], rows.security[picked]
        frame = self._frame(
            self.inputs.levels["security"], account, key, rows.weight[picked], rows.te_contribution[picked]
        )
        frame["value"] = frame["deviation"].to_numpy() * self.value[account]
        frame["days_to_trade"] = rows.days_to_trade[picked]
        frame["tax_to_correct"] = rows.tax[picked]
        return frame

    def _frame(
        self, level: Level, account: Ints | Offsets, key: Ints | Offsets, weight: Floats, te: Floats
    ) -> pd.DataFrame:
        model = self.inputs.model[account]
        target, lower, upper = (limits[model, key] for limits in (level.target, level.lower, level.upper))
        deviation = weight - target
        band = level.band(model, key, deviation)
        return pd.DataFrame(
            {
                "account_id": pd.Categorical.from_codes(account, categories=self.inputs.account_ids),
                "key": pd.Categorical.from_codes(key, categories=pd.Index(level.keys)),
                "weight": weight,
                "target": target,
                "deviation": deviation,
                "lower": np.where(np.isinf(lower), np.nan, lower),
                "upper": np.where(np.isinf(upper), np.nan, upper),
                "band": np.where(np.isinf(band), np.nan, band),
                "breach": level.outside(model, key, weight),
                "te_contribution": te,
            }
        )


def _ratio(deviation: Floats, band: Floats) -> Floats:
    """Deviation in units of its band: 0 without a band or deviation, +inf for any deviation from a band of zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(deviation) / band
    return np.where((np.abs(deviation) <= ON_THE_LINE) | np.isinf(band), 0.0, ratio)


def _by_account(add: np.ufunc, amount: np.ndarray, starts: Offsets) -> np.ndarray:
    """Reduce rows to accounts; every measured account has at least one row."""
    result: np.ndarray = add.reduceat(amount, starts) if len(amount) else np.zeros(0)
    return result
