"""From drift to a proposal a person can release: whole households, every lot, every registration."""

from workbench.rebalance import after_tax, direct_index, transition
from workbench.rebalance.firm_orders import FirmOrders, propose_firm, solve_firm
from workbench.rebalance.household import Household
from workbench.rebalance.load import Book, households, load, unknown_gains
from workbench.rebalance.proposal import Proposal
from workbench.rebalance.propose import propose
from workbench.rebalance.queue import queue
from workbench.rebalance.settings import Settings
from workbench.rebalance.signal.package import (
    SignalPackage,
    content_hash,
    dumps,
    loads,
    package,
    read_index,
    read_package,
    write_packages,
)
from workbench.rebalance.solve import solve_household
from workbench.rebalance.trading.allocation import allocate
from workbench.rebalance.trading.export import write_csv, write_parquet
from workbench.rebalance.trading.orders import orders
from workbench.rebalance.trading.overlay import SleeveNet, blocks, net_sleeves
from workbench.rebalance.version_change.impact import ModelChangeImpact, model_change

__all__ = [
    "Book",
    "FirmOrders",
    "Household",
    "ModelChangeImpact",
    "Proposal",
    "Settings",
    "SignalPackage",
    "SleeveNet",
    "after_tax",
    "allocate",
    "blocks",
    "content_hash",
    "direct_index",
    "dumps",
    "households",
    "load",
    "loads",
    "model_change",
    "net_sleeves",
    "orders",
    "package",
    "propose",
    "propose_firm",
    "queue",
    "read_index",
    "read_package",
    "solve_firm",
    "solve_household",
    "transition",
    "unknown_gains",
    "write_csv",
    "write_packages",
    "write_parquet",
]
