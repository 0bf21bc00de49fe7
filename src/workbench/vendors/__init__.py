"""Guarded adapters to packages whose conventions are not ours; each says where it differs."""

from workbench.vendors import quantstats

__all__ = ["quantstats"]
