"""Executed notebooks in, the committee's book out: exhibits, figures, HTML pages and a PDF."""

from workbench.report import figures
from workbench.report.exhibit import (
    Badge,
    CalloutBody,
    Column,
    Exhibit,
    ExhibitError,
    Fact,
    FactRef,
    FigureBody,
    Kpi,
    KpiBody,
    Link,
    Missing,
    ProseBody,
    Settings,
    Strong,
    TableBody,
)

__all__ = [
    "Badge",
    "CalloutBody",
    "Column",
    "Exhibit",
    "ExhibitError",
    "Fact",
    "FactRef",
    "FigureBody",
    "Kpi",
    "KpiBody",
    "Link",
    "Missing",
    "ProseBody",
    "Settings",
    "Strong",
    "TableBody",
    "figures",
]
