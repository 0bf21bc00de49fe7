"""The policy chapter's verdict: what to do with each candidate, and every reason with its figure and threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.backtest.evidence import Case, Criterion, Evidence, Verdict
from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import absent, noun
from workbench.exhibits.origin import Origin
from workbench.report import (
    Badge,
    CalloutBody,
    Column,
    Exhibit,
    Fact,
    Kpi,
    KpiBody,
    Missing,
    Strong,
    TableBody,
)
from workbench.report import format as fmt
from workbench.report.exhibit import Cell, Paragraph, Run, Tone

_FUNCTION = "backtest.evidence.verdict"
_TITLES = {
    "deploy": "Verdict: deploy",
    "shadow": "Verdict: run in the shadow of the rule",
    "do not deploy": "Verdict: do not deploy",
}
#: Criteria whose figures are gains, shares and counts; the others are plain numbers.
_WORTHS = {"beats the best rule", "timing luck", "twice the cost", "a day later"}
_SHARES = {"overfitting", "windows", "seeds", "surrogate"}
_COUNTS = {"unseen years", "controls", "portfolios"}
#: What a figure must be against its threshold, where it is not "at least".
_RELATIONS = {name: "above" for name in (*_WORTHS, "surrogate")} | {"overfitting": "at most"}
#: Criteria that time alone can mend: they fail for want of data.
_SAMPLE = {"deflated Sharpe", "windows", "portfolios"}
#: The order of decisions from the boldest.
_BOLDEST = ("deploy", "shadow", "do not deploy")


def verdict(
    evidence: Evidence,
    verdicts: Sequence[Verdict],
    origin: Origin,
    notes: Sequence[str] = (),
    money: float = 0.0,
    rule: str = "",
) -> Exhibit:
    """The box at the top: what to do now, and for each candidate the decision, why, its gain, what would change it.

    `notes` are sentences on what could not be judged, such as a policy folder that was refused; `money` is what
    follows the model, for the gain in dollars; `rule` is the one to keep.
    """
    id = "policy-verdict"
    if not verdicts:
        lines: list[Paragraph] = [
            ("No learned policy was judged, so there is nothing to deploy; the rules below stand for themselves.",),
            *((note,) for note in notes),
        ]
        return Exhibit(id, "Verdict: nothing to deploy", CalloutBody("neutral", tuple(lines)))
    facts: dict[str, Fact] = {}
    lines = [_now(verdicts, rule)]
    lines += [line for found in verdicts for line in _lines(found, evidence, origin, facts, money)]
    lines += [(note,) for note in notes]
    boldest = min(verdicts, key=lambda found: _BOLDEST.index(found.decision)).decision
    tone: Tone = "decision" if boldest != "do not deploy" else "neutral"
    return Exhibit(id, _TITLES[boldest], CalloutBody(tone, tuple(lines)), "", None, tuple(facts.values()))


def _now(verdicts: Sequence[Verdict], rule: str) -> Paragraph:
    """What to do today, in one sentence."""
    by_decision = {
        name: [found.candidate for found in verdicts if found.decision == name] for name in ("deploy", "shadow")
    }
    kept = rule or "the rule"
    if by_decision["deploy"]:
        return (
            Strong(f"Deploy {by_decision['deploy'][0]}. "),
            f"It passes every criterion; {kept} was the rule so far.",
        )
    if by_decision["shadow"]:
        beside = words.sentence(by_decision["shadow"])
        return (
            Strong(f"Keep {kept}, and run {beside} beside it without trading. "),
            "What is there speaks for it, but there is too little of it.",
        )
    return (
        Strong(f"Keep {kept}. "),
        "It is the rule that the years before the last test year would have chosen; no candidate has earned its place.",
    )


def summary(evidence: Evidence, case: Case | None, origin: Origin) -> Exhibit:
    """Key figures of the first candidate; also on the index page."""
    facts = {
        "trials": words.count("policy.trials", evidence.trials, origin),
        "windows": words.count("policy.windows", len(evidence.windows), origin),
    }
    items = [
        Kpi("Years tested", facts["windows"].ref(), f"{evidence.first:%Y-%m-%d} to {evidence.last:%Y-%m-%d}"),
        Kpi("Variants ever tried", facts["trials"].ref(), "failed ones counted"),
    ]
    if case is not None:
        slug = f"policy.{origin.slug(case.candidate)}"
        gain = words.worth(f"{slug}.gain", case.gain.estimate, evidence, origin)
        wins = origin.fact(f"{slug}.wins", case.wins, "percent", words.FUNCTION, words.TABLES, digits=0)
        widest = max(case.luck.spread, case.opponent_luck.spread)
        luck = words.worth(f"{slug}.luck", widest, evidence, origin)
        items = [
            Kpi(
                "Gain over the rule",
                gain.ref(),
                f"{case.candidate}, {_a_year(evidence)}; 95%: {words.between(case.gain, evidence)}",
            ),
            Kpi("Timing luck", luck.ref(), "best less worst start day, the wider of policy and rule"),
            Kpi("Years won", wins.ref(), f"of {len(case.windows)}"),
            *items,
        ]
        facts |= {"gain": gain, "wins": wins, "luck": luck}
    return Exhibit(
        "policy-summary", "The comparison in figures", KpiBody(tuple(items)), "", words.settings(evidence, origin),
        tuple(facts.values()), index=True,
    )  # fmt: skip


def criteria(found: Verdict, evidence: Evidence, origin: Origin) -> Exhibit:
    """Every criterion of one candidate: its figure, what is asked, passed or failed, in words."""
    slug = origin.slug(found.candidate)
    id, title = f"policy-criteria-{slug}", f"What {found.candidate} had to show"
    if not found.criteria:
        return absent(id, title, "No criterion was applied.")
    columns = (
        Column("name", "Criterion", emphasis=True),
        Column("value", "Measured", "number"),
        Column("threshold", "Asked for", "number"),
        Column("passed", "Result", "badge"),
        Column("sentence", "In words"),
    )
    rows, facts = [], []
    for criterion in found.criteria:
        prefix = f"policy.{slug}.criterion.{origin.slug(criterion.name)}"
        value: Cell = Missing("not measured")
        if criterion.value is not None:
            facts.append(_figure(f"{prefix}.value", criterion.name, criterion.value, evidence, origin))
            value = facts[-1].ref()
        asked = _figure(f"{prefix}.threshold", criterion.name, criterion.threshold, evidence, origin)
        facts.append(asked)
        relation = _RELATIONS.get(criterion.name, "at least")
        rows.append(
            (
                words.upper(criterion.name), value, asked.ref(f"{relation} {asked.text}"), _badge(criterion),
                words.house(criterion.sentence),
            )
        )  # fmt: skip
    failed = len(found.failed)
    takeaway = (
        f"{words.upper(found.candidate)} passes {len(rows) - failed} of {len(rows)} criteria; all are asked, and one "
        "that was not measured is not passed."
    )
    if not failed:
        takeaway = f"{words.upper(found.candidate)} passes all {len(rows)} criteria."
    body = TableBody(columns, tuple(rows), note="The criteria are fixed before a candidate is looked at.")
    return Exhibit(id, title, body, takeaway, words.settings(evidence, origin), tuple(facts))


def _figure(id: str, name: str, value: float, evidence: Evidence, origin: Origin) -> Fact:
    """A criterion's figure in the unit that its name asks for."""
    if name in _WORTHS:
        return words.worth(id, value, evidence, origin, _FUNCTION)
    if name in _SHARES:
        return origin.fact(id, value, "percent", _FUNCTION, words.TABLES, digits=1 if name == "surrogate" else 0)
    if name in _COUNTS:
        return words.count(id, int(value), origin, _FUNCTION)
    return words.plain(id, value, origin, _FUNCTION)


def trials(evidence: Evidence, verdicts: Sequence[Verdict], origin: Origin, told: int = 0) -> Exhibit:
    """How many variants were tried and where the count is kept, so that luck among many can be taken off."""
    total = words.count("policy.trials", evidence.trials, origin)
    rows = [("Variants ever tried, failed ones counted", total.ref())]
    facts = [total]
    for name, value in (
        *((("Of these, before this comparison, as the policies' cards say", told),) if told else ()),
        ("Rules compared", len(evidence.rules)),
        ("Runs in this comparison: rules, start days, costs and delays", len(evidence.runs)),
        ("Candidates judged", len(verdicts)),
    ):
        facts.append(words.count(f"policy.count.{origin.slug(name)}", value, origin))
        rows.append((name, facts[-1].ref()))
    columns = (Column("what", "What", emphasis=True), Column("count", "Number", "count"))
    takeaway = (
        f"{fmt.count(evidence.trials)} {noun(evidence.trials, 'variant was', 'variants were')} ever tried; "
        "the tests take the best of so many into account."
    )
    note = "Counted for this comparison alone: no ledger was named, so earlier trials are not in it."
    if evidence.ledger:
        note = f"Every trial in the ledger counts; its last line has the hash {evidence.ledger[:16]}."
    return Exhibit(
        "policy-trials", "How often it was tried", TableBody(columns, tuple(rows), note=note), takeaway,
        words.settings(evidence, origin), tuple(facts),
    )  # fmt: skip


def _lines(found: Verdict, evidence: Evidence, origin: Origin, facts: dict[str, Fact], money: float) -> list[Paragraph]:
    """The decision, whether it loses or is only too little known, the gain behind it, and what would change that."""
    case = evidence.case(found.candidate)
    slug = f"policy.{origin.slug(case.candidate)}"
    low = words.worth(f"{slug}.gain.low", case.gain.low, evidence, origin)
    high = words.worth(f"{slug}.gain.high", case.gain.high, evidence, origin)
    gain = words.worth(f"{slug}.gain", case.gain.estimate, evidence, origin)
    facts |= {fact.id: fact for fact in (gain, low, high)}
    way = "saves" if case.gain.estimate >= 0 else "costs"
    if evidence.measure == "sharpe":
        way = "adds to the Sharpe ratio" if case.gain.estimate >= 0 else "takes from the Sharpe ratio"
    first: list[Run] = [
        Strong(f"{words.upper(found.candidate)}: {words.DECISIONS[found.decision][0]}. "),
        f"{_why(found, case)} Against the best rule that past data would have chosen, it {way} ",
        gain.ref(words.size(abs(case.gain.estimate), evidence)),
        f" {_a_year(evidence)}; with 95% confidence the gain is between ",
        low.ref(), " and ", high.ref(), ".",
    ]  # fmt: skip
    if money > 0.0 and evidence.measure == "total_bp":
        dollars = origin.fact(
            f"{slug}.gain.usd", words.BP * money * case.gain.estimate, "usd", words.FUNCTION, words.TABLES
        )
        facts[dollars.id] = dollars
        first += [f" On the {fmt.usd_short(money)} that follow the model the gain is ", dollars.ref(), " a year."]
    lines: list[Paragraph] = [tuple(first)]
    if found.failed:
        lines.append((_change(found, case, evidence),))
    return lines


def _why(found: Verdict, case: Case) -> str:
    """In one sentence: it loses, it gains nothing that holds, or there is too little to tell."""
    if not found.failed:
        return "It passes every criterion."
    if case.gain.high < 0:
        return "It loses: even the upper end of its gain is below zero."
    if case.gain.estimate <= 0:
        return "It gains nothing: it did worse in the test years, though they are too few to call it worse for good."
    if case.gain.low <= 0:
        return "It did better in the test years, but chance alone could have done that: the sample is too small."
    broken = [criterion for criterion in found.failed if criterion.name not in _SAMPLE and _measured(criterion)]
    if broken:
        return "It did better, and more than by chance, but the gain does not hold where it must."
    return "It did better, and more than by chance; what fails was not measured, or has too little data."


def _change(found: Verdict, case: Case, evidence: Evidence) -> str:
    """What would change the verdict, as far as figures say."""
    unmeasured = [criterion.name for criterion in found.failed if not _measured(criterion)]
    against = [criterion.name for criterion in found.failed if _measured(criterion)]
    parts = []
    if case.gain.estimate <= 0:
        parts.append("it would have to beat the rule in years that it has not seen; waiting alone will not do")
    elif case.gain.low <= 0:
        years = len(evidence.windows) * ((case.gain.estimate - case.gain.low) / case.gain.estimate) ** 2
        parts.append(
            f"at this gain and this noise about {words.figure(np.ceil(years))} test years would tell it from chance"
        )
    if unmeasured:
        parts.append(f"to be measured first: {words.sentence(unmeasured)}")
    said = f"What would change that: {'; '.join(parts)}. " if parts else ""
    failed = f"It fails {len(against)} of {len(found.criteria)} criteria"
    return said + (f"{failed}: {words.sentence(against)}." if against else "No criterion that was measured fails.")


def _measured(criterion: Criterion) -> bool:
    """Whether a failed criterion was measured: controls that are not all there count as not."""
    return criterion.value is not None and not (criterion.name == "controls" and "failed" not in criterion.sentence)


def _badge(criterion: Criterion) -> Badge:
    if not criterion.passed and not _measured(criterion):
        return Badge("not shown", "warning")
    return Badge("passed", "good") if criterion.passed else Badge("failed", "bad")


def _a_year(evidence: Evidence) -> str:
    return "a year" if evidence.measure == "total_bp" else "yearly"
