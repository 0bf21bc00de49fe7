"""Every figure of the monthly chapter, computed a second time: plain Python, straight from the database's rows."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sqlalchemy import select

from tests.governance import cases, paper_cases
from workbench.exhibits import decisions, decisions_accepted, decisions_outcomes, decisions_proposed
from workbench.exhibits.decisions_origin import Source
from workbench.exhibits.origin import Origin
from workbench.governance import Sweep, Who, open_store
from workbench.governance.commands import (
    AddDraft,
    Approve,
    Document,
    EditDraft,
    Override,
    Reject,
    Release,
    Return,
    Revise,
    Submit,
    Summary,
)
from workbench.governance.lessons.export import collect
from workbench.governance.lessons.proportions import FEW
from workbench.governance.tables import draft

START, LAST = date(2022, 3, 1), date(2022, 12, 27)
SIGNALS = 64


class Clock:
    def __init__(self):
        self.now = datetime(2022, 12, 28, 15, tzinfo=UTC)

    def __call__(self):
        return self.now


def made_prices():
    """Two securities on every weekday, a drawn path each; nothing of them is known to the export."""
    draw, days, out = np.random.default_rng(5), pd.bdate_range(START, LAST), {}
    for name in ("AAA", "BBB"):
        closes = 50.0 * np.exp(np.cumsum(draw.normal(0.0, 0.01, len(days))))
        out.update({(name, day.date()): float(close) for day, close in zip(days, closes, strict=True)})
    return out


PRICES = made_prices()


def lived(path):
    """A quarter of real acts: signals of every ending, drawn from a seed."""
    clock, draw = Clock(), np.random.default_rng(11)
    store = cases.staff(open_store(f"sqlite:///{path}", clock=clock))
    for number in range(1, SIGNALS + 1):
        end = draw.choice(
            ["released", "rejected", "returned", "revised", "overridden", "open"], p=[0.3, 0.2, 0.1, 0.1, 0.2, 0.1]
        )
        day = START + timedelta(days=int(draw.integers(0, 280)))
        while day.weekday() > 4:
            day += timedelta(days=1)
        trades = [
            {"security_id": name, "shares": float(draw.integers(-40, 40)), "price": PRICES[name, day],
             "cost": float(draw.integers(1, 9)), "tax": float(draw.integers(-50, 50))}
            for name in ("AAA", "BBB")
        ]  # fmt: skip
        body = json.dumps({"household": number, "trades": trades})
        one = cases.checked(
            store, number, findings=(cases.finding("weight", "block" if end == "overridden" else "pass"),
                                     cases.finding("cash", "warn" if draw.random() < 0.6 else "pass")),
            book=str(draw.choice(["ADV1", "ADV2"])), policy=str(draw.choice(["band", "tax_aware"])),
            package=cases.package(body), summary=Summary(day.isoformat(), 2, 100_000_00, 1_000, 500, 9_000, number),
        )  # fmt: skip
        act(store, clock, draw, number, one, end)
    clock.now += timedelta(days=9)
    store.perform(Who("nightly"), Sweep(), "sweep")
    return store


def act(store, clock, draw, number, one, end):
    def perform(person, command):
        clock.now += timedelta(minutes=int(draw.integers(1, 400)))
        return store.perform(Who(person), command, f"{number}-{clock.now.isoformat()}")

    def code():
        return str(draw.choice(["tax", "cost", "data_wrong", "client_wish"]))

    if end == "open":
        return
    signal_id = one.object_id
    if end == "revised":
        body = cases.package(json.dumps({"household": number, "revised": True, "trades": []}))
        summary = Summary("2022-06-01", 1, 50_000_00, 0, 100, 100, number)
        one = perform("ann", Revise(signal_id, one.version, body, None, summary, code(), "Less of it."))
        one = perform("nightly", cases.check(one, cases.finding("cash", "warn")))
    if end == "overridden":
        one = perform(
            "cleo" if number % 3 else "carl",
            Override(signal_id, one.version, "weight", 1, "By the client's written wish, on file."),
        )
    if draw.random() < 0.5:
        words = [str(word) for word in draw.choice(["we", "sell", "buy", "tax", "hold", "bonds"], 12)]
        text = Document("draft", "text/plain", " ".join(words).encode())
        kept = {"facts": paper_cases.FACTS, "report": paper_cases.report(" ".join(words))}
        record = tuple(item for item in cases.HOW if item[0] != "verifier_report")
        one = perform("ann", AddDraft(signal_id, one.version, "client note", text, record, **kept))
        if draw.random() < 0.6:
            words[int(draw.integers(0, 12))] = "other"
            with store.reading() as connection:
                name = connection.execute(select(draft.c.draft_id).where(draft.c.signal_id == signal_id)).scalar_one()
            changed = " ".join([*words, "yours"])
            report = paper_cases.report(changed)
            one = perform("ann", EditDraft(signal_id, one.version, name, changed, "wording", report=report))
    one = perform("ann", Submit(signal_id, one.version, one.sheet_hash))
    if end == "rejected":
        perform("paula", Reject(signal_id, one.version, code(), "Not now."))
    elif end == "returned":
        perform("peter", Return(signal_id, one.version, code(), "Look again."))
    else:
        for person in ("paula", "peter"):
            if one.state == "submitted":
                one = perform(person, Approve(signal_id, one.version, one.sheet_hash))
        if one.state == "approved":
            perform("tom", Release(signal_id, one.version, one.sheet_hash))


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """The database's file, and every fact the chapter shows of it."""
    path = tmp_path_factory.mktemp("month") / "decisions.db"
    store = lived(path)
    with store.reading() as connection:
        made = collect(
            connection, store.clock(), lambda body: json.loads(body)["trades"],
            lambda body: [{"rule_id": rule, "rule_version": 1, "verdict": verdict, "value": "1", "limit": "2",
                           "overridable": True} for rule, verdict in eval(body.decode())],
        )  # fmt: skip
    prices = pd.DataFrame(
        [(pd.Timestamp(day), name, close, close) for (name, day), close in PRICES.items()],
        columns=["date", "security_id", "close", "adj_close"],
    )
    source = Source(made, prices, "", (), Origin("2022-12-28", "3f9a12c4", ""))
    exhibits = [
        decisions.summary(source), decisions_accepted.turnaround_table(source),
        decisions_accepted.overrides_table(source), decisions_accepted.reasons_table(source),
        decisions_proposed.edits_figure(source),
        *(decisions_accepted.followed_figure(source, by) for by in ("policy", "advisor", "rule")),
        *(decisions_outcomes.turned_out_figure(source, days) for days in (30, 90)),
    ]  # fmt: skip
    facts = {fact.id.removeprefix("decisions."): fact.value for exhibit in exhibits for fact in exhibit.facts}
    return Rows(path), facts, exhibits


class Rows:
    """The database read by sqlite3 alone."""

    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.database.row_factory = sqlite3.Row
        self.signals = {row["signal_id"]: row for row in self.all("SELECT * FROM signal")}
        self.decisions = self.all("SELECT * FROM decision ORDER BY at")
        self.times = {}
        for row in self.all("SELECT * FROM audit WHERE object_kind = 'signal' AND outcome = 'done' ORDER BY sequence"):
            self.times.setdefault(row["object_id"], {}).setdefault(row["action"], []).append(moment(row["at"]))
        self.released = {name for name, acts in self.times.items() if "release" in acts}
        self.rejected = {name for name, acts in self.times.items() if "reject" in acts}
        self.decided = self.released | self.rejected

    def all(self, query, *values):
        return self.database.execute(query, values).fetchall()

    def text(self, name):
        return self.all("SELECT body FROM document WHERE hash = ?", name)[0]["body"].decode()

    def acts(self, action):
        return {row["signal_id"] for row in self.decisions if row["action"] == action}

    def found(self):
        """Verdicts of every check of every signal, by signal and rule."""
        out = {}
        query = "SELECT object_id, body FROM audit WHERE action = 'check' AND outcome = 'done'"
        for row in self.all(query):
            for rule, verdict in eval(self.text(json.loads(row["body"])["documents"]["preflight"])):
                out.setdefault((row["object_id"], rule), set()).add(verdict)
        return out


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def working_hours(start, end):
    """Counted minute by minute."""
    minutes, at, zone = 0, start, ZoneInfo("America/New_York")
    while at < end:
        local = at.astimezone(zone)
        minutes += local.weekday() < 5 and 9 <= local.hour < 17
        at += timedelta(minutes=1)
    return minutes / 60


def levenshtein(old, new):
    last = list(range(len(new) + 1))
    for i, a in enumerate(old, 1):
        line = [i]
        for j, b in enumerate(new, 1):
            line.append(min(last[j] + 1, line[-1] + 1, last[j - 1] + (a != b)))
        last = line
    return last[-1]


def middle(values):
    values, many = sorted(values), len(values)
    return (values[(many - 1) // 2] + values[many // 2]) / 2


def close(name, day):
    """The last close on or before a day."""
    while (name, day) not in PRICES:
        day -= timedelta(days=1)
    return PRICES[name, day]


def test_the_month_has_something_of_everything(month):
    rows, _, _ = month
    ends = Counter(row["state"] for row in rows.signals.values())
    assert len(rows.released) >= FEW
    assert len(rows.rejected) >= 5
    assert ends["expired"] >= 5
    assert rows.acts("revise")
    assert rows.acts("return")
    assert len(rows.acts("override")) >= 5


def test_signals_decided_released_and_released_as_proposed(month):
    rows, facts, _ = month
    untouched = rows.released - rows.acts("return") - rows.acts("revise")
    assert facts["decided"] == len(rows.decided)
    assert facts["released"] == pytest.approx(len(rows.released) / len(rows.decided))
    assert facts["unchanged"] == pytest.approx(len(untouched) / len(rows.decided))


@pytest.mark.parametrize(("by", "column"), [("policy", "policy"), ("advisor", "book")])
def test_acceptance_by_policy_and_advisor(month, by, column):
    rows, facts, _ = month
    for key in {row[column] for row in rows.signals.values()}:
        mine = {name for name, row in rows.signals.items() if row[column] == key}
        decided, slug = mine & rows.decided, f"{by}.{key.lower().replace('_', '-')}"
        found = next(name for name in (slug, f"{by}.{key}", f"{by}.{key.lower()}") if f"{name}.decided" in facts)
        assert facts[f"{found}.decided"] == len(decided)
        if len(decided) >= FEW:
            assert facts[f"{found}.released"] == pytest.approx(len(mine & rows.released) / len(decided))


def test_acceptance_by_rule_counts_every_check(month):
    rows, facts, _ = month
    for rule in ("weight", "cash"):
        mine = {name for (name, its), said in rows.found().items() if its == rule and said - {"pass"}}
        assert facts[f"rule.{rule}.decided"] == len(mine & rows.decided)
        if len(mine & rows.decided) >= FEW:
            expected = len(mine & rows.released) / len(mine & rows.decided)
            assert facts[f"rule.{rule}.released"] == pytest.approx(expected)


def test_intervals_are_wilsons(month):
    rows, _, exhibits = month
    n, p, z = len(rows.decided), len(rows.released) / len(rows.decided), stats.norm.ppf(0.975)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    assert f"{centre - half:.0%} to {centre + half:.0%}" in json.dumps(exhibits[0].to_json())


def test_turnaround_of_every_step(month):
    rows, facts, _ = month
    steps = {
        "to_submission": lambda t, row: (moment(row["created_at"]), t["submit"][0]),
        "to_the_last_approval": lambda t, row: (t["submit"][0], t["approve"][-1]),
        "to_release": lambda t, row: (t["approve"][-1], t["release"][-1]),
        "in_all": lambda t, row: (moment(row["created_at"]), t["release"][-1]),
    }
    for step, ends in steps.items():
        hours = [working_hours(*ends(rows.times[name], rows.signals[name])) for name in rows.released]
        slug = next(key for key in facts if key.replace("-", "_").startswith(f"turnaround.{step}.median"))
        assert facts[slug] == pytest.approx(middle(hours), abs=1e-6)
        assert facts[slug.replace("median", "mean")] == pytest.approx(sum(hours) / len(hours), abs=1e-6)
    assert facts["turnaround"] == pytest.approx(middle(hours), abs=1e-6)


def test_overrides_by_rule_and_role(month):
    rows, facts, exhibits = month
    made = [row for row in rows.decisions if row["action"] == "override"]
    assert facts["overridden.weight.compliance"] == len(made)
    (line,) = exhibits[2].body.rows
    assert line[5] == len({row["person_id"] for row in made}) == 2
    assert line[6] == len({row["signal_id"] for row in made} & rows.rejected)


def test_reasons_by_act(month):
    rows, facts, _ = month
    given = Counter((row["action"], row["reason_code"]) for row in rows.decisions if row["reason_code"])
    for (action, code), times in given.items():
        key = next(k for k in facts if k.replace("-", "_") == f"reason.{action}.{code}")
        assert facts[key] == times
    assert sum(v for k, v in facts.items() if k.startswith("reason.all.")) == sum(given.values())


def test_errors_caught(month):
    rows, facts, _ = month
    stopped = {name for (name, _), said in rows.found().items() if said & {"block", "not_assessable"}}
    wrong = {
        row["signal_id"] for row in rows.decisions
        if row["action"] in ("return", "reject", "revise") and row["reason_code"] in ("data_wrong", "tax")
    }  # fmt: skip
    assert facts["errors_caught"] == pytest.approx(len(rows.decided & (stopped | wrong)) / len(rows.decided))


def test_how_much_of_a_draft_is_changed(month):
    rows, facts, _ = month
    met = {row["signal_id"] for row in rows.decisions}
    drafts = [row for row in rows.all("SELECT * FROM draft") if row["signal_id"] in met]
    shares = []
    for row in drafts:
        old, new = (rows.text(row[name]).split() for name in ("drafted_hash", "current_hash"))
        if old != new:
            shares.append(levenshtein(old, new) / max(len(old), len(new)))
    assert facts["drafts.edited"] == pytest.approx(len(shares) / len(drafts))
    assert facts["drafts.median_edit"] == pytest.approx(middle(shares))


@pytest.mark.parametrize("days", [30, 90])
def test_how_it_turned_out(month, days):
    rows, facts, _ = month
    groups = {"released": rows.released, "rejected": rows.rejected, "overridden": rows.acts("override"),
              "revised": rows.acts("revise")}  # fmt: skip
    first = {}
    for row in rows.decisions:
        if row["action"] == "revise":
            first.setdefault(row["signal_id"], row["before_hash"])
    for group, members in groups.items():
        nets, shares = [], []
        for name in members:
            row = rows.signals[name]
            package = json.loads(rows.text(first.get(name, row["package_hash"])))
            day = date.fromisoformat(row["as_of"])
            if day + timedelta(days=days) > LAST:
                continue
            net, traded = 0.0, 0.0
            for trade in package["trades"]:
                amount, name_ = trade["shares"] * trade["price"], trade["security_id"]
                move = close(name_, day + timedelta(days=days)) / close(name_, day) - 1
                net += amount * move - trade["cost"] - trade["tax"]
                traded += abs(amount)
            nets.append(net)
            shares.append(net / traded)
        if nets:
            assert facts[f"turned_out.{days}.{group}.total"] == pytest.approx(sum(nets))
            assert facts[f"turned_out.{days}.{group}.mean"] == pytest.approx(sum(shares) / len(shares))
