"""What an export of decisions reads inside documents that governance keeps unopened: trades, findings and names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.compliance import read_document
from workbench.drafting import FactSheet
from workbench.rebalance import loads

#: Kinds of entities whose names say who somebody is.
_WHO = frozenset({"household", "account", "person", "advisor"})


def read_trades(body: bytes) -> Iterator[dict[str, Any]]:
    """Return the trades of a signal package in dollars, sold shares negative. Raises `PackageError` as `loads` does.

    The custodian's fee counts as cost. Accounts and lots are left out.
    """
    for trade in loads(body).trades:
        yield {
            "security_id": trade.security_id,
            "shares": trade.shares if trade.side == "buy" else -trade.shares,
            "price": trade.price,
            "cost": trade.cost + trade.fee,
            "tax": trade.tax,
        }


def read_findings(body: bytes) -> Iterator[dict[str, Any]]:
    """Return the findings of a pre-flight, figures unrounded. Raises `PackageError` as it is read."""
    for found in read_document(body).findings:
        yield {
            "rule_id": found.rule_id,
            "rule_version": found.version,
            "verdict": found.verdict.name.lower(),
            "value": "" if found.value is None else repr(float(found.value)),
            "limit": "" if found.limit is None else repr(float(found.limit)),
            "overridable": found.overridable,
        }


def read_names(body: bytes) -> Iterator[str]:
    """Return every name of a household, account or person on a fact sheet. Raises `FactError` for one that is none."""
    for entity in FactSheet.read(body).entities:
        if entity.kind in _WHO:
            yield from entity.names
