"""Ten thousand drafts of every kind over random firms, each judged by an oracle that shares nothing with the verifier.

    python -m benchmarks.drafting_documents             # a table
    python -m benchmarks.drafting_documents --json      # one object, for a machine
    python -m benchmarks.drafting_documents --quick     # two worlds in place of eighteen

Every draft is written and verified as its paper does it, but a draft that the verifier refuses is kept and read, too:
`unsupported` are documents in which the oracle finds something that the firm's tables or results do not say,
`false_alarms` documents in which it finds nothing and the verifier does. `verify_ms` is processor time of one thread.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import drafting_worlds as worlds
from benchmarks.drafting_oracle import faults_of_form
from benchmarks.drafting_recomputed import Truth, compared
from workbench import rebalance
from workbench.copilot.answer import Scope
from workbench.copilot.intents import INTENTS
from workbench.copilot.record import Record
from workbench.copilot.topics.asked import Asked, NotInRecordError
from workbench.drafting import FactSheet, reasons
from workbench.drafting.claims import Claim
from workbench.drafting.placeholders import Filled, fill
from workbench.drafting.sheets import alerts as alert_sheets
from workbench.drafting.sheets import committee, performance
from workbench.drafting.sheets.household import household_sheet
from workbench.drafting.sheets.model_change import notice_sheet
from workbench.drafting.sheets.model_change_book import book
from workbench.drafting.sheets.model_change_record import Timetable
from workbench.drafting.verifying.verify import verify
from workbench.drafting.writer import written
from workbench.errors import WorkbenchError
from workbench.exhibits import commentary, memo
from workbench.exhibits.household_file import household_files
from workbench.firm import Firm, at
from workbench.papers import alerts, client, notice

WORLDS = 20
#: A memo reads everything but the comparison of policies, which is the same for every firm's accounts.
READS = tuple(subject for subject in committee.SUBJECTS if subject != "policy_backtest")


@dataclass(frozen=True)
class Order:
    """One document to be made: its kind, its facts, the template and claims that write it, what judges its figures."""

    kind: str
    sheet: FactSheet
    template: str
    claims: Mapping[str, Claim]
    truth: Truth


@dataclass
class Tally:
    """What was made and found."""

    documents: Counter[str]
    unsupported: list[tuple[str, str, str]]
    false_alarms: list[tuple[str, str, str]]
    blocked: Counter[str]
    milliseconds: list[float]
    checked: Counter[str]
    mentioned: Counter[str]
    seconds: float = 0.0

    @classmethod
    def empty(cls) -> Tally:
        """Nothing yet."""
        return cls(Counter(), [], [], Counter(), [], Counter(), Counter())

    def add(self, other: Tally) -> None:
        """Add another world's."""
        for name in ("documents", "blocked", "checked", "mentioned"):
            getattr(self, name).update(getattr(other, name))
        for name in ("unsupported", "false_alarms", "milliseconds"):
            getattr(self, name).extend(getattr(other, name))
        self.seconds += other.seconds


def judged(order: Order, tally: Tally) -> None:
    """Write a document, verify it, and have the oracle read it."""
    try:
        skeleton = written(order.sheet, order.template, order.claims)
        filled = fill(skeleton, order.sheet)
    except WorkbenchError as error:
        tally.blocked[f"{order.kind}: {type(error).__name__}: {error}"[:160]] += 1
        return
    started = time.process_time()
    report = verify(filled.text, order.sheet, skeleton)
    tally.milliseconds.append((time.process_time() - started) * 1000)
    tally.documents[order.kind] += 1
    found = list(faults_of_form(filled, order.sheet)) + list(compared(order, filled, tally.checked, tally.mentioned))
    if found:
        tally.unsupported.append((order.kind, order.sheet.key, found[0]))
    elif report.faults:
        first = report.faults[0]
        tally.false_alarms.append(
            (order.kind, order.sheet.key, f"{first.text!r} in {_line(filled, first.start)!r}: {first.reason}")
        )


def _line(filled: Filled, place: int) -> str:
    start = filled.text.rfind("\n", 0, place) + 1
    return filled.text[start : filled.text.find("\n", place)][:300]


def orders(seed: int, firm: Firm, blocked: Counter[str]) -> Iterator[Order]:
    """Yield every document to be made of one random firm."""
    chosen = random.Random(seed)
    for make in (household_orders, alert_orders, notice_orders, answer_orders, committee_orders):
        try:
            yield from make(seed, firm, chosen, blocked)
        except WorkbenchError as error:
            blocked[f"{make.__name__}: {type(error).__name__}: {error}"[:160]] += 1


def household_orders(seed: int, firm: Firm, chosen: random.Random, blocked: Counter[str]) -> Iterator[Order]:
    """Brief, e-mail and talking points of every household, in several modes."""
    named = client.directory(firm)
    for chosen_settings in worlds.settings(seed):
        proposals = rebalance.propose_firm(rebalance.load(firm, settings=chosen_settings), chosen_settings)
        files = household_files(firm, [proposal.household_id for proposal in proposals])
        for proposal in proposals:
            sheet = household_sheet(proposal, files[proposal.household_id], named)
            truth = Truth(firm, proposal)
            for kind in (client.BRIEF, client.EMAIL, "talking_points"):
                yield Order(kind, sheet, kind, reasons.household.CLAIMS, truth)


def alert_orders(seed: int, firm: Firm, chosen: random.Random, blocked: Counter[str]) -> Iterator[Order]:
    """The alerts of this day and of an earlier one, and of nights whose accounts stand elsewhere."""
    earlier = at(firm, firm.as_of - pd.Timedelta(days=chosen.randrange(20, 200)))
    for seen, count in ((firm, 24), (earlier, 10)):
        for night in worlds.nights(alerts.nightly(seen), chosen, count):
            truth = Truth(seen, night)
            yield Order("alert_firm", alert_sheets.firm_sheet(night), "alert_firm", reasons.alerts.CLAIMS, truth)
            for advisor in sorted({one.advisor_id for one in night.accounts}):
                sheet = alert_sheets.advisor_sheet(night, advisor)
                yield Order("alert_advisor", sheet, "alert_advisor", reasons.alerts.CLAIMS, truth)
            yield Order(
                "alert_channel", alert_sheets.channel_sheet(night), "alert_channel", reasons.alerts.CLAIMS, truth
            )


def notice_orders(seed: int, firm: Firm, chosen: random.Random, blocked: Counter[str]) -> Iterator[Order]:
    """The notice of each advisor and of the desk, of the coming versions or of those in force, by two timetables."""
    change = notice.model_change(firm)
    day = firm.as_of.date()
    full = Timetable(
        (day + timedelta(5)).isoformat(), (day + timedelta(19)).isoformat(), chosen.choice(("Jane O'Hara", "the desk"))
    )
    for advisor in (*change.advisors["advisor_id"], None):
        own = book(change, advisor)
        for timetable in (Timetable(), full):
            sheet = notice_sheet(own, timetable, preview=True)
            template = "notice" if sheet.has("advisor") else "notice_desk"
            template = template if sheet.has("book.assets") else "notice_empty"
            yield Order("notice", sheet, template, reasons.model_change.CLAIMS, Truth(firm, own))


def answer_orders(seed: int, firm: Firm, chosen: random.Random, blocked: Counter[str]) -> Iterator[Order]:
    """Answers of every topic to questions about households, accounts, securities and models drawn by chance."""
    record = Record(firm)
    topics: dict[Callable[..., Any], str] = {intent.topic: intent.name for intent in INTENTS}
    keys = [("asset_class", one) for one in record.securities["asset_class"].unique()]
    keys += [("sleeve", one) for one in record.sleeves.index]
    for _ in range(4):
        account = chosen.choice(list(record.accounts.index))
        household = str(record.accounts.loc[account, "household_id"])
        scope = Scope(chosen.choice((None, str(record.households.loc[household, "advisor_id"]))))
        held = [
            one for one in record.holdings.loc[record.holdings["account_id"] == account, "security_id"] if one != "CASH"
        ]
        asked = Asked(
            record, scope, household, chosen.choice((None, account)), chosen.choice((None, *held)),
            chosen.choice((None, *keys)), chosen.choice((None, *record.in_force)), chosen.choice((None, 10.0)),
            text=chosen.choice(("proposed", "tax this year", "short term", "last meeting")),
        )  # fmt: skip
        for topic in topics:
            try:
                sheet, template = topic(asked)
            except (
                NotInRecordError,
                AssertionError,
                KeyError,
            ):  # what the copilot's routing never asks for, or has not
                continue
            except WorkbenchError as error:  # which the copilot passes on to a person
                blocked[f"answer: {type(error).__name__}: {error}"[:160]] += 1
                continue
            yield Order("answer", sheet, template, {}, Truth(firm, record))


def committee_orders(seed: int, firm: Firm, chosen: random.Random, blocked: Counter[str]) -> Iterator[Order]:
    """Commentaries and memos of the firm, and of others with other returns and effects."""
    if seed % 2 == 0:
        measured = commentary.measure(firm)
        for key, own in measured.records.items():
            for n in range(10):
                record = worlds.record(own, chosen) if n else own
                effects = tuple(worlds.effects(one, chosen) if n else one for one in measured.effects.get(key, ()))
                sheet = performance.sheet(
                    record, effects, measured.as_of, measured.snapshot, measured.firm, measured.benchmarks.get(key, "")
                )
                yield Order(
                    "commentary", sheet, "commentary", reasons.performance.CLAIMS, Truth(firm, (record, effects))
                )
    if seed % 3 == 0:
        for quarter in worlds.quarters(memo.measure(firm, READS), chosen, 8):
            yield Order("memo", committee.sheet(quarter), "memo", reasons.committee.CLAIMS, Truth(firm, quarter))


def one_world(seed: int, most: int | None = None) -> Tally:
    """Make one random firm and judge its documents, at most `most` of each kind."""
    tally, started = Tally.empty(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        firm = worlds.world(seed, Path(folder) / "firm")
        ordered: Counter[str] = Counter()
        for order in orders(seed, firm, tally.blocked):
            ordered[order.kind] += 1
            if most is None or ordered[order.kind] <= most:
                judged(order, tally)
    tally.seconds = time.process_time() - started
    return tally


def measure(count: int = WORLDS, first: int = 0, workers: int = 1, talk: bool = False) -> dict[str, Any]:
    """Return the figures over this many worlds."""
    whole, seeds = Tally.empty(), range(first, first + count)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) if workers > 1 else nullcontext() as pool:
        for tally in pool.map(one_world, seeds) if pool else map(one_world, seeds):
            whole.add(tally)
            if talk:
                print(f"{whole.documents.total()} documents, {whole.seconds:.0f} s", file=sys.stderr, flush=True)
    times = sorted(whole.milliseconds)
    return {
        "documents": whole.documents.total(),
        "unsupported_in_10000": round(len(whole.unsupported) * 10_000 / whole.documents.total(), 2),
        "false_alarms_in_10000": round(len(whole.false_alarms) * 10_000 / whole.documents.total(), 2),
        "verify_ms": round(statistics.median(times), 2),
        "verify_ms_p99": round(times[int(len(times) * 0.99)], 2),
        "by_kind": dict(sorted(whole.documents.items())),
        "recomputed": {kind: round(whole.checked[kind] / said, 4) for kind, said in sorted(whole.mentioned.items())},
        "blocked": dict(whole.blocked.most_common(20)),
        "unsupported": whole.unsupported[:40],
        "false_alarms": whole.false_alarms[:40],
        "processor_seconds": round(whole.seconds),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one object")
    parser.add_argument("--quick", action="store_true", help="two worlds")
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--first", type=int, default=0, help="the first world's seed")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    options = parser.parse_args()
    figures = measure(2 if options.quick else options.worlds, options.first, options.workers, talk=not options.json)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        if isinstance(value, dict | list):
            print(name)
            for row in value.items() if isinstance(value, dict) else value:
                print("  ", *row)
        else:
            print(f"{name:34} {value}")


if __name__ == "__main__":
    main()
