"""What it would cost in tax to sell: open lots at today's price and their household's rates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.drift.inputs import Flags, Floats, Holdings, Lots, Offsets
from workbench.firm import gain_rates


def price_lots(
    *,
    holding: Offsets,
    quantity: Floats,
    cost: Floats,
    holding_start: np.ndarray,
    as_of: pd.Timestamp,
    holdings: Holdings,
    price: Floats,
    rates: pd.DataFrame,
    taxed: Flags,
) -> Lots:
    """Return the lots in the order of `holdings`, least tax a share first.

    `holding` gives each lot's row of `holdings` (-1: leave out); `cost` is the adjusted basis a share, wash-sale
    adjustment included; `holding_start` the first day of the holding period, the day after the purchase, so that a
    lot is long-term from the same calendar day a year later on (Rev. Rul. 66-7). `rates` has the household's rates by
    account, `taxed` says whose gains are taxed this year. A missing cost or date gives a missing tax, never zero.
    """
    from workbench.drift import _kernels

    ptr, order = _kernels.group_lots(holding, len(holdings.security))
    year_ago = np.datetime64((as_of - pd.DateOffset(years=1)).to_datetime64(), "D").astype(holding_start.dtype)
    term = np.where(np.isnat(holding_start), -1, holding_start <= year_ago).astype(np.int32)
    rate = np.where(taxed[:, None], np.column_stack(gain_rates(rates)), 0.0)
    quantity, gain, tax = _kernels.tax_lots(
        ptr, order, quantity, cost, rate, term, holdings.account_ptr, holdings.security, price
    )
    return Lots(ptr, quantity, gain, tax)
