"""Learned rebalancing policies: environments, training, a registry of signed folders, explanation and guardrails.

What is listed here works without torch, gymnasium and stable-baselines3. Environments and training need them and are
imported by their modules: `workbench.learning.environment`, `workbench.learning.train`.
"""

from workbench.learning import explain, familiarity, guardrails, importance, registry, rolling, shadow, surrogate
from workbench.learning.card import Card, Check, Data, Fallback, Familiar, Feature, Range, Window
from workbench.learning.event import Event, events_frame

__all__ = [
    "Card",
    "Check",
    "Data",
    "Event",
    "Fallback",
    "Familiar",
    "Feature",
    "Range",
    "Window",
    "events_frame",
    "explain",
    "familiarity",
    "guardrails",
    "importance",
    "registry",
    "rolling",
    "shadow",
    "surrogate",
]
