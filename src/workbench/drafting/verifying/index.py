"""A sheet's facts as statements are held to them: found by size, day, entity and metric, with the words that bind."""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Collection
from datetime import date

from workbench.drafting.facts import Fact, FactSheet, Kind
from workbench.drafting.lexicon import lexicon
from workbench.drafting.spelling import spelled
from workbench.drafting.verifying.amounts import Amount
from workbench.drafting.verifying.days import Day
from workbench.drafting.verifying.naming import names_of
from workbench.drafting.verifying.passages import Vocabulary
from workbench.drafting.verifying.spans import Found

#: The kinds of fact that a figure of each unit can state, and a day.
FITTING: dict[str, frozenset[Kind]] = {
    "money": frozenset({"money"}),
    "rate": frozenset({"percent", "bps"}),
    "plain": frozenset({"count", "number", "shares"}),
    "day": frozenset({"date"}),
}
_UNIT: dict[str, str] = {kind: unit for unit, kinds in FITTING.items() for kind in kinds}
_SCALE = {"percent": 100.0, "bps": 10_000.0}


class Facts:
    """A sheet's facts as statements are held to them: by size, by metric, with all names and words that bind."""

    def __init__(self, sheet: FactSheet) -> None:
        words = lexicon()
        self.sheet = sheet
        self.names = names_of(sheet)
        self.kind_of = {entity.key: entity.kind for entity in sheet.entities}
        self.name_of = {entity.key: entity.names[0] for entity in sheet.entities}
        used = {fact.metric for fact in sheet.facts}
        self.kinds = {key: frozenset(words.metrics[key].kinds) for key in used}
        self.words = {key: words.metrics[key].words for key in used}
        self.metric_words = Vocabulary(self.words)
        # A trade that is told must be a fact also where the sheet has none.
        ways = {"buy", "sell"} | {way for fact in sheet.facts for way in fact.direction}
        self.against = {way: words.directions[way].against for way in ways}
        self.against.update({against: way for way, against in self.against.items()})
        self.way_words = Vocabulary({way: words.directions[way].words for way in self.against})
        self.foreign = _foreign_words(frozenset(used))
        self.foreign_kinds = {k: frozenset(m.kinds) for k, m in words.metrics.items()}
        self._of: dict[str, list[Fact]] = {}
        self._by_metric: dict[str, list[Fact]] = {}
        self.measured: dict[str, set[str]] = {}
        sized: dict[str, list[tuple[float, Fact]]] = {}
        self.days: list[tuple[date, Fact]] = []
        self.quotes: list[Fact] = []
        for fact in sheet.facts:
            self.measured.setdefault(fact.metric, set()).update(self.kind_of[key] for key in fact.entity)
            self._by_metric.setdefault(fact.metric, []).append(fact)
            for key in fact.entity:
                self._of.setdefault(key, []).append(fact)
            if fact.kind == "date":
                self.days.append((date.fromisoformat(str(fact.value)), fact))
            elif fact.kind == "quote":
                self.quotes.append(fact)
            elif fact.kind in _UNIT:
                sized.setdefault(_UNIT[fact.kind], []).append((fact.magnitude, fact))
        self._sized = {unit: sorted(found, key=lambda one: one[0]) for unit, found in sized.items()}
        self._sizes = {unit: [size for size, _ in found] for unit, found in self._sized.items()}

    def of_size(self, amount: Amount) -> list[Fact]:
        """Return the facts whose value rounds to a figure as it is shown."""
        sizes = self._sizes.get(amount.unit, [])
        slack = amount.half * (1 + 1e-9) + 1e-12
        first = bisect_left(sizes, amount.value - slack)
        last = bisect_left(sizes, amount.value + slack + 1e-15)
        found = [fact for _, fact in self._sized.get(amount.unit, [])[first:last]]
        return [fact for fact in found if amount.value or _as_exact(amount, fact)]

    def on(self, day: Day) -> list[Fact]:
        """Return the facts whose day is the one given, or lies in the period given."""
        return [fact for when, fact in self.days if day.holds(when)]

    def of_entities(self, keys: Collection[str]) -> list[Fact]:
        """Return the facts of any of these entities."""
        return [fact for key in keys for fact in self._of.get(key, ())]

    def counts(self, metric: str) -> list[Fact]:
        """Return the facts that count things by this metric."""
        return [fact for fact in self.measuring(metric) if fact.kind == "count"]

    def measuring(self, metric: str) -> list[Fact]:
        """Return the facts of a metric."""
        return self._by_metric.get(metric, [])

    def near(self, found: Found) -> list[Fact]:
        """Return the facts of the same kind that come nearest to what a text shows."""
        if isinstance(found.reads, Amount):
            value = found.reads.value
            sized = self._sized.get(found.reads.unit, [])
            return [fact for _, fact in sorted(sized, key=lambda one: abs(one[0] - value))[:2]]
        return [fact for _, fact in self.days[:2]]

    def described(self, fact: Fact) -> str:
        """Return a fact in words: "$9,358 is traded dollars (sell) of A-101 and VTI"."""
        ways = f" ({', '.join(fact.direction)})" if fact.direction else ""
        whose = " and ".join(self.name_of[key] for key in fact.entity)
        return f"{spelled(fact)} is {fact.metric.replace('_', ' ')}{ways}" + (f" of {whose}" if whose else "")


@functools.lru_cache(maxsize=64)
def _foreign_words(used: frozenset[str]) -> Vocabulary:
    """The words of the metrics that a sheet does not use."""
    return Vocabulary({key: metric.words for key, metric in lexicon().metrics.items() if key not in used})


def _as_exact(amount: Amount, fact: Fact) -> bool:
    """Whether a zero is shown with the decimals of its fact, so that it hides nothing."""
    scale = _SCALE.get(fact.kind, 1.0)
    return fact.magnitude == 0 or amount.half * scale <= 0.5 * 10.0**-fact.decimals * (1 + 1e-9)
