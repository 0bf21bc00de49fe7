"""Compiled loops over accounts. Each account is worked by itself, so the number of threads changes no bit."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from workbench.drift.inputs import Flags, Floats, Ints, Offsets


@njit(cache=True, parallel=True)
def count_rows(
    account_ptr: Offsets, security: Ints, model: Ints, target_ptr: Offsets, target_security: Ints
) -> Offsets:
    """Count, for each account, the securities that it holds or its model names."""
    n = len(account_ptr) - 1
    count = np.zeros(n, np.int64)
    for a in prange(n):
        i, end = account_ptr[a], account_ptr[a + 1]
        j, stop = target_ptr[model[a]], target_ptr[model[a] + 1]
        rows = 0
        while i < end or j < stop:
            if j >= stop or (i < end and security[i] < target_security[j]):
                i += 1
            elif i >= end or target_security[j] < security[i]:
                j += 1
            else:
                i += 1
                j += 1
            rows += 1
        count[a] = rows
    return count


@njit(cache=True, parallel=True)
def security_rows(
    account_ptr: Offsets,
    security: Ints,
    quantity: Floats,
    price: Floats,
    model: Ints,
    target_ptr: Offsets,
    target_security: Ints,
    target: Floats,
    row_ptr: Offsets,
    value: Floats,
) -> tuple[Ints, Offsets, Floats, Floats]:
    """Merge holdings and targets: the rows' security, holding (-1: not held), weight and target."""
    n_rows = row_ptr[-1]
    row_security = np.empty(n_rows, np.int32)
    row_holding = np.empty(n_rows, np.int64)
    row_weight = np.zeros(n_rows)
    row_target = np.zeros(n_rows)
    for a in prange(len(account_ptr) - 1):
        m = model[a]
        i, end = account_ptr[a], account_ptr[a + 1]
        j, stop = target_ptr[m], target_ptr[m + 1]
        row = row_ptr[a]
        while i < end or j < stop:
            held = i < end and (j >= stop or security[i] <= target_security[j])
            named = j < stop and (i >= end or target_security[j] <= security[i])
            s = security[i] if held else target_security[j]
            row_security[row] = s
            row_holding[row] = i if held else -1
            row_target[row] = target[m, s]
            if held:
                row_weight[row] = quantity[i] * price[s] / value[a]
                i += 1
            if named:
                j += 1
            row += 1
    return row_security, row_holding, row_weight, row_target


@njit(cache=True, parallel=True)
def sum_by_member(row_ptr: Offsets, row_security: Ints, amount: Floats, member: Ints, n_keys: int) -> Floats:
    """Add up `amount` by account and key (A x G) where each security falls into one key."""
    n = len(row_ptr) - 1
    total = np.zeros((n, n_keys))
    for a in prange(n):
        for row in range(row_ptr[a], row_ptr[a + 1]):
            total[a, member[row_security[row]]] += amount[row]
    return total


@njit(cache=True, parallel=True)
def sum_by_loading(row_ptr: Offsets, row_security: Ints, amount: Floats, model: Ints, loadings: Floats) -> Floats:
    """Add up `amount` x loading by account and key (A x G); a NaN loading of something held gives NaN."""
    n, n_keys = len(row_ptr) - 1, loadings.shape[2]
    total = np.zeros((n, n_keys))
    for a in prange(n):
        m = model[a] if loadings.shape[0] > 1 else 0
        for row in range(row_ptr[a], row_ptr[a + 1]):
            if amount[row] != 0.0:
                for g in range(n_keys):
                    total[a, g] += amount[row] * loadings[m, row_security[row], g]
    return total


@njit(cache=True, parallel=True)
def factor_risk(
    row_ptr: Offsets,
    row_security: Ints,
    deviation: Floats,
    exposures: Floats,
    factor_covariance: Floats,
    specific: Floats,
    known: Flags,
) -> tuple[Floats, Floats, Floats]:
    """Tracking error (A), its split by row, and by factor with the specific part last (A x k + 1)."""
    n, k = len(row_ptr) - 1, exposures.shape[1]
    error = np.empty(n)
    split = np.empty(len(deviation))
    by_factor = np.empty((n, k + 1))
    for a in prange(n):
        active = np.zeros(k)
        specific_variance = 0.0
        covered = True
        for row in range(row_ptr[a], row_ptr[a + 1]):
            s, d = row_security[row], deviation[row]
            if d != 0.0 and not known[s]:
                covered = False
            specific_variance += d * d * specific[s]
            for f in range(k):
                active[f] += d * exposures[s, f]
        common = np.zeros(k)
        for f in range(k):
            for g in range(k):
                common[f] += factor_covariance[f, g] * active[g]
        variance = specific_variance
        for f in range(k):
            variance += active[f] * common[f]
        error[a] = np.sqrt(max(variance, 0.0)) if covered else np.nan
        scale = 0.0 if error[a] == 0.0 else 1.0 / error[a]
        for f in range(k):
            by_factor[a, f] = active[f] * common[f] * scale
        by_factor[a, k] = specific_variance * scale
        for row in range(row_ptr[a], row_ptr[a + 1]):
            s, d = row_security[row], deviation[row]
            marginal = specific[s] * d
            for f in range(k):
                marginal += exposures[s, f] * common[f]
            split[row] = d * marginal * scale
    return error, split, by_factor


@njit(cache=True, parallel=True)
def matrix_risk(
    row_ptr: Offsets, row_security: Ints, deviation: Floats, covariance: Floats, known: Flags
) -> tuple[Floats, Floats]:
    """Tracking error (A) and its split by row, from a full covariance matrix (S x S)."""
    n = len(row_ptr) - 1
    error = np.empty(n)
    split = np.empty(len(deviation))
    for a in prange(n):
        first, last = row_ptr[a], row_ptr[a + 1]
        variance, covered = 0.0, True
        for i in range(first, last):
            s, marginal = row_security[i], 0.0
            if deviation[i] != 0.0 and not known[s]:
                covered = False
            for j in range(first, last):
                marginal += covariance[s, row_security[j]] * deviation[j]
            split[i] = deviation[i] * marginal
            variance += split[i]
        error[a] = np.sqrt(max(variance, 0.0)) if covered else np.nan
        scale = 0.0 if error[a] == 0.0 else 1.0 / error[a]
        for i in range(first, last):
            split[i] *= scale
    return error, split


@njit(cache=True, parallel=True)
def tax_to_sell(shares: Floats, holding: Offsets, lot_ptr: Offsets, quantity: Floats, tax: Floats) -> Floats:
    """Tax of selling `shares` of each row's holding, least tax a share first; NaN where its lots do not suffice."""
    total = np.zeros(len(shares))
    for row in prange(len(shares)):
        left = shares[row]
        if left <= 0.0:
            continue
        slack = 1e-6 * (1.0 + left)
        for lot in range(lot_ptr[holding[row]], lot_ptr[holding[row] + 1]):
            sold = min(left, quantity[lot])
            total[row] += sold * tax[lot]
            left -= sold
            if left <= 0.0:
                break
        if left > slack:
            total[row] = np.nan
    return total


@njit(cache=True)
def group_lots(holding: Offsets, n_holdings: int) -> tuple[Offsets, Offsets]:
    """Return where each holding's lots begin, and the lots in the order of their holdings; -1 is left out."""
    ptr = np.zeros(n_holdings + 1, np.int64)
    for h in holding:
        if h >= 0:
            ptr[h + 1] += 1
    for h in range(n_holdings):
        ptr[h + 1] += ptr[h]
    place = ptr[:-1].copy()
    order = np.empty(ptr[-1], np.int64)
    for lot in range(len(holding)):
        h = holding[lot]
        if h >= 0:
            order[place[h]] = lot
            place[h] += 1
    return ptr, order


@njit(cache=True, parallel=True)
def tax_lots(
    ptr: Offsets,
    order: Offsets,
    quantity: Floats,
    cost: Floats,
    rate: Floats,
    term: Ints,
    account_ptr: Offsets,
    security: Ints,
    price: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Quantity, gain and tax a share of each holding's lots, least tax first, those of unknown tax last.

    `rate` is accounts x terms (short, long), zero where gains are not taxed; `term` is the column of it for each lot,
    -1 where that is not known.
    """
    sorted_quantity, gain, tax = np.empty(len(order)), np.empty(len(order)), np.empty(len(order))
    for a in prange(len(account_ptr) - 1):
        for h in range(account_ptr[a], account_ptr[a + 1]):
            for i in range(ptr[h], ptr[h + 1]):
                lot = order[i]
                lot_gain = price[security[h]] - cost[lot]
                lot_tax = np.nan if term[lot] < 0 else lot_gain * rate[a, term[lot]]
                if rate[a, 0] == 0.0 and rate[a, 1] == 0.0:
                    lot_tax = 0.0
                j = i
                while j > ptr[h] and (tax[j - 1] > lot_tax or (np.isnan(tax[j - 1]) and not np.isnan(lot_tax))):
                    sorted_quantity[j], gain[j], tax[j] = sorted_quantity[j - 1], gain[j - 1], tax[j - 1]
                    j -= 1
                sorted_quantity[j], gain[j], tax[j] = quantity[lot], lot_gain, lot_tax
    return sorted_quantity, gain, tax
