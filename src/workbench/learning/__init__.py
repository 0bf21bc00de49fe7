"""Learned rebalancing policies: environments, training, a registry of signed folders, explanation and guardrails.

A policy goes from training to use in five steps, each of which leaves a file:

1. `train` makes it and leaves a draft: a folder of plain numbers with a card (`registry.save`, `card`).
2. `registry.judge` puts the evidence on the card, and the verdict that follows from it (`judged`).
3. `registry.approve` adds the signature of a person who did not make it (`approval`, `signature`).
4. `registry.load(..., live=True)` refuses what is changed, foreign or unsigned; `guardrails.Guarded` lets the rest act,
   or its rule.
5. `shadow` keeps each look, `rolling` proposes to promote, keep or retire, and a person decides.

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
