"""US federal tax on securities: lots, holding periods, wash sales, netting, rates, dividends and distributions."""

__all__: list[str] = []
