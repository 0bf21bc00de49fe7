"""Whether a sentence states a fact rightly: what the words around a figure say it measures, of what, which way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workbench.drafting.facts import Fact
from workbench.drafting.verifying.direction import direction_fault
from workbench.drafting.verifying.entity import entity_fault
from workbench.drafting.verifying.index import Facts
from workbench.drafting.verifying.metric import metric_fault
from workbench.drafting.verifying.passages import Level
from workbench.drafting.verifying.spans import Found
from workbench.drafting.verifying.verdicts import Fault, Verdict


def states(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> bool:
    """Say whether a fact is said rightly by the words around a figure or day."""
    return next(_faults(facts, fact, found, around), None) is None


def judge(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> list[Fault]:
    """Return what is wrong with saying a fact by these words; nothing where they say it rightly."""
    return list(_faults(facts, fact, found, around))


def _faults(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> Iterator[Fault]:
    for fault in (entity_fault, metric_fault, direction_fault):
        if wrong := fault(facts, fact, found, around):
            yield wrong


def ranked(outcomes: Iterable[tuple[Fact, list[Fault]]]) -> tuple[Fact, list[Fault]]:
    """Return the fact that a statement comes nearest to saying: with the fewest faults, direction the least of them."""
    weight = {Verdict.WRONG_DIRECTION: 1, Verdict.WRONG_METRIC: 2, Verdict.MISBOUND: 3}
    return min(outcomes, key=lambda one: (len(one[1]), sum(weight[fault.verdict] for fault in one[1])))
