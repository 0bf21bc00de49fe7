"""Reasons and answers of a model change notice, and the rules on facts that choose the questions it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.drafting.claims import Claim, collected, figure
from workbench.drafting.facts import FactSheet

#: A book that turns over this part of its value will be asked why.
HIGH_TURNOVER = 0.10
#: Questions answered in one notice.
SHOWN_QUESTIONS = 8


@dataclass(frozen=True)
class Question:
    """A question that advisors ask where its rule holds; `reach` is the fact of the assets that it is about."""

    name: str
    holds: Callable[[FactSheet], bool]
    reach: str


def questions(sheet: FactSheet) -> tuple[tuple[str, float], ...]:
    """Return the questions that a sheet's facts raise, those about most assets first, with these dollars."""
    asked = [(one.name, sheet.fact(one.reach).magnitude) for one in QUESTIONS if one.holds(sheet)]
    return tuple(sorted(asked, key=lambda one: -one[1])[:SHOWN_QUESTIONS])


def _has(*ids: str) -> Callable[[FactSheet], bool]:
    return lambda sheet: sheet.has(*ids)


def _new_benchmark(sheet: FactSheet) -> bool:
    return any(sheet.has(f"{model}.benchmark_before") for model in sheet.groups("model"))


QUESTIONS: tuple[Question, ...] = (
    Question("cut", _has("cut.assets"), "cut.assets"),
    Question("dropped", _has("dropped.assets"), "dropped.assets"),
    Question("new", _has("new.assets"), "new.assets"),
    Question(
        "gains", lambda sheet: figure(sheet, "book.gain") > 0 and sheet.has("realising.assets"), "realising.assets"
    ),
    Question("turnover", lambda sheet: figure(sheet, "book.turnover") >= HIGH_TURNOVER, "book.assets"),
    Question("far", _has("far.accounts"), "far.assets"),
    Question(
        "untaxed", lambda sheet: figure(sheet, "book.tax") > 0 and sheet.has("untaxed.accounts"), "untaxed.assets"
    ),
    Question("barred", _has("barred.accounts"), "barred.assets"),
    Question("kept", _has("kept.accounts"), "kept.assets"),
    Question("consent", _has("consent.accounts"), "consent.assets"),
    Question("refusal", _has("consent.accounts"), "consent.assets"),
    Question("monitor", _has("monitor.accounts"), "monitor.assets"),
    Question("budget", _has("budgets.passed"), "budgets.assets"),
    Question("wash", _has("wash.households"), "wash.assets"),
    Question("basis", _has("unknown.accounts"), "unknown.assets"),
    Question("unplaced", _has("unplaced.accounts"), "unplaced.assets"),
    Question("unmeasured", _has("unmeasured.accounts"), "unmeasured.assets"),
    Question("benchmark", _new_benchmark, "book.assets"),
)


def _pending(sheet: FactSheet, prefix: str) -> bool:
    return sheet.has("pending")


def _in_force(sheet: FactSheet, prefix: str) -> bool:
    return not sheet.has("pending") and str(sheet.fact("effective").value) < sheet.as_of


def _ahead(sheet: FactSheet, prefix: str) -> bool:
    return not sheet.has("pending") and str(sheet.fact("effective").value) >= sheet.as_of


def _counted(name: str, id: str, one: str, many: str) -> tuple[Claim, ...]:
    """A sentence in the singular and the plural, chosen by the count that it states."""
    return (
        Claim(f"{name}.one", lambda sheet, prefix: figure(sheet, id) == 1, one),
        Claim(f"{name}.many", lambda sheet, prefix: figure(sheet, id) > 1, many),
    )


def _asked(name: str, missing: str) -> tuple[Claim, ...]:
    """What the record does not hold, with and without somebody to ask."""
    return (
        Claim(f"{name}.ask", lambda sheet, prefix: sheet.has("ask"), f"{missing} is not in the record; ask {{f:ask}}."),
        Claim(f"{name}.unknown", lambda sheet, prefix: not sheet.has("ask"), f"{missing} is not in the record."),
    )


_CHANGE = (
    Claim(
        "notice.preview",
        _pending,
        "**Preview, not approved by the committee.** The new versions below are drafts: the committee may change or "
        "refuse them, and nothing should be traded or promised on them.",
    ),
    Claim(
        "effective.pending", lambda s, p: _pending(s, p) and s.has("effective"), "would take effect on {f:effective}"
    ),
    Claim("effective.ahead", lambda s, p: s.has("effective") and _ahead(s, p), "take effect on {f:effective}"),
    Claim("effective.past", lambda s, p: s.has("effective") and _in_force(s, p), "took effect on {f:effective}"),
    Claim("effective.each", lambda s, p: not s.has("effective"), "take effect on the days shown by model below"),
    Claim(
        "summary.gains",
        lambda s, p: figure(s, "book.gain") > 0 and figure(s, "book.tax") > 0,
        "If every account moved at once, sales of {f:book.sold|short} would realize a net gain of {f:book.gain|short}, "
        "and tax of {f:book.tax|short} would be owed on it.",
    ),
    Claim(
        "summary.sales",
        lambda s, p: not (figure(s, "book.gain") > 0 and figure(s, "book.tax") > 0),
        "If every account moved at once, sales would come to {f:book.sold|short}.",
    ),
    Claim(
        "summary.up",
        lambda s, p: s.has("change.1.change") and figure(s, "change.1.change") > 0,
        "The move that shifts most dollars is in {f:change.1.model}: the target of {f:change.1.sleeve} goes up from "
        "{f:change.1.from} to {f:change.1.to}.",
    ),
    Claim(
        "summary.down",
        lambda s, p: s.has("change.1.change") and figure(s, "change.1.change") < 0,
        "The move that shifts most dollars is in {f:change.1.model}: the target of {f:change.1.sleeve} goes down from "
        "{f:change.1.from} to {f:change.1.to}.",
    ),
    Claim(
        "cause.drift",
        lambda s, p: figure(s, "book.turnover") > figure(s, "alone.turnover"),
        "Part of this trading corrects drift that is there already: the change alone would turn over "
        "{f:alone.turnover}.",
    ),
    Claim(
        "gains.drift",
        lambda s, p: figure(s, "book.gain") > figure(s, "alone.gain") > 0,
        "The change alone would realize {f:alone.gain} of this gain; the rest comes with correcting drift.",
    ),
    Claim(
        "gains.now",
        lambda s, p: figure(s, "book.gain") > 0 and figure(s, "book.long") >= 0 and figure(s, "book.short") >= 0,
        "By the holding periods as of {f:as_of}, that is {f:book.long} of long-term gains and {f:book.short} of "
        "short-term gains.",
    ),
    Claim(
        "gains.tax",
        lambda s, p: figure(s, "book.tax") > 0,
        "The tax owed on it comes to {f:book.tax}, at the rates of each household in the record.",
    ),
    Claim(
        "model.crossing",
        lambda s, p: s.has(f"{p}.crossing"),
        "Of each account, {f:.crossing} only changes sleeve without a trade: the same security is in both sleeves.",
    ),
    Claim(
        "households.mixed",
        lambda s, p: any(figure(s, f"{h}.gain") > 0 > figure(s, f"{h}.tax") for h in s.groups("household")),
        "Tax is saved on a net gain where short-term losses, which count at the higher rate, stand against long-term "
        "gains.",
    ),
    Claim(
        "moves.crossing",
        lambda s, p: any(s.has(f"{model}.crossing") for model in s.groups("model")),
        "Part of this needs no trade, because the same securities stand in both sleeves; the tables by model say how "
        "much.",
    ),
    Claim(
        "model.in_step",
        lambda s, p: not s.groups(f"{p}.security"),
        "Inside each sleeve, every security keeps its proportion.",
    ),
    Claim(
        "conflicts.old",
        lambda s, p: s.has("conflicts.new") and figure(s, "conflicts.new") == 0,
        "All of these restrictions stood against the old targets as well.",
    ),
    Claim(
        "budget.same_year",
        lambda s, p: s.has("budgets.year") and _first_year(s) == _year(s, "budgets.year"),
        "Gains realized so far this year count against the budget.",
    ),
    Claim(
        "budget.later_year",
        lambda s, p: s.has("budgets.year") and _first_year(s) > _year(s, "budgets.year"),
        "The gain budgets in the record are for {f:budgets.year|year}. The change takes effect in a later year, so "
        "gains realized so far are left out and the same budget is assumed.",
    ),
    *_asked("consents_due", "The day by which consents must be in"),
    *_asked("proposals_from", "The day on which proposals will arrive"),
    *_asked("why.more", "Any reason beyond it"),
    *_asked("refusal.next", "Whether such an account stays on the old version or moves to another model"),
    *_asked("unplaced.next", "Whether it is placed on the old version in the meantime"),
)

_ANSWERS = (
    *_counted(
        "changes.rest", "changes.rest",
        "{f:changes.rest} smaller change stands in the tables at the end.",
        "{f:changes.rest} smaller changes stand in the tables at the end.",
    ),
    *_counted(
        "budgets.unknown", "budgets.unknown",
        "{f:budgets.unknown} gain budget cannot be checked. The record lacks the gains to date.",
        "{f:budgets.unknown} gain budgets cannot be checked. The record lacks the gains to date.",
    ),
    *_counted(
        "gains", "realising.accounts",
        "{f:realising.accounts} account would realize a gain. The net gain of the book is {f:book.gain}.",
        "{f:realising.accounts} accounts would realize a gain. The net gain of the book is {f:book.gain}.",
    ),
    *_counted(
        "far", "far.accounts",
        "{f:far.accounts} account is far from the old targets.",
        "{f:far.accounts} accounts are far from the old targets.",
    ),
    *_counted(
        "untaxed", "untaxed.accounts",
        "{f:untaxed.accounts} account is tax-deferred or tax-free.",
        "{f:untaxed.accounts} accounts are tax-deferred or tax-free.",
    ),
    *_counted(
        "barred", "barred.accounts",
        "{f:barred.accounts} account may not hold a security of the new targets.",
        "{f:barred.accounts} accounts may not hold a security of the new targets.",
    ),
    *_counted(
        "kept", "kept.accounts",
        "{f:kept.accounts} account may not sell a holding that is above its new target.",
        "{f:kept.accounts} accounts may not sell a holding that is above its new target.",
    ),
    *_counted(
        "consent", "consent.accounts",
        "{f:consent.accounts} account needs consent.",
        "{f:consent.accounts} accounts need consent.",
    ),
    *_counted(
        "monitor", "monitor.accounts",
        "{f:monitor.accounts} account is in monitor mode.", "{f:monitor.accounts} accounts are in monitor mode.",
    ),
    *_counted(
        "budget", "budgets.passed",
        "{f:budgets.passed} household passes its gain budget if every account moves at once.",
        "{f:budgets.passed} households pass their gain budget if every account moves at once.",
    ),
    *_counted(
        "wash", "wash.households",
        "{f:wash.households} household has a wash-sale window open on the day of the change, for a security to be "
        "bought.",
        "{f:wash.households} households have a wash-sale window open on the day of the change, for a security to be "
        "bought.",
    ),
    *_counted(
        "basis", "unknown.accounts",
        "{f:unknown.accounts} account lacks a cost basis.", "{f:unknown.accounts} accounts lack a cost basis.",
    ),
    *_counted(
        "unplaced", "unplaced.accounts",
        "{f:unplaced.accounts} account is not yet placed on the model.",
        "{f:unplaced.accounts} accounts are not yet placed on the model.",
    ),
    *_counted(
        "unmeasured", "unmeasured.accounts",
        "{f:unmeasured.accounts} account cannot be measured and is in no sum of this notice.",
        "{f:unmeasured.accounts} accounts cannot be measured and are in no sum of this notice.",
    ),
)  # fmt: skip


def _first_year(sheet: FactSheet) -> int:
    """The year in which the change first takes effect."""
    return min(_year(sheet, f"{model}.effective") for model in sheet.groups("model"))


def _year(sheet: FactSheet, id: str) -> int:
    return int(str(sheet.fact(id).value)[:4])


CLAIMS = collected(_CHANGE, _ANSWERS)
