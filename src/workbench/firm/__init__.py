"""The firm's book of record: its tables, their checks, and the store that keeps a snapshot whole."""

from workbench.firm.codes import codes
from workbench.firm.history import at, lots_at, positions_at
from workbench.firm.locate import locate, open_at, project_root
from workbench.firm.models import effective_versions, models_in_force
from workbench.firm.schema import CASH, TABLES, Table
from workbench.firm.snapshot import Firm, open_firm, seal, write_firm
from workbench.firm.tax_rates import NIIT_RATE, gain_rates
from workbench.firm.validation import validate

__all__ = [
    "CASH",
    "NIIT_RATE",
    "TABLES",
    "Firm",
    "Table",
    "at",
    "codes",
    "effective_versions",
    "gain_rates",
    "locate",
    "lots_at",
    "models_in_force",
    "open_at",
    "open_firm",
    "positions_at",
    "project_root",
    "seal",
    "validate",
    "write_firm",
]
