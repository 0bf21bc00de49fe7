"""The firm's book of record: its tables, their checks, and the store that keeps a snapshot whole."""

from workbench.firm.history import at, lots_at, positions_at
from workbench.firm.schema import CASH, TABLES, Table
from workbench.firm.snapshot import Firm, open_firm, seal, write_firm
from workbench.firm.validation import validate

__all__ = [
    "CASH",
    "TABLES",
    "Firm",
    "Table",
    "at",
    "lots_at",
    "open_firm",
    "positions_at",
    "seal",
    "validate",
    "write_firm",
]
