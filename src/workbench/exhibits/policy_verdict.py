"""The policy chapter's verdict: what to do with each candidate, and every reason with its figure and threshold."""

from __future__ import annotations

from collections.abc import Sequence

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
#: The order of decisions from the boldest.
_BOLDEST = ("deploy", "shadow", "do not deploy")


def verdict(
    evidence: Evidence, verdicts: Sequence[Verdict], origin: Origin, notes: Sequence[str] = (), money: float = 0.0
) -> Exhibit:
    """The box at the top: the decision on each candidate in one sentence, its gain, and why not.

    `notes` are sentences on what could not be judged, such as a policy folder that was refused; `money` is what
    follows the model, for the gain in dollars.
    """
    id = "policy-verdict"
    if not verdicts:
        lines: list[Paragraph] = [
            ("No learned policy was judged, so there is nothing to deploy; the rules below stand for themselves.",),
            *((note,) for note in notes),
        ]
        return Exhibit(id, "Verdict: nothing to deploy", CalloutBody("neutral", tuple(lines)))
    facts: dict[str, Fact] = {}
    lines = [line for found in verdicts for line in _lines(found, evidence, origin, facts, money)]
    lines += [(note,) for note in notes]
    boldest = min(verdicts, key=lambda found: _BOLDEST.index(found.decision)).decision
    tone: Tone = "decision" if boldest != "do not deploy" else "neutral"
    return Exhibit(id, _TITLES[boldest], CalloutBody(tone, tuple(lines)), "", None, tuple(facts.values()))


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
        luck = words.worth("policy.luck", case.opponent_luck.spread, evidence, origin)
        items = [
            Kpi("Gain over the rule", gain.ref(), f"{_a_year(evidence)}, {words.between(case.gain, evidence)}"),
            Kpi("Timing luck", luck.ref(), "best less worst start day of the rule"),
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
            facts.append(words.plain(f"{prefix}.value", criterion.value, origin, _FUNCTION))
            value = facts[-1].ref()
        asked = words.plain(f"{prefix}.threshold", criterion.threshold, origin, _FUNCTION)
        facts.append(asked)
        rows.append((criterion.name, value, asked.ref(), _badge(criterion), criterion.sentence))
    failed = len(found.failed)
    takeaway = f"{found.candidate} passes {len(rows) - failed} of {len(rows)} criteria; one failed is enough to wait."
    if not failed:
        takeaway = f"{found.candidate} passes all {len(rows)} criteria."
    body = TableBody(columns, tuple(rows), note="The criteria are fixed before a candidate is looked at.")
    return Exhibit(id, title, body, takeaway, words.settings(evidence, origin), tuple(facts))


def trials(evidence: Evidence, verdicts: Sequence[Verdict], origin: Origin) -> Exhibit:
    """How many variants were tried and where the count is kept, so that luck among many can be taken off."""
    total = words.count("policy.trials", evidence.trials, origin)
    rows = [("Variants ever tried, failed ones counted", total.ref())]
    facts = [total]
    for name, value in (
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
    """The decision with the gain behind it, and which criteria failed."""
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
        Strong(f"{found.candidate}: {words.DECISIONS[found.decision][0]}. "),
        f"Against the best rule that past data would have chosen, it {way} ",
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
        names = [criterion.name for criterion in found.failed]
        lines.append((f"It fails {len(names)} of {len(found.criteria)} criteria: {words.sentence(names)}.",))
    return lines


def _badge(criterion: Criterion) -> Badge:
    if criterion.value is None and not criterion.passed:
        return Badge("not shown", "warning")
    return Badge("passed", "good") if criterion.passed else Badge("failed", "bad")


def _a_year(evidence: Evidence) -> str:
    return "a year" if evidence.measure == "total_bp" else "yearly"
