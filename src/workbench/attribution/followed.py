"""Accounts matched with the models they follow, a run of them at a time: what every attribution of accounts reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from workbench.attribution._carve import by_security, carve
from workbench.attribution._paper import Flags, Floats, Ints, grouped, held_sum
from workbench.attribution.paths import ModelPaths
from workbench.errors import ParameterError
from workbench.firm import CASH
from workbench.performance import DailyHoldings

#: Accounts x sessions of a run: its arrays by account and row are a few MB, so that they stay near the processor.
_CELLS = 20_000


@dataclass(frozen=True, eq=False)
class ModelSides:
    """What all runs of accounts need of the models' paths, made once; M models, T periods, L sleeves, C columns.

    Zero where there is none.
    """

    paths: ModelPaths

    @cached_property
    def decided(self) -> Floats:
        """`model_effects` (M x T x 3L)."""
        return model_effects(self.paths)

    @cached_property
    def gains(self) -> Floats:
        """m (r - R) of each model by sleeve, cash apart, and of its cash last (M x T x L + 1)."""
        paths = self.paths
        each = held_sum(paths.weights, paths.returns[:, paths.column_security] - paths.model_returns[..., None])
        group = np.where(self.is_cash, len(paths.sleeves), paths.column_sleeve)
        return np.nan_to_num(grouped(each, group, len(paths.sleeves) + 1))

    @cached_property
    def cash_weights(self) -> Floats:
        """Cash that each model holds, by sleeve (M x T x L)."""
        return np.nan_to_num(self.paths.by_sleeve(np.where(self.is_cash, self.paths.weights, 0.0)))

    @cached_property
    def sleeve_weights(self) -> Floats:
        """Weights of the models' sleeves (M x T x L)."""
        return np.nan_to_num(self.paths.sleeve_weights)

    @cached_property
    def sleeve_returns(self) -> Floats:
        """Returns of the models' sleeves (M x T x L)."""
        return np.nan_to_num(self.paths.sleeve_returns)

    @cached_property
    def shares(self) -> Floats:
        """Each column's part of all that the model holds in its security, cash apart (M x C x T)."""
        paths = self.paths
        mine = np.nan_to_num(np.where(self.is_cash, 0.0, paths.weights)).transpose(0, 2, 1)
        whole = np.nan_to_num(paths.security_weights)[..., paths.column_security].transpose(0, 2, 1)
        return np.divide(mine, whole, out=np.zeros(mine.shape), where=whole > 0)

    @cached_property
    def returns(self) -> Floats:
        """Returns of the securities (S x T)."""
        return np.nan_to_num(np.ascontiguousarray(self.paths.returns.T))

    @cached_property
    def is_cash(self) -> Flags:
        """Which columns hold cash (C)."""
        return np.equal(self.paths.column_security, self.paths.securities.index(CASH))

    @cached_property
    def columns(self) -> tuple[Ints, Ints, Ints]:
        """Where each security's columns begin, the columns in order of security, and the sleeve of each column."""
        order = np.argsort(self.paths.column_security, kind="stable")
        inside = self.paths.column_security[order]
        begins = np.searchsorted(inside, np.arange(len(self.paths.securities) + 1))
        return begins, order, self.paths.column_sleeve.copy()


@dataclass(frozen=True, eq=False)
class Followed:
    """N accounts of a ledger and the models they follow.

    `model_row` (N) is the account's model in the paths, -1 for none. All below is zero or false where an account is not
    measured: without model, before its model's first version, or without value at the beginning.
    """

    daily: DailyHoldings
    sides: ModelSides
    model_row: Ints

    @property
    def paths(self) -> ModelPaths:
        """The models' paths."""
        return self.sides.paths

    @cached_property
    def model(self) -> Ints:
        """The account's model (N), 0 where it has none."""
        return np.maximum(self.model_row, 0)

    @cached_property
    def value(self) -> Floats:
        """Market value of each account at each close (N x T+1)."""
        return self.daily.account_value

    @cached_property
    def present(self) -> Flags:
        """Which periods are measured (N x T)."""
        known = (self.model_row >= 0)[:, None]
        return np.asarray((self.value[:, :-1] > 0) & known & self.paths.exists[self.model])

    @cached_property
    def begin(self) -> Floats:
        """Value at the beginning of each period (N x T)."""
        return np.where(self.present, self.value[:, :-1], 0.0)

    @cached_property
    def scale(self) -> Floats:
        """One over `begin` (N x T)."""
        return np.divide(1.0, self.begin, out=np.zeros_like(self.begin), where=self.present)

    @cached_property
    def cash(self) -> Floats:
        """Cash at the beginning of each period (N x T)."""
        return np.asarray(self.daily.value[self._cash_slots, :-1])

    @cached_property
    def interest(self) -> Floats:
        """What cash earned (N x T)."""
        return np.asarray(self.daily.holding[self._cash_slots])

    @cached_property
    def holding(self) -> Floats:
        """What all that was held gained (N x T)."""
        return self.daily.by_account(self.daily.holding)

    @cached_property
    def trading(self) -> Floats:
        """What trades gained or cost against the close (N x T)."""
        return self.daily.by_account(self.daily.trading)

    @cached_property
    def inside(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Dollars in the model's sleeves (each N x T x L), cash apart: held, gained, expected at r, traded."""
        daily, sides = self.daily, self.sides
        sums = carve(
            daily.slot_ptr, daily.slot_security, self.model, daily.value, daily.holding, daily.trading, sides.returns,
            *sides.columns, sides.shares, len(self.paths.sleeves),
        )  # fmt: skip
        held, gained, expected, traded = (np.ascontiguousarray(side.transpose(0, 2, 1)) for side in sums)
        return held, gained, expected, traded

    def by_security(self, against: Floats) -> tuple[Floats, Floats]:
        """Value, and gain over `against` (N x T), of what measured accounts held (both T x S)."""
        daily = self.daily
        value, gain = by_security(
            daily.slot_ptr, daily.slot_security, self.present, daily.value, daily.holding, against,
            len(self.paths.securities),
        )  # fmt: skip
        return value.T, gain.T

    def by_model(self, dollars: Floats) -> Floats:
        """Sum dollars of accounts (N x ...) over those of each model (M x ...)."""
        models = np.arange(len(self.paths.models))[:, None]
        mine = (models == self.model_row).astype(np.float64)
        return np.asarray(np.tensordot(mine, dollars, axes=1))

    @cached_property
    def _cash_slots(self) -> Ints:
        return np.flatnonzero(self.daily.slot_security == self.paths.securities.index(CASH))


def follow(daily: DailyHoldings | Iterable[DailyHoldings], paths: ModelPaths) -> Iterator[Followed]:
    """Match a ledger, or one after another, with the paths, in runs of accounts small enough for their daily rows.

    Raises `ParameterError` where ledger and paths were made for other sessions or securities.
    """
    sides = ModelSides(paths)
    for ledger in [daily] if isinstance(daily, DailyHoldings) else daily:
        _check_alike(ledger, paths)
        size = max(_CELLS // max(len(paths.sessions), 1), 1)
        for first in range(0, max(len(ledger.accounts), 1), size):
            run = _cut(ledger, first, min(first + size, len(ledger.accounts)))
            yield Followed(run, sides, paths.model_rows(run.accounts["model_id"]))


def model_effects(paths: ModelPaths) -> Floats:
    """Brinson-Fachler effects of each model against its benchmark by sleeve (M x T x 3L): one effect after another.

    With W, R of the model's sleeve, v, b of the benchmark's and B its total: allocation (W - v)(b - B), selection
    v (R - b), interaction (W - v)(R - b). A sleeve that the model does not hold has nothing selected.
    Brinson and Fachler, "Measuring Non-US Equity Portfolio Performance", J. of Portfolio Management, Spring 1985.
    """
    total = paths.benchmark_returns[..., None]
    neutral, against = paths.benchmark_weights, paths.sleeve_benchmark_returns
    active = paths.sleeve_weights - neutral
    selected = np.where(paths.sleeve_weights > 0, paths.sleeve_returns - against, 0.0)
    effects = [held_sum(active, against - total), neutral * selected, active * selected]
    return np.asarray(np.nan_to_num(np.concatenate(effects, axis=2)))


def _cut(ledger: DailyHoldings, first: int, last: int) -> DailyHoldings:
    """The ledger of accounts first..last - 1 alone."""
    slots = slice(int(ledger.slot_ptr[first]), int(ledger.slot_ptr[last]))
    return replace(
        ledger,
        accounts=ledger.accounts.iloc[first:last].reset_index(drop=True),
        slot_ptr=ledger.slot_ptr[first : last + 1] - slots.start,
        slot_security=ledger.slot_security[slots],
        value=ledger.value[slots],
        holding=ledger.holding[slots],
        trading=ledger.trading[slots],
        flow=ledger.flow[first:last],
        fee=ledger.fee[first:last],
        unexplained=ledger.unexplained[first:last],
    )


def _check_alike(daily: DailyHoldings, paths: ModelPaths) -> None:
    if not daily.sessions.equals(paths.sessions):
        raise ParameterError(
            "the ledger and the models' paths have different sessions; load both for the same", "paths"
        )
    if paths.securities[: len(daily.securities)] != daily.securities:
        raise ParameterError(
            "the models' paths do not begin with the ledger's securities; load them with securities=daily.securities",
            "paths",
        )
