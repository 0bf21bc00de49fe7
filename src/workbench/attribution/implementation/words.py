"""The verdict in words: plain sentences, each figure in them kept apart so that an exhibit can show its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.attribution.implementation.inference import Estimate

if TYPE_CHECKING:
    from workbench.attribution.implementation.blame import Effect
    from workbench.attribution.implementation.verdict import Verdict

MONTHS = 12


@dataclass(frozen=True)
class Figure:
    """A figure in a sentence: what it is, its unrounded value, its unit ("bp", "count", "number") and as it reads."""

    name: str
    value: float
    unit: str
    text: str


Sentence = tuple[str | Figure, ...]


def sentence(verdict: Verdict) -> str:
    """All sentences as one text."""
    return " ".join(
        "".join(part.text if isinstance(part, Figure) else part for part in line) for line in sentences(verdict)
    )


def sentences(verdict: Verdict) -> tuple[Sentence, ...]:
    """What is to blame, the costliest first; then what was tested, and what the data cannot tell."""
    found: list[tuple[float, Sentence]] = [
        (effect.estimate.value * effect.share, _blamed(effect)) for effect in verdict.blamed
    ]
    if verdict.systemic_found:
        found.append((verdict.systemic.value, _systemic(verdict)))
    lines = [line for _, line in sorted(found, key=lambda item: item[0])]
    if not lines:
        lines = [_nothing(verdict)]
    elif not verdict.blamed and verdict.tests:
        lines.append(("No custodian and no advisor stands out from the others.", *_would_have_shown(verdict)))
    if verdict.blamed and not verdict.systemic_found:
        lines.append(_mean_gap(verdict))
    if verdict.tests:
        lines.append(_tests(verdict))
    lines += [_unconfirmed(effect) for effect in (*verdict.custodians, *verdict.advisors) if effect.unconfirmed]
    lines += [(f"The data cannot tell {names} apart: they share all their accounts.",) for names in verdict.inseparable]
    return tuple(lines)


def bp(value: float, digits: int = 1) -> str:
    """Basis points with a true minus sign."""
    text = f"{abs(value):,.{digits}f}"
    return ("\u2212" if value < 0 and text.strip("0.,") else "") + text + "\u00a0bp"


def _systemic(verdict: Verdict) -> Sentence:
    who = "accounts" if not any(e.kind == "custodian" for e in verdict.blamed) else "accounts at the other custodians"
    return (
        f"Systemic: whoever advises and holds them, {who} earn ",
        *_size("systemic", verdict.systemic),
        " less than their models.",
    )


def _blamed(effect: Effect) -> Sentence:
    """A custodian's shortfall, or an advisor's as measured and how much of it is more than the luck of one of many."""
    name = f"{effect.kind}.{effect.key}"
    if effect.kind == "custodian" or effect.unshrunken is None:
        size = _size(name, effect.estimate)
        return (
            f"Custodian {effect.key}: accounts there earn ", *size,
            " less than those of the other custodians, each against its model.",
        )  # fmt: skip
    size = _size(name, effect.unshrunken, "measured")
    lasting = Figure(f"{name}.effect", effect.estimate.value, "bp", bp(-effect.estimate.value))
    return (
        f"Advisor {effect.key}: that advisor's accounts earn ", *size,
        " less than those of the other advisors, each against its model. Allowing for chance among so many advisors, ",
        lasting, " a month of it can be expected to last.",
    )  # fmt: skip


def _size(name: str, estimate: Estimate, what: str = "effect") -> Sentence:
    """A shortfall as a positive figure with its interval, and times twelve."""
    low, high = sorted((-estimate.low, -estimate.high))
    return (
        Figure(f"{name}.{what}", estimate.value, "bp", bp(-estimate.value)),
        " a month (",
        Figure(f"{name}.low", estimate.high, "bp", bp(low).removesuffix("\u00a0bp")),
        " to ",
        Figure(f"{name}.high", estimate.low, "bp", bp(high)),
        "), about ",
        Figure(f"{name}.year", MONTHS * estimate.value, "bp", bp(-MONTHS * estimate.value, 0)),
        " a year,",
    )


def _nothing(verdict: Verdict) -> Sentence:
    lead = "Not distinguishable: no shortfall can be laid at the models, a custodian or an advisor. "
    return (lead, *_mean_gap(verdict), *_would_have_shown(verdict))


def _mean_gap(verdict: Verdict) -> Sentence:
    """What the mean gap of the custodians not named is, where it is no systemic shortfall."""
    systemic = verdict.systemic
    where = " at the other custodians" if any(effect.kind == "custodian" for effect in verdict.blamed) else ""
    size = (
        Figure("systemic.mean", systemic.value, "bp", bp(systemic.value)),
        " a month (",
        Figure("systemic.low", systemic.low, "bp", bp(systemic.low).removesuffix("\u00a0bp")),
        " to ",
        Figure("systemic.high", systemic.high, "bp", bp(systemic.high)),
        ")",
    )
    if systemic.p > verdict.alpha:
        return (f"The mean gap{where} is ", *size, ", which could be chance.")
    if systemic.value > 0.0 and systemic.value >= verdict.least:
        return (f"On average accounts{where} are ahead of their models by ", *size, ".")
    return (f"The mean gap{where} is ", *size, ", too small to act on.")


def _would_have_shown(verdict: Verdict) -> Sentence:
    """The smallest effects that would probably have been seen; nothing where none could be compared."""
    line: list[str | Figure] = []
    for kind, effects in (("a custodian", verdict.custodians), ("an advisor", verdict.advisors)):
        sizes = [effect.detectable for effect in effects if effect.detectable is not None]
        if sizes:
            line += [", " if line else " With four chances in five they would have shown ", f"{kind}'s effect of "]
            line.append(Figure(f"detectable.{kind.split()[1]}", max(sizes), "bp", bp(max(sizes))))
    return (*line, " a month.") if line else ()


def _tests(verdict: Verdict) -> Sentence:
    count = Figure("tests", verdict.tests, "count", f"{verdict.tests:,}")
    custodians, advisors = len(verdict.custodians), len(verdict.advisors)
    kinds = [
        f"{number} {noun}{'' if number == 1 else 's'}"
        for number, noun in ((custodians, "custodian"), (advisors, "advisor"))
        if number
    ]
    if verdict.tests == 1:
        return (count, f" test was made, of {kinds[0]}.")
    return (count, f" tests were made, of {' and '.join(kinds)}; the more tests, the stronger each finding had to be.")


def _unconfirmed(effect: Effect) -> Sentence:
    kind = effect.kind.capitalize()
    why = (
        "no advisor there has accounts elsewhere to compare with"
        if effect.kind == "custodian" and not effect.comparisons
        else "no other advisor has accounts at the same custodians to compare with"
        if not effect.comparisons
        else "the comparison within advisors does not confirm it"
    )
    return (
        f"{kind} {effect.key} differs by ",
        Figure(f"{effect.kind}.{effect.key}.effect", effect.estimate.value, "bp", bp(effect.estimate.value)),
        f" a month, but {why}: not distinguishable.",
    )
