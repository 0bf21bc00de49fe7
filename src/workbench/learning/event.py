"""An event: that something other than the learned policy acted, or less of it, and why; every report shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pandas as pd


@dataclass(frozen=True)
class Event:
    """What happened on a day (ISO), in a sentence, with the value that was found and the limit it is held against."""

    day: str
    kind: str
    sentence: str
    value: float | None = None
    limit: float | None = None


def events_frame(events: Iterable[Event]) -> pd.DataFrame:
    """Events as a frame, in their order: day, kind, sentence, value, limit."""
    return pd.DataFrame([asdict(event) for event in events], columns=["day", "kind", "sentence", "value", "limit"])
