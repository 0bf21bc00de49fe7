"""A made-up history of decisions, to try the monthly review on before there is a real one.

Everything in it is drawn from a seed. Three things are planted, so that a review that works must find them, and nothing
else: one limit that people keep overriding, one phrase that they keep taking out, and work that takes less time.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from workbench.governance.lessons import frames
from workbench.governance.lessons.edits import edit
from workbench.governance.lessons.frames import Decisions, frame
from workbench.governance.lessons.phrases import Draft, count_phrases
from workbench.governance.lessons.rulebook_text import Movable
from workbench.governance.measures import Measure, Reading, read_measures
from workbench.governance.measures.schedule import periods
from workbench.governance.measures.stored import written as defined
from workbench.governance.tables import written

#: The limits of the made-up rulebook: what share of signals they block, and how often a block is overridden.
LIMITS = {
    "single_name_weight": (0.10, 0.14, 0.85),
    "sector_weight": (0.35, 0.12, 0.30),
    "turnover_a_year": (1.50, 0.10, 0.35),
    "cash_below_floor": (0.01, 0.08, 0.10),
}
PLANTED_RULE = "single_name_weight"
PLANTED_PHRASE = "as you are no doubt aware"
MOVABLE = (
    Movable("single_name_weight", "limit", 0.20),
    Movable("sector_weight", "limit", 0.45),
    Movable("turnover_a_year", "limit", 2.50),
)
RULEBOOK = "rulebook: made up\nversion: 1\nrules:\n" + "".join(
    f"  - id: {rule}\n    version: 1\n    overridable: {str(rule != 'cash_below_floor').lower()}\n"
    f"    parameters:\n      limit: {limit}  # made up\n"
    for rule, (limit, _, _) in LIMITS.items()
)
_ADVISORS = {"ADV1": 0.30, "ADV2": 0.25, "ADV3": 0.20, "ADV4": 0.15, "ADV5": 0.08, "ADV6": 0.02}
_POLICIES = {"band_to_target": 0.5, "band_to_edge": 0.3, "tax_aware": 0.2}
_ENDS = {"released": 0.72, "rejected": 0.14, "expired": 0.08, "superseded": 0.06}
_REASONS = ("client_wish", "tax", "cost", "timing", "data_wrong", "risk", "policy_wrong", "other")
_SAID = {
    "client_wish": "The client keeps this holding.",
    "tax": "Wait until the gain is long-term.",
    "cost": "Too little benefit for the cost.",
    "timing": "The client withdraws cash next month.",
    "data_wrong": "The custodian has not booked the transfer yet.",
    "risk": "Too much in one sector afterwards.",
    "policy_wrong": "The policy does not fit this account.",
    "other": "",
}
#: Days of history before the day of the review.
_DAYS = 210
_BODY = (
    "we propose to bring your portfolio back to its target weights",
    "the sales realise losses that reduce this year's tax",
    "nothing is sold that was bought within the last thirty days",
    "cash for your withdrawal is set aside",
    "please call us with any question",
)


def rehearse(prices: pd.DataFrame, until: date, seed: int = 1, signals: int = 700) -> Decisions:
    """Make up some months of decisions that end on `until`, with trades in the securities of `prices`."""
    draw = np.random.default_rng(seed)
    rows = [_signal(draw, number, until) for number in range(signals)]
    rows.sort(key=lambda row: row["created_at"])
    findings, decisions, drafts, texts = [], [], [], []
    for place, row in enumerate(rows):
        made, acts = _findings(draw, row)
        findings += made
        decisions += _acts(draw, row, acts)
        old, new, house = _draft(draw, place)
        measured = edit(old, new)
        drafts.append({
            "signal_id": row["signal_id"], "kind": "client note", "edited": old != new,
            "distance": measured.distance, "length": measured.length,
        })  # fmt: skip
        texts.append(Draft(house, house, old, new))
    words = count_phrases(texts)
    measures, readings = _measures(draw, until)
    tables: dict[str, Any] = {
        "signals": rows,
        "findings": findings,
        "decisions": [{**act, "decision_id": f"D{number:05d}"} for number, act in enumerate(decisions)],
        "approvals": [_approval(row) for row in rows if row["approved_at"] is not None],
        "drafts": drafts,
        "phrases": [
            {"phrase": text, "words": len(text.split()), "deleted_in": out, "offered_in": offered}
            for text, out, offered in words.rows
        ],
        "trades": _trades(draw, rows, prices),
        "measures": [
            {"measure_id": m.measure_id, "version": m.version, "definition": defined(m)} for m in measures
        ],
        "readings": [asdict(reading) for reading in readings],
    }  # fmt: skip
    made_up = Decisions(
        {name: frame(name, table) for name, table in tables.items()}, written(_moment(until, 23.0)), 0, "0" * 64, "",
        words.tested, ("This history is made up.",), True,
    )  # fmt: skip
    return replace(made_up, hash=frames.content_hash(made_up))


def _signal(draw: np.random.Generator, number: int, until: date) -> dict[str, Any]:
    born = until - timedelta(days=int(draw.integers(1, _DAYS)))
    born -= timedelta(days=max(0, born.weekday() - 4))
    age = (until - born).days / _DAYS
    hour = float(draw.uniform(13.0, 20.0))
    waits = draw.gamma(2.0, (5.0 + 8.0 * age, 3.0, 1.0)) + 0.1
    moments = sorted(_moment(born, hour + float(wait)) for wait in np.cumsum(waits))
    end = str(draw.choice(list(_ENDS), p=list(_ENDS.values())))
    end = "open" if moments[2].date() >= until else end
    reached = {"released": 3, "rejected": 1}.get(end, 0)
    submitted, approved, released = (moment if place < reached else None for place, moment in enumerate(moments))
    traded = int(draw.lognormal(11.3, 1.0) * 100)
    return {
        "signal_id": f"signal-{number:05d}", "book": str(draw.choice(list(_ADVISORS), p=list(_ADVISORS.values()))),
        "policy": str(draw.choice(list(_POLICIES), p=list(_POLICIES.values()))), "mode": "release",
        "as_of": born.isoformat(), "outcome": end, "trades": int(draw.integers(2, 8)), "traded": traded,
        "tax": int(traded * draw.normal(-0.002, 0.006)), "cost": int(traded * 0.0004), "benefit": int(traded * 0.004),
        "created_at": _moment(born, hour), "submitted_at": submitted, "approved_at": approved, "released_at": released,
        "closed_at": None if end == "open" else moments[2], "returned": int(draw.random() < 0.10),
        "revised": int(draw.random() < 0.12),
    }  # fmt: skip


def _findings(draw: np.random.Generator, row: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Blocks of a signal, and the overrides among them as acts."""
    made, acts = [], []
    for rule, (limit, blocked, overridden) in LIMITS.items():
        if draw.random() >= blocked:
            continue
        done = row["outcome"] in ("released", "rejected") and draw.random() < overridden
        value = limit * (1.0 + float(draw.uniform(0.02, 0.55)))
        role = "compliance" if done else None
        at = row["created_at"] + timedelta(hours=1) if done else None
        reason = "Client's wish on file, reviewed with the portfolio manager." if done else None
        made.append({
            "signal_id": row["signal_id"], "rule_id": rule, "rule_version": 1, "verdict": "block",
            "value": f"{value:.6g}", "limit": f"{limit:.6g}", "overridable": rule != "cash_below_floor",
            "overridden": done and rule != "cash_below_floor", "role": role,
            "person": f"P{int(draw.integers(1, 4))}" if done else None, "override_reason": reason, "overridden_at": at,
        })  # fmt: skip
        if made[-1]["overridden"]:
            acts.append({"action": "override", "role": role, "rule_id": rule, "reason": reason, "at": at})
    return made, acts


def _acts(draw: np.random.Generator, row: dict[str, Any], acts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    at = row["created_at"] + timedelta(hours=2)
    for action, times in (("return", row["returned"]), ("revise", row["revised"])):
        acts += [_because(draw, action, "portfolio_manager", at)] * times
    if row["outcome"] == "rejected":
        acts.append(_because(draw, "reject", "portfolio_manager", row["closed_at"]))
    empty = dict.fromkeys(("rule_id", "reason_code", "reason", "edit_distance", "length"))
    return [{**empty, **act, "signal_id": row["signal_id"], "for_another": False} for act in acts]


def _because(draw: np.random.Generator, action: str, role: str, at: datetime) -> dict[str, Any]:
    code = str(draw.choice(_REASONS, p=(0.3, 0.15, 0.1, 0.15, 0.1, 0.08, 0.07, 0.05)))
    return {"action": action, "role": role, "reason_code": code, "reason": _SAID[code], "at": at}


def _draft(draw: np.random.Generator, number: int) -> tuple[str, str, str]:
    """A drafted note, the note as it was left, and its household: half hold the planted phrase."""
    lines = [str(line) for line in draw.permutation(_BODY)[: int(draw.integers(3, 6))]]
    if draw.random() < 0.5:
        lines[0] = f"{PLANTED_PHRASE} {lines[0]}"
    old = new = ". ".join(lines)
    if PLANTED_PHRASE in old and draw.random() < 0.9:
        new = new.replace(PLANTED_PHRASE + " ", "")
    if draw.random() < 0.25:
        words = new.split()
        place = int(draw.integers(0, len(words)))
        new = " ".join([*words[:place], f"word{int(draw.integers(0, 900))}", *words[place + 1 :]])
    return old, new, f"H{number % 240:05d}"


def _approval(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "signal_id": row["signal_id"], "role": "portfolio_manager", "approved_at": row["approved_at"],
        "expires_at": row["approved_at"] + timedelta(hours=24), "voided_at": None, "void_reason": None,
    }  # fmt: skip


def _trades(draw: np.random.Generator, rows: list[dict[str, Any]], prices: pd.DataFrame) -> list[dict[str, Any]]:
    """Half sales and half purchases of securities that have a close on the signal's day or in the week before."""
    table = prices.pivot(index="date", columns="security_id", values="close").sort_index().ffill(limit=5)
    out = []
    for row in rows:
        place = table.index.searchsorted(pd.Timestamp(row["as_of"]), side="right") - 1
        known = table.iloc[max(place, 0)].drop("CASH", errors="ignore").dropna()
        many = min(row["trades"], len(known))
        each = row["traded"] / 100.0 / max(many, 1)
        for side, security in enumerate(draw.choice(known.index.to_numpy(), many, replace=False)):
            price = float(known[security])
            shares = (1.0 if side % 2 else -1.0) * each / price
            costs = {"cost": row["cost"] / 100.0 / many, "tax": row["tax"] / 100.0 / many}
            for made, part in (("proposed", 1.0), *((("final", 0.6),) if row["revised"] else ())):
                out.append({
                    "signal_id": row["signal_id"], "made": made, "security_id": str(security), "shares": shares * part,
                    "price": price, **{name: value * part for name, value in costs.items()},
                })  # fmt: skip
    return out


def _measures(draw: np.random.Generator, until: date) -> tuple[tuple[Measure, ...], list[Reading]]:
    """Definitions with a first day of use five months back, a baseline each, and the readings that are due but one."""
    measures = read_measures(until - timedelta(days=150))
    before = {
        "hours_of_preparation": (3.4, 1.3, 60), "turnaround": (12.0, 6.0, 220), "errors_caught": (0.33, None, 240),
        "aum_growth": (0.021, 0.30, 260), "clients_leaving": (0.043, None, 23_600),
    }  # fmt: skip
    change = {"hours_of_preparation": -0.9, "turnaround": -4.0, "errors_caught": 0.12}
    out = []
    for measure in measures:
        value, spread, cases = before[measure.measure_id]
        spans = [("baseline", date.fromisoformat(measure.baseline_start), measure.first_day)]
        spans += [("reading", *span) for _, span in zip(range(4), periods(measure), strict=False) if span[1] < until]
        for kind, start, end in spans[: 2 if measure.measure_id == "aum_growth" else None]:
            noise = float(draw.normal()) * (spread or value) / cases**0.5
            found = value + noise + (change.get(measure.measure_id, 0.0) if kind == "reading" else 0.0)
            many = max(20, round(cases * (end - start).days / 91))
            out.append(Reading(
                measure.measure_id, 1, "baseline" if kind == "baseline" else "reading", start.isoformat(),
                end.isoformat(), f"{max(found, 0.0):.4f}", None if spread is None else f"{spread:.4f}", many, "made up",
            ))  # fmt: skip
    return measures, out


def _moment(day: date, hours: float) -> datetime:
    """A moment hours after midnight UTC; what falls on a weekend is done on the Monday after, in its order."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours)
    if moment.weekday() < 5:
        return moment
    monday = datetime(moment.year, moment.month, moment.day, 14, tzinfo=UTC) + timedelta(days=7 - moment.weekday())
    return monday + ((moment - monday) + timedelta(days=3)) / 24
