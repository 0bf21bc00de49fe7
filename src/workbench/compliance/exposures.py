"""What a proposal's household holds in each security, issuer, sector ... before and after its trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Positions:
    """One row a proposal, account and security that is held or traded, cash included, in that order.

    `quantity_*` are shares from the book of record and the trades; `before` and `after` dollars at the view's price:
    NaN where there are shares and no price. Cash after is less what trading costs.
    """

    proposal: Ints
    account: Ints
    security: Ints
    quantity_before: Floats
    quantity_after: Floats
    before: Floats
    after: Floats

    def __len__(self) -> int:
        return len(self.proposal)


@dataclass(frozen=True, eq=False)
class Exposure:
    """One row a proposal and key (an issuer, a sector ...), in that order; dollars before and after the trades.

    `owner` is what weights are taken of: the proposal's household, or one account of it (-1: the household).
    `total_before` and `total_after` are the value of that owner, cash included. NaN where a price is missing.
    """

    proposal: Ints
    owner: Ints
    key: Ints
    before: Floats
    after: Floats
    total_before: Floats
    total_after: Floats

    def __len__(self) -> int:
        return len(self.proposal)

    @property
    def weight_before(self) -> Floats:
        """Fractions of the owner's value; NaN where that is nothing or unknown."""
        return share(self.before, self.total_before)

    @property
    def weight_after(self) -> Floats:
        """As `weight_before`, after the trades."""
        return share(self.after, self.total_after)


def sums(code: Ints, amount: NDArray[Any], n: int) -> Floats:
    """Sum amounts by code, (n,)."""
    total: Floats = np.bincount(code, weights=amount, minlength=n).astype(np.float64, copy=False)
    return total


def share(part: Floats, whole: Floats) -> Floats:
    """Part of whole, NaN where the whole is not above zero."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def positions(
    base: tuple[Ints, Ints, Ints, Floats], moved: tuple[Ints, Ints, Ints, Floats], price: Floats, n_securities: int
) -> Positions:
    """Put trades on holdings: rows (proposal, account, security, quantity) of each; `moved` is signed and may repeat.

    `base` is sorted and without repeats.
    """
    proposal, account, security, quantity = (np.concatenate(pair) for pair in zip(base, moved, strict=True))
    n_accounts = int(account.max(initial=0)) + 1
    key = (proposal * n_accounts + account) * n_securities + security
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.concatenate([[True], np.diff(key[order]) != 0])[: len(order)])
    held = np.concatenate([base[3], np.zeros(len(moved[3]))])[order]
    before = np.add.reduceat(held, first) if len(first) else held
    after = np.add.reduceat(quantity[order], first) if len(first) else held
    row = order[first]
    security = security[row]
    at = price[security]
    return Positions(
        proposal[row], account[row], security, before, after,
        np.where(before == 0.0, 0.0, before * at), np.where(after == 0.0, 0.0, after * at),
    )  # fmt: skip


def exposure(
    rows: Positions, group: Ints, by: Ints | None = None, counted: NDArray[np.bool_] | None = None
) -> Exposure:
    """Sum positions by key: `group` codes securities (-1: left out), `by` rows by owner (None: the household).

    `counted` (S,) leaves securities out of the keys, not out of the value that weights are taken of.
    """
    owner = np.full(len(rows), -1, np.int64) if by is None else by
    n_owners = int(owner.max(initial=0)) + 2
    who = rows.proposal * n_owners + owner + 1
    names, whose = np.unique(who, return_inverse=True)
    total_before = sums(whose, rows.before, len(names))
    total_after = sums(whose, rows.after, len(names))
    kept = group[rows.security] >= 0
    if counted is not None:
        kept &= counted[rows.security]
    n_keys = int(group.max(initial=0)) + 1
    key, place = np.unique(whose[kept] * n_keys + group[rows.security[kept]], return_inverse=True)
    before = sums(place, rows.before[kept], len(key))
    after = sums(place, rows.after[kept], len(key))
    at, code = np.divmod(key, n_keys)
    proposal, found = np.divmod(names[at], n_owners)
    return Exposure(proposal, found - 1, code, before, after, total_before[at], total_after[at])
