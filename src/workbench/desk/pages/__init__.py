"""The desk's pages, a file each; a new page is a file with a `router` and its name in this list."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from fastapi import APIRouter

__all__ = ["ROUTERS"]

NAMES = (
    "sign_in", "provider", "account", "queue", "signal", "acts", "exceptions", "documents", "people", "audit",
    "measures", "library", "controls", "papers", "escalations", "ask",
)  # fmt: skip
ROUTERS: tuple[APIRouter, ...] = tuple(
    import_module(f"workbench.desk.pages.{name}").router for name in NAMES if find_spec(f"workbench.desk.pages.{name}")
)
