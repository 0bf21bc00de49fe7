"""Causes: why an account stands where it stands, exactly.

The deviation of each security from its target is walked back to the close of the day the account last stood on its
model. Between events only prices move weights; on a day with events they are taken one after the other at that day's
close, in this order, each booking the change of weights it makes:

1. market: yesterday's holdings, restated for splits and with the day's dividends still in them, at today's closes;
2. corporate_actions: dividends leave their securities as cash and are reinvested, spin-offs come in;
3. flows: deposits, withdrawals, transfers in cash and in kind, fees, and trades made for them (origin client or fee);
4. trades: the firm's own rebalancing, at the price traded (a price away from the close is part of its effect);
5. overrides: purchases and sales of manual origin, an advisor's or client's choice against the model.

To these come `model_change`, the target then less the target now, and `residual`, the deviation left standing at the
start. The seven add up to the deviation to rounding error, at every level, because every level is a sum of securities.

The path matters and is the real one: a sequential attribution along the account's own history. The market's effect
on a security is relative, w (r - R) / (1 + R): a share that rises less than its account falls in weight.

A spin-off's rows do not name its parent, so the parent's fall is in `market` and the new shares' value in
`corporate_actions`. The account's present model is taken for the whole time; a change of an account's model is not in
the book of record.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.drift import _walk
from workbench.drift.history import History, Versions
from workbench.drift.inputs import DriftInputs, Floats, Ints, Level, Offsets
from workbench.errors import ParameterError
from workbench.firm import CASH

CAUSES = ("market", "corporate_actions", "flows", "trades", "overrides", "model_change", "residual")
_REASONS = {
    _walk.WORTHLESS: "value fell to zero or below on the way",
    _walk.UNPRICED: "something it held has no price on the way",
    _walk.NEVER_FUNDED: "never worth anything in the time covered by prices",
}


@dataclass(frozen=True, eq=False)
class Causes:
    """Each security's deviation split into its causes, for the accounts that could be explained.

    `account` (N) points into the inputs' accounts and `start` (N) is the day the walk began. Rows
    `account_ptr[i]:account_ptr[i + 1]` are account i's, ordered by security; `effect` is rows x causes in the order
    of `CAUSES`, fractions of the account. `no_data` has account_id and reason of the others.
    """

    inputs: DriftInputs
    account: Offsets
    start: pd.DatetimeIndex
    account_ptr: Offsets
    security: Ints
    effect: Floats
    deviation: Floats
    no_data: pd.DataFrame

    def level(self, name: str, accounts: list[str] | None = None) -> pd.DataFrame:
        """Return account_id, key, start, one column a cause and deviation, at any level; rows of nothing left out.

        Raises `ParameterError` for a level or account that is not there.
        """
        chosen = np.arange(len(self.account)) if accounts is None else self._positions(accounts)
        effect, deviation = self._grouped(name, chosen)
        place, key = np.nonzero((np.abs(effect) > 1e-15).any(axis=2))
        level = self._level(name)
        at = chosen[place]
        frame = pd.DataFrame(
            {
                "account_id": self.inputs.account_ids.take(self.account[at]),
                "key": pd.Index(level.keys).take(key),
                "start": self.start.take(at),
            }
        )
        for column, cause in enumerate(CAUSES):
            frame[cause] = effect[place, key, column]
        frame["deviation"] = deviation[place, key]
        return frame

    def members(self, name: str, account: str, key: str) -> pd.DataFrame:
        """Return the securities behind one key of one account: security_id, one column a cause, deviation."""
        level = self._level(name)
        if key not in level.keys:
            raise ParameterError(f"there is no {name} {key!r}", "key")
        position = self._positions([account])[0]
        rows = slice(self.account_ptr[position], self.account_ptr[position + 1])
        security = self.security[rows]
        share = _share(level, self.inputs.model[self.account[position]], security)[:, level.keys.index(key)]
        kept = share != 0
        frame = pd.DataFrame(self.effect[rows][kept] * share[kept, None], columns=list(CAUSES))
        frame.insert(0, "security_id", [self.inputs.securities.ids[s] for s in security[kept]])
        frame["deviation"] = self.deviation[rows][kept] * share[kept]
        return frame

    def _grouped(self, name: str, chosen: Offsets) -> tuple[Floats, Floats]:
        """Effects (accounts x G x causes) and deviations (accounts x G) of a level."""
        level = self._level(name)
        effect = np.zeros((len(chosen), len(level.keys), len(CAUSES)))
        deviation = np.zeros((len(chosen), len(level.keys)))
        for place, position in enumerate(chosen):
            rows = slice(self.account_ptr[position], self.account_ptr[position + 1])
            if level.member is not None:
                key = level.member[self.security[rows]]
                np.add.at(effect[place], key, self.effect[rows])
                np.add.at(deviation[place], key, self.deviation[rows])
            else:
                share = _share(level, self.inputs.model[self.account[position]], self.security[rows])
                effect[place] = share.T @ self.effect[rows]
                deviation[place] = share.T @ self.deviation[rows]
        return effect, deviation

    def _level(self, name: str) -> Level:
        if name not in self.inputs.levels:
            raise ParameterError(f"level {name!r} was not measured; there are {', '.join(self.inputs.levels)}", "level")
        return self.inputs.levels[name]

    def _positions(self, accounts: list[str]) -> Offsets:
        ids = self.inputs.account_ids.take(self.account)
        positions = np.asarray(ids.get_indexer(pd.Index(accounts)), dtype=np.int64)
        missing = [account for account, position in zip(accounts, positions) if position < 0]
        if missing:
            raise ParameterError(f"account {missing[0]!r} was not explained; see no_data for the reason", "accounts")
        return positions


def explain(inputs: DriftInputs, history: History) -> Causes:
    """Split the deviation of every security of the accounts in `history` into its causes.

    Cost grows with the events and the securities an account has: an account's every day with events values all its
    securities a few times.
    """
    cash = inputs.securities.ids.index(CASH)
    effect, begin_weight, begin, outcome = _walk.walk(
        history.slot_ptr, history.slot_security, history.start_quantity, cash, history.start,
        history.event_ptr, history.event_day, history.event_step, history.event_slot,
        history.event_quantity, history.event_amount, history.close,
    )  # fmt: skip
    explained = outcome == _walk.EXPLAINED
    owner = np.repeat(np.arange(len(history.account)), np.diff(history.slot_ptr))
    rows = explained[owner]
    owner, security = owner[rows], history.slot_security[rows]
    model = inputs.model[history.account]
    start = history.sessions.take(begin)
    now = inputs.levels["security"].target[model[owner], security]
    then = _target_then(history.versions, model, np.asarray(start))[owner, security]
    columns = [effect[rows], (then - now)[:, None], (begin_weight[rows] - then)[:, None]]
    counts = np.bincount(owner, minlength=len(history.account))[explained]
    failed = np.flatnonzero(~explained)
    return Causes(
        inputs=inputs,
        account=history.account[explained],
        start=start[explained],
        account_ptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        security=security,
        effect=np.hstack(columns),
        deviation=_weights(inputs, history.account[owner], security) - now,
        no_data=pd.DataFrame(
            {
                "account_id": inputs.account_ids.take(history.account[failed]),
                "reason": [_REASONS[int(outcome[position])] for position in failed],
            }
        ),
    )


def _weights(inputs: DriftInputs, account: Offsets, security: Ints) -> Floats:
    """Measured weights of (account, security) pairs; zero for what is not held."""
    holdings, width = inputs.holdings, len(inputs.securities.ids)
    owner = np.repeat(np.arange(len(holdings.account_ptr) - 1), np.diff(holdings.account_ptr))
    held = owner * width + holdings.security
    wanted = account * width + security
    found = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    worth = holdings.quantity[found] * inputs.securities.price[holdings.security[found]]
    return np.where(held[found] == wanted, worth / inputs.values[account], 0.0)


def _target_then(versions: Versions, model: Ints, start: np.ndarray) -> Floats:
    """Targets in force at each account's start (N x S); zero where its model had no version yet."""
    target = np.zeros((len(model), versions.target.shape[1]))
    for row, effective in enumerate(versions.effective):
        mine = (model == versions.model[row]) & (start >= effective)
        target[mine] = versions.target[row]
    return target


def _share(level: Level, model: int, security: Ints) -> Floats:
    """The part of each security that falls to each key (rows x G)."""
    if level.member is not None:
        return np.eye(len(level.keys))[level.member[security]]
    if level.loadings is None:
        raise ParameterError(f"level {level.name} says neither member nor loadings", "level")
    share: Floats = level.loadings[model if len(level.loadings) > 1 else 0][security]
    return share
