"""Pre-flight: every proposal against every rule, as data, before a person sees it."""

from workbench.compliance.changes import ChangeReport, Past, RuleChange, change_report, rejudged, rule_diff
from workbench.compliance.check import Check
from workbench.compliance.checks import CHECKS
from workbench.compliance.context import Context
from workbench.compliance.document import Document, Finding, read_document
from workbench.compliance.firm_view import FirmView
from workbench.compliance.household_inputs import HouseholdInputs, household_inputs
from workbench.compliance.orders import Orders
from workbench.compliance.outcome import Outcome, Verdict
from workbench.compliance.preflight import Preflight, preflight
from workbench.compliance.rule import Rule
from workbench.compliance.rulebook import Rulebook

__all__ = [
    "CHECKS",
    "ChangeReport",
    "Check",
    "Context",
    "Document",
    "Finding",
    "FirmView",
    "HouseholdInputs",
    "Orders",
    "Outcome",
    "Past",
    "Preflight",
    "Rule",
    "RuleChange",
    "Rulebook",
    "Verdict",
    "change_report",
    "household_inputs",
    "preflight",
    "read_document",
    "rejudged",
    "rule_diff",
]
