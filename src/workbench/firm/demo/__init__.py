"""The demo firm: one deterministic builder whose accounts have lived the histories their books show."""

from workbench.firm.demo.build import build, build_firm
from workbench.firm.demo.market_data import Market, embedded_market

__all__ = ["Market", "build", "build_firm", "embedded_market"]
