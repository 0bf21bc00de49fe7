"""Model or implementation? Each account's excess return over a period, as rows that sum to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.attribution._paper import Flags, Floats, Ints
from workbench.attribution.daily_effects import (
    EFFECTS,
    IMPLEMENTATION_EFFECTS,
    MODEL_EFFECTS,
    DailyEffects,
    daily_effects,
    row_names,
)
from workbench.attribution.followed import Followed, follow
from workbench.attribution.linking import Linked, Method, cumulative, link
from workbench.attribution.paths import ModelPaths
from workbench.errors import ParameterError
from workbench.performance import DailyHoldings


@dataclass(frozen=True, eq=False)
class PooledAccounts:
    """Accounts put together by their beginning values, group by group (G); unlinked rows, zero where there is none.

    `rows` (G x T x K) sum over K to `portfolio` - `benchmark` (G x T); `begin` (G x T) is the value in dollars, and
    nothing is `present` where it is zero.
    """

    groups: tuple[str, ...]
    sessions: pd.DatetimeIndex
    names: pd.DataFrame
    begin: Floats
    portfolio: Floats
    model: Floats
    benchmark: Floats
    rows: Floats

    def linked(self, method: Method = "carino") -> Linked:
        """Link the rows over the whole period (G x K)."""
        return link(self.rows, self.portfolio, self.benchmark, method, present=self.begin > 0)

    def cumulative(self, method: Method = "carino") -> Linked:
        """Link the rows up to each period (G x T x K)."""
        return cumulative(self.rows, self.portfolio, self.benchmark, method, present=self.begin > 0)


@dataclass(frozen=True, eq=False)
class SleeveAttribution:
    """Linked rows of N accounts; fractions of their value when they are first measured.

    - `accounts`: account_id, household_id, advisor_id, custodian_id, model_id, `start` and `end` (the closes between
      which it is measured), `periods` and `whole` (present in every period).
    - `names`: effect and sleeve_id of the K rows; `effects` (N x K).
    - `portfolio`, `model`, `benchmark` (N): compounded returns over the account's own periods.
    - `firm`: all accounts put together; `models`: the accounts of each model.
    - `no_data`: accounts left out, account_id and reason.
    """

    sessions: pd.DatetimeIndex
    sleeves: tuple[str, ...]
    linking: Method
    accounts: pd.DataFrame
    names: pd.DataFrame
    effects: Floats
    portfolio: Floats
    model: Floats
    benchmark: Floats
    firm: PooledAccounts
    models: PooledAccounts
    no_data: pd.DataFrame

    @property
    def excess(self) -> Floats:
        """Compounded return of the account less that of its benchmark (N)."""
        return self.portfolio - self.benchmark

    @property
    def unreconciled(self) -> Floats:
        """What the rows fail to sum to (N): rounding."""
        return self.excess - self.effects.sum(axis=1)

    def effect(self, name: str) -> Floats:
        """One effect over all sleeves (N), or "model" or "implementation": the sum of its effects.

        Raises `ParameterError` for another name.
        """
        return np.asarray(self.effects[:, rows_of(self.names, name)].sum(axis=1))

    def to_frame(self) -> pd.DataFrame:
        """One row an account: identifiers, returns, excess, every effect over all sleeves, what does not reconcile."""
        frame = self.accounts.assign(
            portfolio=self.portfolio, model=self.model, benchmark=self.benchmark, excess=self.excess
        )
        return frame.assign(**{name: self.effect(name) for name in EFFECTS}, unreconciled=self.unreconciled)

    def by_sleeve(self) -> pd.DataFrame:
        """One row an account and row: account_id, effect, sleeve_id (missing where none), contribution."""
        names = pd.concat([self.names] * len(self.accounts), ignore_index=True)
        names.insert(0, "account_id", self.accounts["account_id"].repeat(len(self.names)).to_numpy())
        return names.assign(contribution=self.effects.ravel())


def rows_of(names: pd.DataFrame, effect: str) -> Ints:
    """Positions of the rows of an effect, or of all of the "model" or the "implementation"."""
    groups = {"model": MODEL_EFFECTS, "implementation": IMPLEMENTATION_EFFECTS}
    if effect not in {*EFFECTS, *groups}:
        raise ParameterError(f"there is no effect {effect!r}; use one of {', '.join([*EFFECTS, *groups])}", "effect")
    return np.flatnonzero(names["effect"].isin(groups.get(effect, (effect,))))


def sleeves(
    daily: DailyHoldings | Iterable[DailyHoldings], paths: ModelPaths, linking: Method = "carino"
) -> SleeveAttribution:
    """Attribute every account's excess return to the model's decisions by sleeve and to its implementation.

    The rows of each day are those of `daily_effects`; they are linked over the days on which the account had value at
    the close before and its model a version in force, which may be fewer than the report's: `whole` says so, and its
    returns are those of its own days. All rows of an account sum to its compounded excess return, to rounding.

    `daily` may be one ledger or, for more accounts than memory holds, one after another (`performance.chunks`).
    Accounts without model, without value at any close, or with a return that the linking cannot take are in `no_data`.
    Raises `ParameterError` where ledger and paths do not fit.
    """
    gathered = AccountRows(paths, linking)
    for run in follow(daily, paths):
        gathered.add(run)
    return gathered.result()


class AccountRows:
    """Gathers the linked rows of accounts run by run, and the dollars of all accounts of each model."""

    def __init__(self, paths: ModelPaths, linking: Method) -> None:
        self._paths, self._linking = paths, linking
        self._linked: list[tuple[pd.DataFrame, Floats, Floats, Floats, Floats]] = []
        self._left_out: list[pd.DataFrame] = []
        self._dollars: tuple[Floats, ...] = ()

    def add(self, run: Followed) -> None:
        """Link the rows of a run of accounts."""
        effects = daily_effects(run)
        reason = _reasons(effects, self._linking)
        lost = pd.DataFrame({"account_id": effects.accounts["account_id"], "reason": reason})[reason.notna()]
        self._left_out += [run.daily.no_data, lost]
        dollars = _sums(run, effects, reason.isna().to_numpy(bool))
        # Added in place: a large firm has many runs.
        for total, more in zip(self._dollars, dollars, strict=False):
            total += more
        self._dollars = self._dollars or dollars
        self._linked.append(_linked(effects, np.flatnonzero(reason.isna()), self._paths, self._linking))

    def result(self) -> SleeveAttribution:
        """All accounts gathered."""
        paths, linking, names = self._paths, self._linking, row_names(self._paths.sleeves)
        by_model = _pooled(paths.models, paths.sessions, names, self._dollars)
        together = tuple(side.sum(axis=0, keepdims=True) for side in self._dollars)
        firm = _pooled(("firm",), paths.sessions, names, together)
        accounts = pd.concat([part[0] for part in self._linked], ignore_index=True)
        linked, portfolio, model, benchmark = (np.concatenate([part[i] for part in self._linked]) for i in range(1, 5))
        left_out = pd.concat(self._left_out, ignore_index=True).drop_duplicates("account_id", ignore_index=True)
        return SleeveAttribution(
            paths.sessions, paths.sleeves, linking, accounts, names, linked, portfolio, model, benchmark, firm,
            by_model, left_out,
        )  # fmt: skip


def _reasons(effects: DailyEffects, linking: Method) -> pd.Series:
    """Why an account cannot be measured; missing where it can."""
    reason = pd.Series(pd.NA, index=effects.accounts.index, dtype="string")
    worst = np.where(effects.present, effects.portfolio, 0.0).min(axis=1)
    if linking != "frongello":
        reason[worst <= -1] = "lost all of its value in one day, which cannot be linked"
    reason[~effects.present.any(axis=1)] = "had no value at any close after which its model was in force"
    reason[effects.model_row < 0] = "its model has no version in force in the period"
    reason[effects.accounts["model_id"].isna()] = "has no model"
    return reason


def _linked(
    effects: DailyEffects, kept: Ints, paths: ModelPaths, linking: Method
) -> tuple[pd.DataFrame, Floats, Floats, Floats, Floats]:
    """Link the accounts kept; their frame, rows and compounded returns."""
    present = effects.present[kept]
    identifiers = ["account_id", "household_id", "advisor_id", "custodian_id", "model_id"]
    accounts = effects.accounts.loc[kept, identifiers].reset_index(drop=True)
    first, last = present.argmax(axis=1), present.shape[1] - present[:, ::-1].argmax(axis=1)
    accounts = accounts.assign(
        start=paths.sessions[first], end=paths.sessions[last], periods=present.sum(axis=1), whole=present.all(axis=1)
    )
    if not len(kept):
        nothing = np.zeros(0)
        return accounts, np.zeros((0, effects.rows.shape[2])), nothing, nothing, nothing
    linked = link(effects.rows[kept], effects.portfolio[kept], effects.benchmark[kept], linking, present=present)
    model = np.prod(1 + effects.model[kept], axis=1) - 1
    return accounts, linked.effects, linked.portfolio, model, linked.benchmark


def _sums(run: Followed, effects: DailyEffects, kept: Flags) -> tuple[Floats, ...]:
    """Dollars by model (M x T; rows M x T x K): beginning value, gains of accounts, model and benchmark, and rows."""
    begin = effects.begin * kept[:, None]
    sides = (effects.portfolio, effects.model, effects.benchmark)
    return (
        run.by_model(begin),
        *(run.by_model(begin * side) for side in sides),
        run.by_model(begin[..., None] * effects.rows),
    )


def _pooled(
    groups: tuple[str, ...], sessions: pd.DatetimeIndex, names: pd.DataFrame, dollars: tuple[Floats, ...]
) -> PooledAccounts:
    begin, *gains, rows = dollars
    scale = np.divide(1.0, begin, out=np.zeros_like(begin), where=begin > 0)
    portfolio, model, benchmark = (gain * scale for gain in gains)
    return PooledAccounts(groups, sessions, names, begin, portfolio, model, benchmark, rows * scale[..., None])
