"""Every check by the name that a rule calls it, one line each: the function, the tables it reads, its parameters."""

from __future__ import annotations

from workbench.compliance.check import Check
from workbench.compliance.checks import restrictions

CHECKS: dict[str, Check] = {
    "never_buy": Check(restrictions.never_buy, ("restrictions", "securities")),
}

__all__ = ["CHECKS"]
