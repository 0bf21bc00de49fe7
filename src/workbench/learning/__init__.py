"""Learned rebalancing policies: environments, training, a registry of signed folders, explanation and guardrails."""

__all__: list[str] = []
