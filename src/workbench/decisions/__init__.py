"""Decisions from the command line: signals, papers, rules, people, measures, audit, the desk; and the demo desk."""

from workbench.decisions.audit import audit
from workbench.decisions.desk import desk
from workbench.decisions.measures import measures
from workbench.decisions.papers import papers
from workbench.decisions.people import people
from workbench.decisions.rules import rules
from workbench.decisions.signals import signals

__all__ = ["audit", "desk", "measures", "papers", "people", "rules", "signals"]
