"""From drift to a proposal a person can release: whole households, every lot, every registration."""

from workbench.rebalance.allocation import allocate
from workbench.rebalance.export import write_csv, write_parquet
from workbench.rebalance.impact import ModelChangeImpact, model_change
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
from workbench.rebalance.queue import queue

__all__ = [
    "ModelChangeImpact",
    "SignalPackage",
    "SleeveNet",
    "allocate",
    "blocks",
    "content_hash",
    "dumps",
    "loads",
    "model_change",
    "net_sleeves",
    "orders",
    "package",
    "queue",
    "read_index",
    "read_package",
    "write_csv",
    "write_packages",
    "write_parquet",
]
