"""The demo firm: one deterministic builder whose accounts have lived the histories their books show."""

from workbench.firm.demo.build import Built, build, build_firm, build_with_faults
from workbench.firm.demo.clients import ROLES
from workbench.firm.demo.faults import FAULTS, Planted
from workbench.firm.demo.market_data import Market, embedded_market
from workbench.firm.demo.market_file import market_from_file

__all__ = [
    "FAULTS",
    "ROLES",
    "Built",
    "Market",
    "Planted",
    "build",
    "build_firm",
    "build_with_faults",
    "embedded_market",
    "market_from_file",
]
