"""A rule: a check by name with its parameters, a version, and the law or policy it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal


@dataclass(frozen=True)
class Rule:
    """One rule in force from `since` on: what `check` is asked, with which parameters, and what failing it means.

    `failing` is the verdict of a proposal beyond the limit; `overridable` says whether compliance may let a finding
    stand (a legal prohibition may not), `overridable_missing` whether it may let stand that nothing could be found out
    because data are missing: not where the law or the client asks for the very data. `unit` of value and limit:
    fraction, dollars, days, count, years, level. `worsening_only` lets a proposal pass that brings a breach it found
    down, without removing it: it warns.
    """

    rule_id: str
    version: int
    title: str
    citation: str
    check: str
    parameters: Mapping[str, Any]
    failing: Literal["warn", "block"]
    overridable: bool
    unit: str
    since: date
    worsening_only: bool = False
    overridable_missing: bool = False
    wording: str = ""
