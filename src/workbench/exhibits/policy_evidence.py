"""What evidence rests on: tests against luck, each year alone, dearer and slower trading, kinds of market, seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.backtest import Floats
from workbench.backtest.evidence import CONTROLS, Case, Evidence
from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import absent, noun
from workbench.exhibits.origin import Origin
from workbench.exhibits.policy_costs import cost_words
from workbench.report import Badge, Column, Exhibit, Fact, Missing, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

#: Sessions summed to one observation of a year's error.
_MONTH = 21
#: The deflated Sharpe ratio asked for.
_ENOUGH = 0.95


def tests_table(case: Case, evidence: Evidence, origin: Origin) -> Exhibit:
    """Each test with its figure, what it asks for, and what the figure says."""
    slug = f"policy.{origin.slug(case.candidate)}.test"
    facts: list[Fact] = []
    rows: list[tuple[Cell, ...]] = []

    def add(name: str, value: float | None, asked: str, reading: str, fact: Fact | None = None) -> None:
        if value is None:
            rows.append((name, Missing("not measured"), asked, "Not measured."))
            return
        facts.append(fact or words.plain(f"{slug}.{origin.slug(name)}", value, origin))
        rows.append((name, facts[-1].ref(), asked, reading))

    for name, found in (("Gain, studentised bootstrap", case.gain), ("Gain, stationary bootstrap", case.second)):
        fact = words.worth(f"{slug}.{origin.slug(name)}", found.estimate, evidence, origin)
        add(name, found.estimate, "interval above 0", f"95% interval {words.between(found, evidence)}.", fact)
    add(
        "Sharpe ratio, difference", case.sharpe.estimate, "interval above 0, where returns are claimed",
        f"95% interval {words.figure(case.sharpe.low)} to {words.figure(case.sharpe.high)}; chance of as much without "
        f"skill {words.chance(case.sharpe.p_value)} ({case.sharpe.method}).",
    )  # fmt: skip
    deflated = case.deflated
    add(
        "Deflated Sharpe ratio", None if deflated is None else deflated.deflated, "at least 0.95",
        "" if deflated is None else
        f"Probability that the gain is more than luck among {fmt.count(deflated.trials)} "
        f"{noun(deflated.trials, 'variant')}; {deflated.probabilistic:.2f} if only one had been tried.",
    )  # fmt: skip
    spa = evidence.superiority
    add(
        "Superior predictive ability (SPA)", None if spa is None else spa.consistent, "below 0.05",
        "" if spa is None else
        "Chance that the best of all policies looks this good when none beats the rule. "
        + (f"Better with the search counted: {words.sentence(spa.superior)}." if spa.superior else "None is named."),
    )  # fmt: skip
    pbo = evidence.overfitting
    add(
        "Backtest overfitting (PBO)", None if pbo is None else pbo.probability, "at most 0.2",
        "" if pbo is None else
        f"How often the best of {pbo.policies} in one half of the days is below the middle in the other half.",
    )  # fmt: skip
    columns = (
        Column("test", "Test", emphasis=True), Column("value", "Measured", "number"), Column("asked", "Asked for"),
        Column("reading", "What it says"),
    )  # fmt: skip
    takeaway = f"The gain of {case.candidate} may be chance: its interval is {words.between(case.gain, evidence)}."
    if case.gain.estimate <= 0.0:
        takeaway = (
            f"{words.upper(case.candidate)} shows no gain: {words.size(case.gain.estimate, evidence)}, interval "
            f"{words.between(case.gain, evidence)}."
        )
    if case.gain.low > 0.0:
        takeaway = f"Taken alone the gain of {case.candidate} is more than chance"
        enough = deflated is not None and deflated.deflated >= _ENOUGH
        takeaway += ", and it stays so" if enough else "; it is not shown to be"
        takeaway += " when all that was tried is counted."
    id = f"policy-tests-{origin.slug(case.candidate)}"
    return Exhibit(
        id, f"{words.upper(case.candidate)}: could it be luck?", TableBody(columns, tuple(rows)), takeaway,
        words.settings(evidence, origin), tuple(facts),
    )  # fmt: skip


def windows_figure(case: Case, evidence: Evidence, origin: Origin) -> Exhibit:
    """The gain in each test year, with the rule that the years before had chosen."""
    id, title = f"policy-windows-{origin.slug(case.candidate)}", f"{words.upper(case.candidate)}: each test year alone"
    frame = case.windows
    if frame.empty:
        return absent(id, title, "No test year was left after the years of training.")
    unit, factor = words.scale(evidence)
    labels = [f"{pd.Timestamp(row.first):%b %Y} to {pd.Timestamp(row.last):%b %Y}" for row in frame.itertuples()]
    gains = frame["gain"].to_numpy(float)
    reach = 1.96 * _year_errors(case.candidate, frame, evidence)
    facts, rows = [], []
    for position, row in enumerate(frame.to_dict("records")):
        fact = words.worth(
            f"policy.{origin.slug(case.candidate)}.window.{position + 1}", gains[position], evidence, origin
        )
        facts.append(fact)
        rows.append((labels[position], words.upper(str(row["opponent"])), fact.ref()))
    columns = (
        Column("window", "Test year", emphasis=True), Column("rule", "Rule chosen before"),
        Column("gain", "Gain", "bp" if unit == "bp" else "number", digits=2),
    )  # fmt: skip
    won = int((gains > 0).sum())
    takeaway = (
        f"{words.upper(case.candidate)} beats the rule chosen on the years before in {won} of {len(gains)} test years."
    )
    body = figures.intervals(
        labels,
        {"Gain": _interval(factor * gains, factor * reach)},
        alt=takeaway, unit=unit, digits=2, axis_title="Gain over the rule; right of zero the candidate is better",
        data=TableBody(columns, tuple(rows)),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, words.settings(evidence, origin), tuple(facts))


def stresses_table(case: Case, evidence: Evidence, origin: Origin) -> Exhibit:
    """The gain when trading costs more or happens later."""
    slug = origin.slug(case.candidate)
    id, title = f"policy-stresses-{slug}", f"{words.upper(case.candidate)}: dearer and slower trading"
    if not case.stresses:
        return absent(id, title, "No other costs or delays were run.")
    facts, rows = [], []
    for stress in case.stresses:
        key = f"policy.{slug}.stress.{stress.cost_multiple:g}x-{stress.delay}".replace(".", "-").replace(
            "policy-", "policy."
        )
        facts.append(words.worth(f"policy.{slug}.stress.{origin.slug(key)}", stress.gain, evidence, origin))
        when = f"{stress.delay} {noun(stress.delay, 'session')} after the decision"
        rows.append((cost_words(stress.cost_multiple), words.upper(when), facts[-1].ref()))
    kept = [stress for stress in case.stresses if stress.gain > 0]
    takeaway = f"The gain of {case.candidate} is above zero in {len(kept)} of {len(case.stresses)} combinations."
    columns = (
        Column("cost", "Trading cost", emphasis=True), Column("delay", "Traded"),
        Column("gain", "Gain", "bp" if evidence.measure == "total_bp" else "number", digits=2),
    )  # fmt: skip
    return Exhibit(
        id, title, TableBody(columns, tuple(rows)), takeaway, words.settings(evidence, origin), tuple(facts)
    )  # fmt: skip


def regimes_figure(case: Case, evidence: Evidence, origin: Origin) -> Exhibit:
    """The gain by kind of market, known at the close before."""
    slug = origin.slug(case.candidate)
    id, title = f"policy-regimes-{slug}", f"{words.upper(case.candidate)}: by kind of market"
    if not case.regimes:
        return absent(id, title, "The kinds of market were not told apart.")
    unit, factor = words.scale(evidence)
    facts: list[Fact] = []
    rows: list[tuple[Cell, ...]] = []
    for regime in case.regimes:
        key = f"policy.{slug}.regime.{origin.slug(regime.name)}"
        facts.append(words.count(f"{key}.sessions", regime.sessions, origin))
        days, gained = facts[-1].ref(), Missing("too few sessions")
        if np.isfinite(regime.gain):
            facts.append(words.worth(key, regime.gain, evidence, origin))
            rows.append((words.upper(regime.name), days, facts[-1].ref()))
        else:
            rows.append((words.upper(regime.name), days, gained))
    columns = (
        Column("regime", "Market", emphasis=True), Column("sessions", "Sessions", "count"),
        Column("gain", "Gain", "bp" if unit == "bp" else "number", digits=2),
    )  # fmt: skip
    gains = np.array([regime.gain for regime in case.regimes])
    reach = 1.96 * np.array([regime.error for regime in case.regimes])
    behind = [regime.name for regime in case.regimes if regime.gain <= 0]
    takeaway = f"{words.upper(case.candidate)} is ahead in every kind of market that lasted long enough to tell."
    if behind:
        takeaway = f"{words.upper(case.candidate)} is not ahead in: {', '.join(behind)}."
    body = figures.intervals(
        [words.upper(regime.name) for regime in case.regimes],
        {"Gain": _interval(factor * gains, factor * reach)},
        alt=takeaway, unit=unit, digits=2, axis_title="Gain over the rule", data=TableBody(columns, tuple(rows)),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, words.settings(evidence, origin), tuple(facts))


def seeds_figure(case: Case, evidence: Evidence, origin: Origin) -> Exhibit:
    """The gain of the policy trained from each seed alone: the ensemble is deployed, never the best seed."""
    slug = origin.slug(case.candidate)
    id, title = f"policy-seeds-{slug}", f"{words.upper(case.candidate)}: does it hang on one lucky training?"
    if case.seeds is None:
        return absent(id, title, f"{words.upper(case.candidate)} was not measured seed by seed.")
    if case.seeds.deterministic:
        return absent(
            id, title, f"{words.upper(case.candidate)} has no random training: every training gives the same policy."
        )
    unit, factor = words.scale(evidence)
    seeds = case.seeds
    facts = [
        words.worth(f"policy.{slug}.seeds.{name}", value, evidence, origin)
        for name, value in (
            ("middle", seeds.middle), ("lower-quartile", seeds.lower_quartile), ("upper-quartile", seeds.upper_quartile)
        )
    ]  # fmt: skip
    rows = tuple((words.upper(fact.id.rsplit(".", 1)[-1].replace("-", " ")), fact.ref()) for fact in facts)
    takeaway = (
        f"{seeds.wins:.0%} of {len(seeds.gains)} trainings beat the rule; the middle half gains "
        f"{words.size(seeds.lower_quartile, evidence)} to {words.size(seeds.upper_quartile, evidence)}."
    )
    columns = (Column("what", "Over seeds", emphasis=True), Column("gain", "Gain", "bp", digits=2))
    body = figures.strip(
        {"Trainings": [factor * gain for gain in seeds.gains]}, alt=takeaway, unit=unit,
        axis_title="Gain over the rule of each training alone", data=TableBody(columns, rows),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, words.settings(evidence, origin), tuple(facts))


def controls_table(evidence: Evidence, origin: Origin) -> Exhibit:
    """Checks of the procedure itself: could it be fooled?"""
    id, title = "policy-controls", "Could the procedure itself be fooled?"
    if not evidence.controls:
        return absent(
            id, title, "The controls were not run with this comparison; the verdict counts them as not shown."
        )
    facts, rows = [], []
    for control in evidence.controls:
        fact = words.plain(f"policy.control.{origin.slug(control.name)}", control.value, origin)
        asked = words.plain(f"{fact.id}.threshold", control.threshold, origin)
        facts += [fact, asked]
        badge = Badge("holds", "good") if control.passed else Badge("fails", "bad")
        rows.append((words.upper(control.name), fact.ref(), asked.ref(), badge, words.house(control.sentence)))
    columns = (
        Column("name", "Control", emphasis=True), Column("value", "Measured", "number"),
        Column("threshold", "Allowed", "number"), Column("passed", "Result", "badge"), Column("sentence", "In words"),
    )  # fmt: skip
    broken = [control.name for control in evidence.controls if not control.passed]
    missing = [name for name in CONTROLS if name not in {control.name for control in evidence.controls}]
    takeaway = "Every control holds."
    if missing:
        takeaway = (
            f"What was run holds; not run here: {words.sentence(missing)}, which the verdict counts as not shown."
        )
    if broken:
        takeaway = f"Not to be trusted yet: {words.sentence(broken)} {noun(len(broken), 'fails', 'fail')}."
    return Exhibit(
        id, title, TableBody(columns, tuple(rows)), takeaway, words.settings(evidence, origin), tuple(facts)
    )  # fmt: skip


def _interval(value: Floats, reach: Floats) -> figures.Interval:
    return figures.Interval(value.tolist(), (value - reach).tolist(), (value + reach).tolist())


def _year_errors(candidate: str, frame: pd.DataFrame, evidence: Evidence) -> Floats:
    """Standard error of each year's gain from the spread of its monthly sums; missing for a Sharpe ratio."""
    if evidence.measure != "total_bp":
        return np.full(len(frame), np.nan)
    opponent = next(name for name in evidence.daily.columns.levels[0] if name not in _candidates(evidence))
    daily = evidence.daily[opponent, "total_bp"] - evidence.daily[candidate, "total_bp"]
    errors = []
    for row in frame.itertuples():
        year = daily.loc[row.first : row.last].to_numpy(float)
        months = year[len(year) % _MONTH :].reshape(-1, _MONTH).mean(axis=1)
        errors.append(months.std(ddof=1) / np.sqrt(len(months)) if len(months) > 1 else np.nan)
    return np.array(errors)


def _candidates(evidence: Evidence) -> set[str]:
    return {case.candidate for case in evidence.cases}
