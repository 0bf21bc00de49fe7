"""From drift to a proposal a person can release: whole households, every lot, every registration."""

from workbench.rebalance import after_tax, transition
from workbench.rebalance.allocation import allocate
from workbench.rebalance.export import write_csv, write_parquet
from workbench.rebalance.firm_orders import FirmOrders, propose_firm, solve_firm
from workbench.rebalance.household import Household
from workbench.rebalance.impact import ModelChangeImpact, model_change
from workbench.rebalance.load import Book, households, load
from workbench.rebalance.orders import orders
from workbench.rebalance.overlay import SleeveNet, blocks, net_sleeves
from workbench.rebalance.package import (
    SignalPackage,
    content_hash,
    dumps,
    loads,
    package,
    read_index,
    read_package,
    write_packages,
)
from workbench.rebalance.proposal import Proposal
from workbench.rebalance.propose import propose
from workbench.rebalance.queue import queue
from workbench.rebalance.settings import Settings
from workbench.rebalance.solve import solve_household

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
    "write_csv",
    "write_packages",
    "write_parquet",
]
