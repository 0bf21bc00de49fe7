"""The firm's book of record: its tables, their checks, and the store that keeps a snapshot whole."""

from workbench.firm.schema import CASH, TABLES, Table
from workbench.firm.snapshot import Firm, open_firm, seal, write_firm
from workbench.firm.validation import validate

__all__ = ["CASH", "TABLES", "Firm", "Table", "open_firm", "seal", "validate", "write_firm"]
