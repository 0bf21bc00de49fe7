"""Which runs to make: every combination of policies, start offsets, cost multiples, delays and paths, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from workbench.backtest import _decide
from workbench.backtest.policy import CompiledPolicy, Policy
from workbench.backtest.universe import Floats, Ints
from workbench.errors import ParameterError


@dataclass(frozen=True, eq=False)
class Runs:
    """R runs of a batch, as arrays of length R: `policy` (index into `policies`), `offset`, `cost_multiple`, `delay`,
    `path`.

    A policy looks at the sessions s of the universe with s mod `every` = `offset`, so that a run's looks do not depend
    on where a window begins. Decided at the close of one session, a trade is done at the close `delay` later.
    Raises `ParameterError` for names given twice, offsets outside [0, every), multiples below 0 or delays below 1.
    """

    policies: tuple[Policy, ...]
    policy: Ints
    offset: Ints
    cost_multiple: Floats
    delay: Ints
    path: Ints

    def __post_init__(self) -> None:
        _check_policies(self.policies)
        every = np.array([policy.every for policy in self.policies], dtype=np.int64)[self.policy]
        for name, wrong, must in (
            (
                "offset",
                (self.offset < 0) | (self.offset >= every),
                "from 0 to below its sessions between looks",
            ),
            ("cost_multiple", ~(np.isfinite(self.cost_multiple) & (self.cost_multiple >= 0.0)), "0 or more"),
            ("delay", self.delay < 1, "1 session or more: a close cannot be traded at the moment it is known"),
            ("path", self.path < 0, "0 or more"),
        ):
            if wrong.any():
                run = int(np.argmax(wrong))
                policy = self.policies[self.policy[run]].name
                raise ParameterError(f"{name} {getattr(self, name)[run]} of {policy!r} must be {must}", name)

    def __len__(self) -> int:
        return len(self.policy)

    @classmethod
    def product(
        cls,
        policies: Sequence[Policy],
        offsets: Sequence[int] | Literal["all"] = (0,),
        cost_multiples: Sequence[float] | Floats = (1.0,),
        delays: Sequence[int] = (1,),
        paths: Sequence[int] = (0,),
    ) -> Runs:
        """Every combination; `offsets="all"` takes every start offset of each policy (one for a policy that holds)."""
        _check_policies(policies)
        if isinstance(offsets, str) and offsets != "all":
            raise ParameterError(f"offsets are numbers, or 'all', not {offsets!r}", "offsets")
        numbers = {"offsets": offsets, "delays": delays, "paths": paths, "cost_multiples": cost_multiples}
        for name, values in numbers.items():
            if not isinstance(values, str):
                _check_numbers(name, np.asarray(values), whole=name != "cost_multiples")
        columns: list[Floats] = []
        for index, policy in enumerate(policies):
            starts = np.arange(distinct_offsets(policy)) if isinstance(offsets, str) else np.asarray(offsets)
            grid = np.meshgrid([index], starts, cost_multiples, delays, paths, indexing="ij")
            columns.append(np.stack([axis.ravel().astype(np.float64) for axis in grid]))
        policy, offset, multiple, delay, path = np.concatenate(columns, axis=1)
        whole = [values.astype(np.int64) for values in (policy, offset, delay, path)]
        return cls(tuple(policies), whole[0], whole[1], multiple, whole[2], whole[3])

    def subset(self, rows: Ints) -> Runs:
        """The runs of these rows, in this order."""
        return Runs(
            self.policies,
            self.policy[rows],
            self.offset[rows],
            self.cost_multiple[rows],
            self.delay[rows],
            self.path[rows],
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a run: policy (name), offset, cost_multiple, delay, path."""
        names = np.array([policy.name for policy in self.policies], dtype=object)
        columns = {name: getattr(self, name) for name in ("offset", "cost_multiple", "delay", "path")}
        return pd.DataFrame({"policy": names[self.policy], **columns})


def distinct_offsets(policy: Policy) -> int:
    """Start offsets that differ: the sessions between looks, or one where nothing is ever traded."""
    if isinstance(policy, CompiledPolicy) and policy.rule().kind == _decide.HOLD:
        return 1
    return policy.every


def _check_policies(policies: Sequence[Policy]) -> None:
    if isinstance(policies, Policy) or not isinstance(policies, Sequence):
        raise ParameterError(f"policies must be a list, is {policies!r:.80}; put it in brackets", "policies")
    if not len(policies):
        raise ParameterError("give at least one policy to run", "policies")
    for policy in policies:
        if not isinstance(policy, Policy):
            raise ParameterError(f"{policy!r} is no policy: it must have `name`, `every` and `decide`", "policies")
    names = [policy.name for policy in policies]
    nameless = [name for name in names if not isinstance(name, str) or not name.strip()]
    if nameless:
        raise ParameterError(f"a policy is called {nameless[0]!r}; give it a name, by which tables call it", "policies")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"two policies are called {twice[0]!r}; leave one out, or name them apart", "policies")
    for policy in policies:
        if not isinstance(policy.every, int | np.integer) or policy.every < 1:
            raise ParameterError(
                f"{policy.name!r} looks every {policy.every} sessions; give a whole number of at least 1", "policies"
            )


def _check_numbers(name: str, values: Floats, *, whole: bool) -> None:
    """Raise `ParameterError` where there are none, or one that is not finite, or not whole where it must be."""
    if values.ndim != 1 or not len(values):
        raise ParameterError(f"{name} must be a list of one number or more", name)
    wrong = ~np.isfinite(values) | (whole & (values != np.trunc(values)))
    if wrong.any():
        value = values[int(np.argmax(wrong))]
        raise ParameterError(f"{name} holds {value}; give {'whole' if whole else 'finite'} numbers", name)
