"""Every figure and day of a draft worked out a second time: from the firm's tables, or from the results it is made of.

A rule is a pattern over fact identifiers and a function of what is true. A figure for which there is no rule is
counted as said and not as recomputed; one whose second value is another is a fault of the document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from workbench.drafting import Fact, FactSheet
from workbench.drafting.placeholders import Filled
from workbench.firm import Firm

Rule = Callable[["Truth", Fact, FactSheet, "re.Match[str]"], Any]
_RULES: list[tuple[frozenset[str], re.Pattern[str], Rule]] = []
HOUSEHOLD = ("client_brief", "client_email", "talking_points")
ALERTS = ("alert_firm", "alert_advisor", "alert_channel")


@dataclass(frozen=True, eq=False)
class Truth:
    """A firm, and the result (proposal, night, book, record, quarter) that a document was made of."""

    firm: Firm
    result: Any

    @cached_property
    def held(self) -> pd.DataFrame:
        """Positions at the last close with what their securities are: account_id, security_id, quantity, value."""
        return _held(self.firm)

    def row(self, table: str, key: str) -> dict[str, Any]:
        """The row of a table by its first column."""
        return _kept(
            self.firm,
            table,
            lambda: {str(next(iter(row.values()))): row for row in self.firm.table(table).to_dict("records")},
        )[key]

    def targets(self, model: str, version: int) -> pd.DataFrame:
        """The targets of one version of a model, with what their securities are."""
        every = _kept(self.firm, "targets", lambda: dict(list(_targets(self.firm).groupby(["model_id", "version"]))))
        return every[model, version]

    def version(self, model: str) -> int:
        """The version of a model in force on the firm's day."""
        frame = self.firm.table("models")
        frame = frame[
            (frame["model_id"] == model) & (frame["effective_date"] <= self.firm.as_of) & (frame["status"] != "draft")
        ]
        return int(frame["version"].max())


_KEPT: dict[tuple[str, pd.Timestamp, str], Any] = {}


def _kept(firm: Firm, name: str, made: Callable[[], Any]) -> Any:
    """What was worked out of a firm's tables, kept while that firm is at work."""
    key = (str(firm.folder), firm.as_of, name)
    if key not in _KEPT:
        if len(_KEPT) > 40:
            _KEPT.clear()
        _KEPT[key] = made()
    return _KEPT[key]


def _targets(firm: Firm) -> pd.DataFrame:
    """All targets with what their securities are."""
    return firm.table("model_targets").merge(firm.table("securities"), on="security_id", how="left")


def _held(firm: Firm) -> pd.DataFrame:
    """Positions by last close."""

    def made() -> pd.DataFrame:
        prices = firm.table("prices")
        last = prices[prices["date"] <= firm.as_of].sort_values("date").groupby("security_id")["close"].last()
        held = firm.table("positions").merge(firm.table("securities"), on="security_id", how="left")
        price = held["security_id"].map(last).mask(held["security_id"] == "CASH", 1.0)
        accounts = firm.table("accounts")[["account_id", "household_id", "advisor_id", "model_id"]]
        held = held.assign(price=price, value=held["quantity"] * price).merge(accounts, on="account_id")
        columns = ["asset_class", "sector", "region"]
        held.loc[held["security_id"] == "CASH", columns] = held.loc[held["security_id"] == "CASH", columns].fillna(
            "Cash"
        )
        return held

    frame: pd.DataFrame = _kept(firm, "held", made)
    return frame


def rule(kinds: str | tuple[str, ...], pattern: str) -> Callable[[Rule], Rule]:
    """Register what the facts of a pattern must be in papers of some kinds."""

    def registered(made: Rule) -> Rule:
        _RULES.append((frozenset((kinds,) if isinstance(kinds, str) else kinds), re.compile(pattern), made))
        return made

    return registered


def compared(order: Any, filled: Filled, checked: Counter[str], mentioned: Counter[str]) -> Iterator[str]:
    """Yield the figures and days of a document whose second value is another; count what was said and recomputed."""
    for id in dict.fromkeys(id for _, _, id in filled.places):
        fact = order.sheet.fact(id)
        if fact.kind in ("name", "symbol", "quote"):
            continue
        mentioned[order.kind] += 1
        for kinds, pattern, made in _RULES:
            found = pattern.fullmatch(id) if order.kind in kinds else None
            try:
                wanted = made(order.truth, fact, order.sheet, found) if found else None
            except (LookupError, AttributeError, StopIteration, TypeError, ValueError) as error:
                yield f"{id} has nothing in the record that it could be of: {error!r}"
                break
            if wanted is not None:
                checked[order.kind] += 1
                if not _same(fact.value, wanted):
                    yield f"{id} is {fact.value!r}, worked out again it is {wanted!r}"
                break


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, frozenset):  # any of several records that the fact may be of
        return any(_same(value, one) for one in wanted)
    if isinstance(value, str):
        return value == str(pd.Timestamp(wanted).date())
    return abs(float(value) - float(wanted)) <= 1e-6 + 2e-7 * max(abs(float(value)), abs(float(wanted)))


def of(fact: Fact, kind: str) -> str:
    """The key of the entity of a kind that a fact is of, or ""."""
    return next((key.partition(":")[2] for key in fact.entity if key.startswith(kind + ":")), "")


def about(sheet: FactSheet, kind: str) -> str:
    """The key of the entity of a kind that a sheet is about, or ""."""
    return next((key.partition(":")[2] for key in sheet.about if key.startswith(kind + ":")), "")


@rule((*HOUSEHOLD, "notice", "answer", "memo", "commentary"), r"as_of")
def _as_of(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    return truth.firm.as_of


# Households: the proposal's trades, tax table and lists; weights anew from positions, closes, targets and trades.


@rule(HOUSEHOLD, r"trade\.\d+\.(amount|shares|gain)")
def _trade(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    account, security = of(fact, "account"), of(fact, "security")
    mine = [one for one in truth.result.trades if (one.account_id, one.security_id) == (account, security)]
    if m[1] == "gain":
        return frozenset(sum(lot.gain or 0.0 for lot in one.lots) for one in mine)
    mine = [one for one in mine if one.side in fact.direction]
    return frozenset(round(one.shares * one.price, 2) if m[1] == "amount" else one.shares for one in mine)


@rule(HOUSEHOLD, r"trades\.(count|accounts|buy|sell|cost)")
def _trades(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    trades = truth.result.trades
    if m[1] == "count":
        return len(trades)
    if m[1] == "accounts":
        return len({one.account_id for one in trades})
    if m[1] == "cost":
        return sum(one.cost + one.fee for one in trades)
    return sum(round(one.shares * one.price, 2) for one in trades if one.side == m[1])


@rule(HOUSEHOLD, r"why\.(\w+)\.(buy|sell)\.(amount|count)")
def _why(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    mine = [one.amount for one in truth.result.trades if (one.reason.cause, one.side) == (m[1], m[2])]
    return sum(mine) if m[3] == "amount" else len(mine)


@rule(HOUSEHOLD, r"undone\.(\w+)\.(buy|sell)\.(amount|until)")
def _undone(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    found = [
        one
        for one in truth.result.refused
        if (one.obstacle, one.side, one.security_id) == (m[1], m[2], of(fact, "security"))
    ]
    if m[3] == "until":
        return frozenset(one.until for one in found if one.until)
    return frozenset(one.amount for one in found if one.account_id == of(fact, "account"))


@rule(HOUSEHOLD, r"tax\.(\w+)")
def _tax(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    table, row = truth.result.tax_table, truth.row("households", truth.result.household_id)
    sums = {term: sum(getattr(one, f"gain_{term}") for one in truth.result.trades) for term in ("short", "long")}
    return {
        "year": pd.Timestamp(truth.firm.as_of.year, 12, 31), "change": truth.result.tax,
        "short": sums["short"], "long": sums["long"], "net": sums["short"] + sums["long"],
        "realized": row["realised_short"] + row["realised_long"],
        "carried": row["carryforward_short"] + row["carryforward_long"],
        "carried_on": table.carryforward_after_short + table.carryforward_after_long,
        "harvested": table.losses_harvested, "disallowed": table.disallowed,
    }[m[1]]  # fmt: skip


@rule(HOUSEHOLD, r"budget\.(\w+)")
def _budget(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    row = truth.row("households", truth.result.household_id)
    used = (
        row["realised_short"]
        + row["realised_long"]
        + sum(one.gain_short + one.gain_long for one in truth.result.trades)
    )
    return {"left": row["gain_budget"] - max(used, 0.0), "passed": used}.get(m[1], row["gain_budget"])


@rule(HOUSEHOLD, r"model\.\d+\.drift\.\d+\.(target|now|before|after|off)")
def _weight(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    level, key = fact.entity[0].split(":", 1)
    groups = [one for one in truth.result.groups if one.model_id == of(fact, "model")]
    account = of(fact, "account")
    groups = [one for one in groups if not account or account in one.accounts]
    if level == "sleeve" or len(groups) != 1:
        return None
    column = "security_id" if level == "security" else level
    members = truth.held[truth.held["account_id"].isin(groups[0].accounts)]
    worth = members["value"].sum()
    goal = truth.targets(groups[0].model_id, groups[0].model_version)
    target = goal.loc[goal[column].fillna("Cash") == key, "target"].sum()
    now = members.loc[members[column] == key, "value"].sum() / worth
    if m[1] == "after":
        called = truth.firm.table("securities").set_index("security_id")[column if level != "security" else "name"]
        moved = spent = 0.0
        for one in truth.result.trades:
            if one.account_id in groups[0].accounts:
                signed = one.amount if one.side == "buy" else -one.amount
                spent += signed + one.cost + one.fee
                is_of = one.security_id == key if level == "security" else called[one.security_id] == key
                moved += signed if is_of else 0.0
        if key in ("Cash", "CASH"):
            moved -= spent
        return now + moved / worth if abs(fact.value - now - moved / worth) < 2e-4 else -1.0  # costs are not of a class
    return {"target": target, "off": now - target}.get(m[1], now)


@rule(HOUSEHOLD, r"model\.\d+\.distance\.(before|after)")
def _distance(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    groups = [one for one in truth.result.groups if one.model_id == of(fact, "model")]
    return frozenset(getattr(one, f"tracking_error_{m[1]}") for one in groups)


@rule(HOUSEHOLD, r"model\.\d+\.(?:news|version\.(\d+)\.(?:effective|number))")
def _version(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    frame = truth.firm.table("models")
    frame = frame[(frame["model_id"] == of(fact, "model")) & (frame["effective_date"] <= truth.firm.as_of)]
    frame = frame[frame["version"] <= max(one.model_version for one in truth.result.groups)].sort_values("version")
    row = frame.iloc[-int(m[1] or 1)]
    return row["version"] if fact.kind == "count" else row["effective_date"]


@rule(HOUSEHOLD, r"wash\.\d+\.until")
def _wash(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    names = {key.partition(":")[2] for key in fact.entity}
    rows = [one for one in truth.result.wash if one.kind == "no_buy" and one.proposed and names & set(one.securities)]
    return frozenset(one.last_day for one in rows)


@rule(HOUSEHOLD, r"need\.(\w+)\.\d+\.(amount|by|short)")
def _need(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    needs = [one for one in truth.result.cash_needs if (one.account_id, one.kind) == (of(fact, "account"), m[1])]
    worth = {
        "amount": lambda one: one.needed,
        "by": lambda one: one.by,
        "short": lambda one: one.needed - one.available_after,
    }
    return frozenset(worth[m[2]](one) for one in needs)


@rule(HOUSEHOLD, r"(consent|unmanaged)\.\d+\.amount")
def _consent(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    account = of(fact, "account")
    if m[1] == "consent":
        return sum(one.amount for one in truth.result.trades if one.account_id == account)
    return truth.held.loc[truth.held["account_id"] == account, "value"].sum()


@rule(HOUSEHOLD, r"basis\.unknown|accounts\.(?:count|value)|account\.\d+\.value")
def _counted(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    if m[0] == "basis.unknown":
        return sum(lot.basis is None for one in truth.result.trades for lot in one.lots)
    if m[0] == "accounts.count":
        return len(truth.result.accounts)
    mine = {one.account_id for one in truth.result.accounts} if m[0] == "accounts.value" else {of(fact, "account")}
    return truth.held.loc[truth.held["account_id"].isin(mine), "value"].sum()


@rule(HOUSEHOLD, r"met|note\.\d+\.day")
def _noted(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    notes = truth.firm.table("client_notes")
    notes = notes[(notes["household_id"] == truth.result.household_id) & (notes["written_on"] <= truth.firm.as_of)]
    return (
        notes.loc[notes["kind"] == "meeting", "written_on"].max() if m[0] == "met" else frozenset(notes["written_on"])
    )


@rule(HOUSEHOLD, r"flow\.\d+\.(amount|day)")
def _flow(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    rows = truth.firm.table("transactions")
    rows = rows[rows["account_id"] == of(fact, "account")]
    return frozenset(rows["amount"] if m[1] == "amount" else rows["trade_date"])


@rule(HOUSEHOLD, r"restriction\.\d+\.(\w+)\.(amount|cap|until)")
def _restricted(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    rows = truth.firm.table("restrictions")
    rows = rows[(rows["kind"] == m[1]) & rows["scope_id"].isin([of(fact, "account"), truth.result.household_id])]
    return frozenset(rows["expires_on"].dropna() if m[2] == "until" else rows["value"])


# Alerts: counted over the night's accounts.


@rule(ALERTS, r"day|since|unmeasured|(?:all|advisor\.\d+|model\.\d+)\.(measured|out|left|back)")
def _night(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    night = truth.result
    if not m[1]:
        return {"day": night.as_of, "since": night.since, "unmeasured": night.unmeasured}[m[0]]
    accounts = pd.DataFrame(
        [vars(one) for one in night.accounts],
        columns=list(night.accounts[0].__dict__) if night.accounts else ["advisor_id", "model_id", "out", "was_out"],
    )
    advisor, model = of(fact, "advisor"), of(fact, "model")
    accounts = accounts[(accounts["advisor_id"] == advisor) | (advisor == "")]
    accounts = accounts[(accounts["model_id"] == model) | (model == "")]
    now, before = accounts["out"].astype(bool), accounts["was_out"].astype(bool)
    return {"measured": len(accounts), "out": now.sum(), "left": (now & ~before).sum(), "back": (before & ~now).sum()}[
        m[1]
    ]


@rule(ALERTS, r"(?:left|back|worst)\.\d+\.(?:(use)|(deviation)|cause\.\w+)")
def _watched(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    mine = next(one for one in truth.result.accounts if one.account_id == of(fact, "account"))
    return mine.band_use if m[1] else mine.deviation


@rule(ALERTS, r"(left|back)_more")
def _more(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    accounts = [one for one in truth.result.accounts if sheet.key in ("firm", one.advisor_id)]
    moved = [one for one in accounts if one.out != one.was_out and one.out == (m[1] == "left")]
    return len(moved) - 10


# Notices: sums over the impact's rows, targets from the tables.


def _rows(truth: Truth) -> pd.DataFrame:
    """The impact's accounts of the notice's book."""
    frame: pd.DataFrame = _kept(truth.firm, f"rows of {truth.result.advisor}", lambda: _joined(truth))
    return frame


def _joined(truth: Truth) -> pd.DataFrame:
    accounts = truth.firm.table("accounts")[["account_id", "advisor_id", "registration", "last_rebalanced_on"]]
    rows = truth.result.change.impact.accounts.merge(accounts, on="account_id")
    return rows if truth.result.advisor is None else rows[rows["advisor_id"] == truth.result.advisor]


@rule("notice", r"book\.(accounts|households|models|assets|bought|sold|blocked|turnover|gain|tax|long|short)")
def _book(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    rows = _rows(truth)
    if m[1] in ("long", "short"):
        return None
    return {
        "accounts": len(rows), "households": rows["household_id"].nunique(), "models": rows["model_id"].nunique(),
        "assets": truth.held.loc[truth.held["account_id"].isin(rows["account_id"]), "value"].sum(),
        "turnover": (rows["bought"].sum() + rows["sold"].sum()) / 2 / rows["value"].sum(),
    }.get(m[1], rows[m[1]].sum() if m[1] in rows else None)  # fmt: skip


@rule("notice", r"alone\.(turnover|gain)")
def _alone(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    rows = truth.result.change.alone.accounts
    rows = rows[rows["account_id"].isin(_rows(truth)["account_id"])]
    return (
        rows["gain"].sum() if m[1] == "gain" else (rows["bought"].sum() + rows["sold"].sum()) / 2 / rows["value"].sum()
    )


@rule(
    "notice",
    r"(?:household|advisor|consent\.row|monitor\.row)\.\d+\.(accounts|assets|bought|sold|gain|tax|conflicted|consent)",
)
def _part(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    rows = _rows(truth)
    for kind in ("household", "advisor", "account"):
        if key := of(fact, kind):
            rows = rows[rows[f"{kind}_id"] == key]
    conflicts = truth.result.change.impact.conflicts["account_id"]
    return {
        "accounts": len(rows), "assets": rows["value"].sum(), "conflicted": rows["account_id"].isin(conflicts).sum(),
        "consent": (~rows["discretionary"].astype(bool)).sum(),
    }.get(m[1], rows[m[1]].sum() if m[1] in rows else None)  # fmt: skip


@rule("notice", r"model\.\d+\.(from|to|effective|accounts|assets|turnover|crossing)")
def _model(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    key, rows = of(fact, "model"), _rows(truth)
    models = truth.firm.table("models")
    new = int(models.loc[models["model_id"] == key, "version"].max())
    if m[1] == "turnover":
        ends = [
            truth.targets(key, version).groupby(["sleeve_id", "security_id"])["target"].sum()
            for version in (truth.version(key), new)
        ]
        by_security = [end.groupby("security_id").sum() for end in ends]
        return by_security[1].sub(by_security[0], fill_value=0.0).abs().sum() / 2
    row = models[(models["model_id"] == key) & (models["version"] == new)].iloc[0]
    return {
        "from": truth.version(key), "to": new, "effective": row["effective_date"],
        "accounts": (rows["model_id"] == key).sum(), "assets": rows.loc[rows["model_id"] == key, "value"].sum(),
    }.get(m[1])  # fmt: skip


@rule(
    "notice",
    r"(?:change\.\d+|(?:cut|new|dropped)\.largest|model\.\d+\.(?:sleeve|security)\.\d+)\.(from|to|change|dollars)",
)
def _target(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    # The cell says which sleeve a security stands in; its facts are of model and security.
    model, sleeve, security = (*fact.source.cell.split(), "")[:3]
    if of(fact, "model") != model or (security or sleeve) not in (of(fact, "security"), of(fact, "sleeve")):
        return -1.0
    ends = _kept(truth.firm, "ends of targets", lambda: _ends(truth))
    before, after = (ends[when].get((model, sleeve, security), 0.0) for when in ("before", "after"))
    worth = _kept(
        truth.firm,
        f"worth in {truth.result.advisor}",
        lambda: _rows(truth).groupby("model_id")["value"].sum().to_dict(),
    )
    cents = abs(after - before) * worth[model]
    near = cents if m[1] == "dollars" and abs(cents - fact.value) > 0.01 else fact.value
    return {"from": before, "to": after, "change": after - before, "dollars": near}[m[1]]


def _ends(truth: Truth) -> dict[str, dict[tuple[str, str, str], float]]:
    """Targets by model, sleeve and security (or "" for the whole sleeve), in force and of the last version."""
    ends: dict[str, dict[tuple[str, str, str], float]] = {"before": {}, "after": {}}
    models = truth.firm.table("models").groupby("model_id")["version"].max()
    for model, new in models.items():
        for when, version in (("before", truth.version(model)), ("after", new)):
            for row in truth.targets(model, version).to_dict("records"):
                for security in (row["security_id"], ""):
                    key = (model, row["sleeve_id"], security)
                    ends[when][key] = ends[when].get(key, 0.0) + row["target"]
    return ends


@rule(
    "notice",
    r"(consent|monitor|untaxed|unplaced|realising|conflicts|kept|barred|unknown)\.(accounts|assets|proceeds|new)",
)
def _having(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    rows, conflicts = _rows(truth), truth.result.change.impact.conflicts
    conflicts = conflicts[conflicts["account_id"].isin(rows["account_id"])]
    if m[2] == "new":
        return conflicts["new"].sum()
    stops = conflicts["kind"].isin(["never_sell", "hold_lot"])
    bars = conflicts["kind"].isin(["never_buy", "never_hold", "screen"])
    chosen = {
        "consent": ~rows["discretionary"].astype(bool), "monitor": rows["rollout_mode"] == "monitor",
        "untaxed": ~rows["registration"].isin(["taxable", "trust"]), "unplaced": rows["last_rebalanced_on"].isna(),
        "realising": rows["gain"] > 0.005, "conflicts": rows["account_id"].isin(conflicts["account_id"]),
        "kept": rows["account_id"].isin(conflicts.loc[stops, "account_id"]),
        "barred": rows["account_id"].isin(conflicts.loc[bars, "account_id"]), "unknown": rows["unknown_basis"] > 0.005,
    }[m[1]]  # fmt: skip
    if m[2] == "proceeds":
        return rows["unknown_basis"].sum()
    return chosen.sum() if m[2] == "accounts" else rows.loc[chosen, "value"].sum()


@rule("notice", r"budget\.\d+\.(budget|realised|expected|over)")
def _budgeted(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    key = of(fact, "household")
    row, rows = truth.row("households", key), truth.result.change.impact.accounts
    expected = rows.loc[rows["household_id"] == key, "gain"].sum()
    realised = (
        row["realised_short"] + row["realised_long"] if sheet.has(fact.id.rpartition(".")[0] + ".realised") else 0.0
    )
    return {
        "budget": row["gain_budget"],
        "realised": realised,
        "expected": expected,
        "over": realised + expected - row["gain_budget"],
    }[m[1]]


@rule("notice", r"pending|consents_due|proposals_from|effective|changes\.(?:count|rest)|conflict\.\d+\.amount")
def _record(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    if m[0].startswith("conflict."):
        frame = truth.result.change.impact.conflicts
        frame = frame[frame["household_id"] == of(fact, "household")]
        mine = frame["account_id"].isin(_rows(truth)["account_id"])
        sums = frame[mine].groupby(["restriction_id", "kind", "key"], dropna=False)["amount"].sum()
        return frozenset(sums)
    models = truth.firm.table("models")
    coming = models[models["version"] == models.groupby("model_id")["version"].transform("max")]
    if m[0] == "pending":
        changed = coming["model_id"].isin(truth.result.change.impact.models["model_id"])
        return (changed & (coming["status"] == "draft")).sum()
    return coming["effective_date"].min() if m[0] == "effective" else None


# Commentary and memo: the records, effects and reviews that they are made of.


def _records(truth: Truth) -> dict[str, Any]:
    found = [truth.result[0]] if isinstance(truth.result, tuple) else truth.result.records or ()
    return {one.slug: one for one in found}


@rule(("commentary", "memo"), r"performance\.returns\.([\w-]+)\.(\w+)\.(\w+)")
def _returned(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    period = next(one for one in _records(truth)[m[1]].periods if one.name == m[3])
    if m[2] == "excess" and not period.annualised:
        return period.returns["net"] - period.returns["benchmark"]
    return period.returns[m[2]]


@rule(("commentary", "memo"), r"performance\.([\w-]+)\.(value|accounts|since|flow|fees)")
def _money(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    return getattr(_records(truth)[m[1]], m[2])


@rule("commentary", r"composite\.[\w-]+\.\d+\.(\w+)")
def _spread(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    year = truth.result[0].year
    return {"full_year": year.accounts, "months": 36}.get(m[1], getattr(year, m[1], None))


@rule(("commentary", "memo"), r"sleeves\.([\w-]+)(?:\.(quarter|year))?(?:\.sleeve\.([\w-]+))?\.(\w+)")
def _effect(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    many = truth.result[1] if isinstance(truth.result, tuple) else (truth.result.sleeves,)
    one = next(one for one in many if m[2] in (None, one.period))
    if m[3]:
        return one.sleeves[m[3]][1].get(m[4])
    model = sum(one.effects[name] for name in ("allocation", "selection", "interaction"))
    sums = {
        "model": model,
        "implementation": sum(one.effects.values()) - model,
        "excess": one.portfolio - one.benchmark,
    }
    return sums[m[4]] if m[4] in sums else one.effects[m[4]]


@rule(("commentary", "memo"), r"period\.(\w+)\.start")
def _start(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    starts = {period.start for record in _records(truth).values() for period in record.periods if period.name == m[1]}
    return frozenset(
        starts | ({truth.result.since} if m[1] == "quarter" and not isinstance(truth.result, tuple) else set())
    )


@rule("memo", r"market\.quarter\.([\w-]+)")
def _class(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    classes = truth.result.classes
    return frozenset(classes.loc[[truth.result.slug(one) == m[1] for one in classes["asset_class"]], "quarter"])


@rule("memo", r"drift\.firm\.(\w+)(?:\.([\w-]+)\.deviation)?")
def _drifted(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    accounts = truth.result.review.drift.accounts
    out, worth = accounts["breaches"] > 0, accounts["value"]
    if m[2]:
        held = truth.held[truth.held["account_id"].isin(accounts["account_id"])]
        name = next(one for one in held["asset_class"].unique() if truth.result.slug(one) == m[2])
        now = held.loc[held["asset_class"] == name, "value"].sum() / held["value"].sum()
        by_model, target = held.groupby("model_id")["value"].sum(), 0.0
        for model, value in by_model.items():
            goal = truth.targets(model, truth.version(model))
            target += goal.loc[goal["asset_class"].fillna("Cash") == name, "target"].sum() * value / by_model.sum()
        return now - target
    return {
        "accounts": len(accounts), "out_of_band": out.sum(), "breaches": accounts["breaches"].sum(),
        "share_out": out.mean(), "not_measured": len(truth.result.review.drift.no_data),
        "value_share_out": worth[out].sum() / worth.sum(),
        "tracking_error": (accounts["tracking_error"] * worth).sum() / worth.sum(),
    }.get(m[1])  # fmt: skip


@rule("memo", r"drift\.account\.([\w-]+)\.score|quality\.findings\.(\w+)")
def _listed(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    if m[2]:
        return sum(finding.severity == m[2] for finding in truth.result.findings)
    ranking = truth.result.review.ranking
    return ranking.loc[ranking["account_id"].astype(str) == of(fact, "account"), "score"].iloc[0]


@rule(
    "memo",
    r"implementation\.(?:(accounts|months|tests|custodians|advisors)|(chance|slight|systemic)\.(value|low|high))",
)
def _study(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    total = truth.result.study.total
    if m[1]:
        panel = total.fit.panel
        return {"accounts": len(panel.accounts), "months": len(panel.months), "tests": total.tests,
                "custodians": len(total.custodians), "advisors": len(total.advisors)}[m[1]]  # fmt: skip
    return getattr(total.systemic, m[3]) / 10_000


@rule("memo", r"warnings\.(?:(on|all|unmeasured)|[\w-]+\.(households|dollars))")
def _warned(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    every = tuple(truth.result.warnings)
    if m[1]:
        states = [one.state for one in every]
        return {"on": len(truth.result.warnings.on), "all": len(every), "unmeasured": states.count("not measured")}[
            m[1]
        ]
    mine = next(one for one in every if one.id == of(fact, "restriction"))
    return getattr(mine, m[2])


@rule("memo", r"stress\.firm\.(above|assessed|value|worst)")
def _stressed(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    seen = truth.result.risk
    verdict = seen.losses["verdict"]
    return {"above": (verdict == "above").sum(), "assessed": (verdict != "not assessable").sum()}.get(m[1])


# Answers: the tables.


def _mine(truth: Truth, fact: Fact, sheet: FactSheet) -> pd.DataFrame:
    """The holdings of the account or household that a fact is of."""
    account, household = of(fact, "account"), of(fact, "household") or about(sheet, "household")
    held = truth.held
    return held[held["account_id"] == account] if account else held[held["household_id"] == household]


@rule("answer", r"(?:account\.\d+\.|position\.\d+\.)?(value|cash|share|weight|shares)")
def _held_of(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    if sheet.kind not in ("answer_value", "answer_cash", "answer_largest", "answer_position"):
        return None
    held = _mine(truth, fact, sheet)
    security = of(fact, "security") or ("CASH" if sheet.kind == "answer_cash" else "")
    mine = held if not security else held[held["security_id"] == security]
    if m[1] in ("share", "weight"):
        return mine["value"].sum() / held["value"].sum()
    return mine["quantity"].sum() if m[1] == "shares" else mine["value"].sum()


@rule("answer", r"(?:here|account\.\d+|off\.\d+|furthest)\.(weight|target|over|under)")
def _drift_of(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    if sheet.kind not in ("answer_drift", "answer_drift_key", "answer_drift_why"):
        return None
    level, key = next(one.split(":", 1) for one in fact.entity if one.split(":")[0] not in ("account", "household"))
    held = _mine(truth, fact, sheet)
    measured = truth.result.review.drift.accounts["account_id"].astype(str)
    held = held[held["account_id"].isin(measured)]
    column = "security_id" if level == "security" else level
    if level == "sleeve" or held["value"].isna().any():
        return None
    now = held.loc[held[column] == key, "value"].sum() / held["value"].sum()
    goal = 0.0
    for _, own in held.groupby("account_id"):
        model = own["model_id"].iloc[0]
        targets = truth.targets(model, truth.version(model))
        goal += (
            targets.loc[targets[column].fillna("Cash") == key, "target"].sum()
            * own["value"].sum()
            / held["value"].sum()
        )
    return {"weight": now, "target": goal}.get(m[1], now - goal)


@rule("answer", r"(accounts|households|value|count|of)")
def _sized(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    accounts = truth.firm.table("accounts")
    if sheet.kind == "answer_following":
        return (
            None
            if m[1] == "value"
            else frozenset(
                own["household_id" if m[1] == "households" else "account_id"].nunique()
                for _, own in [(0, accounts[accounts["model_id"] == of(fact, "model")])]
                + [
                    (a, accounts[(accounts["model_id"] == of(fact, "model")) & (accounts["advisor_id"] == a)])
                    for a in accounts["advisor_id"].unique()
                ]
            )
        )
    if sheet.kind == "answer_accounts":
        return None if about(sheet, "account") else (accounts["household_id"] == about(sheet, "household")).sum()
    return None


@rule("answer", r"(short|long)(?:\.(gain|loss|none))?|(ordinary|state)")
def _taxed(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    if sheet.kind not in ("answer_realised", "answer_carryforward", "answer_rates"):
        return None
    row = truth.row("households", of(fact, "household"))
    if sheet.kind == "answer_rates":
        return row[{"ordinary": "ordinary_rate", "state": "state_rate"}.get(m[3] or "", "long_term_rate")]
    return row[f"{'realised' if sheet.kind == 'answer_realised' else 'carryforward'}_{m[1]}"]


@rule(
    "answer",
    r"(count|buy|sell|cost|losses|tax\.\w+|trade\.\d+\.(?:amount|buy|sell)|(?:short|long)\.(?:gain|loss)|budget|left)",
)
def _proposed(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    if sheet.kind not in ("answer_trades", "answer_cost", "answer_harvested", "answer_why_trade", "answer_gain_budget"):
        return None
    household = about(sheet, "household")
    proposal = truth.result.proposal(household)
    account, security = of(fact, "account"), of(fact, "security")
    trades = [one for one in proposal.trades if account in ("", one.account_id) and security in ("", one.security_id)]
    if sheet.kind == "answer_trades" and m[1] in ("count", "buy", "sell"):
        listed = {one.entity for one in sheet.facts if one.id.startswith("trade.") and one.id.endswith(".amount")}
        if m[1] == "count" and int(fact.value) <= 5:
            return len(listed)
        return None
    name = m[1].split(".")[-1]
    if name in ("amount", "buy", "sell") and "." in m[1]:
        return frozenset(one.amount if name == "amount" else one.shares for one in trades)
    row = truth.row("households", household)
    used = row["realised_short"] + row["realised_long"]
    sums = {term: sum(getattr(one, f"gain_{term}") for one in proposal.trades) for term in ("short", "long")}
    if m[1].split(".")[0] in sums:
        return sums[m[1].split(".")[0]]
    return {
        "count": len(trades), "cost": sum(one.cost + one.fee for one in proposal.trades), "budget": row["gain_budget"],
        "left": row["gain_budget"] - used, "losses": proposal.tax_table.losses_harvested,
    }.get(m[1], proposal.tax_table.tax if m[1].startswith("tax.") else None)  # fmt: skip


@rule(
    "answer",
    r"(?:target\.\d+|change\.\d+)\.(weight|before|after)|version|version\.(\d+)\.\w+\.(number|day)|decided\.(day|version)|day",
)
def _versions(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    key, security = of(fact, "model") or about(sheet, "model"), of(fact, "security")
    models = truth.firm.table("models")
    models = models[models["model_id"] == key]
    if models.empty:  # a day that is of no single model
        return None
    found = re.fullmatch(r"\w+ version (\d+)", fact.source.cell)
    version = int(found[1]) if found else truth.version(key)
    if m[1]:
        targets = truth.targets(key, truth.version(key) if m[1] == "before" else version)
        column, name = ("security_id", security) if security else ("sleeve_id", of(fact, "sleeve"))
        return targets.loc[targets[column] == name, "target"].sum() if name else None
    if fact.kind == "date":
        return frozenset(models["effective_date"])
    return frozenset(models["version"]) if sheet.kind == "answer_history" else version


@rule("answer", r"account\.\d+\.day|note\.\d+\.on|(tolerance|capacity|horizon|reviewed)")
def _on_file(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    if m[1]:
        column = {
            "tolerance": "risk_tolerance",
            "capacity": "risk_capacity",
            "horizon": "horizon_years",
            "reviewed": "reviewed_on",
        }
        profiles = truth.firm.table("profiles")
        return profiles.loc[profiles["household_id"] == of(fact, "household"), column[m[1]]].iloc[0]
    if sheet.kind == "answer_notes":
        notes = truth.firm.table("client_notes")
        return frozenset(notes.loc[notes["household_id"] == of(fact, "household"), "written_on"])
    return (
        truth.row("accounts", of(fact, "account"))["last_rebalanced_on"] if sheet.kind == "answer_drift_since" else None
    )


@rule("answer", r"account\.\d+\.(error|share|use|breaches)|out|households")
def _measured(truth: Truth, fact: Fact, sheet: FactSheet, m: re.Match[str]) -> Any:
    accounts = truth.result.review.drift.accounts.set_index("account_id")
    column = {"error": "tracking_error", "share": "active_share", "breaches": "breaches"}.get(m[1] or "")
    return accounts.loc[of(fact, "account"), column] if column and of(fact, "account") else None
