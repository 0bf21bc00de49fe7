"""Ahead of, behind or level with: how a difference to a benchmark reads, alike in every chapter that names one."""

from __future__ import annotations

#: Smaller differences read as level: ways of weighting the same accounts can differ by as much, and so by the sign.
LEVEL = 0.0005


def is_level(difference: float) -> bool:
    """Whether a difference of returns is too small to be called ahead or behind."""
    return abs(difference) < LEVEL


def standing(difference: float, size: str) -> str:
    """A difference of returns and its size in words: "12 bp ahead of", "0.30 pp behind", "level with"."""
    if is_level(difference):
        return "level with"
    return f"{size} {'ahead of' if difference > 0 else 'behind'}"
