"""The one-page brief of a household: its proposal, put into the words and figures of one page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from itertools import groupby

from workbench.drafting.on_file import Extras, Flow, Note, Restriction
from workbench.exhibits import brief_words as words
from workbench.rebalance.proposal import CashNeed, Limit, Proposal, Trade, WashRow
from workbench.rebalance.words import endings as account_endings
from workbench.report import format as fmt
from workbench.report.brief import BriefRow, BriefTable, BriefView, Deviation, Figure, Item, RankedBrief, Section

#: The columns of the batch's index, after rank and name.
INDEX_COLUMNS = (
    ("Adviser", False),
    ("Assets", True),
    ("Trades", True),
    ("Traded", True),
    ("Tax", True),
    ("Tracking error", True),
)
#: The levels a chart may show, the first one that the proposal has.
_LEVELS = ("asset_class", "sector", "region", "sleeve", "security")
_COLUMNS = (
    ("Side", False),
    ("Security", False),
    ("Shares", True),
    ("Dollars", True),
    ("Short-term", True),
    ("Long-term", True),
    ("Tax", True),
    ("Why, and the lots sold", False),
)
#: Characters of a note that are quoted, accounts that are named, characters of names and of identifiers.
_QUOTED, _NAMED, _NAME, _ID = 150, 5, 60, 16
#: Characters of a conflict: its parties, what was missed, the remedy.
_CONFLICT = 260
#: Amounts below this are nothing.
_CENT = 0.005


def brief(proposal: Proposal, extras: Extras) -> BriefView:
    """Return the page of one household: pure, and complete; the renderer cuts its lists to the room of the page."""
    endings = account_endings(account.account_id for account in proposal.accounts)
    proposal = _with_sleeve_names(proposal, extras.sleeves)
    deviations, level = _deviations(proposal)
    return BriefView(
        key=_key(proposal.household_id),
        title=words.clipped(proposal.household_name, _NAME),
        state="Proposal, not released",
        as_of=proposal.as_of.isoformat(),
        subtitle=f"{_mode(proposal)} · {proposal.household_id} · {words.clipped(extras.advisor, _NAME)}",
        about=_about(proposal, endings),
        figures=_figures(proposal, level),
        chart_title=f"Drift by {level.replace('_', ' ')}" if level else "Drift",
        deviations=deviations,
        chart_note=_chart_note(deviations),
        beside=Section("Tax considerations", _tax_items(proposal), "No account of the household is taxed."),
        table_title="Recommendation",
        table=BriefTable(
            _COLUMNS,
            _rows(proposal, endings),
            _headings(proposal, endings),
            "trade",
            _nothing(proposal),
            "Account by account, sales before purchases, largest first.",
        ),
        below=(
            Section("On file for this client", _client_items(proposal, extras, endings), "Nothing on file."),
            Section("Not done, and why", _undone_items(proposal, endings), "Nothing was left undone."),
        ),
        source=_source(proposal, extras),
        line=RankedBrief(extras.rank, _index_cells(proposal, extras)),
    )


def _with_sleeve_names(proposal: Proposal, names: Mapping[str, str]) -> Proposal:
    """Return the proposal with its sleeves called by name: a reader knows no identifiers."""
    if not names:
        return proposal
    levels = tuple(
        replace(row, key=names.get(row.key, row.key)) if row.level == "sleeve" else row for row in proposal.levels
    )
    trades = tuple(
        replace(trade, reason=replace(trade.reason, key=names.get(trade.reason.key, trade.reason.key)))
        if trade.reason.level == "sleeve"
        else trade
        for trade in proposal.trades
    )
    return replace(proposal, levels=levels, trades=trades)


def assets(proposal: Proposal) -> float:
    """Return the household's assets in its accounts."""
    return sum(account.value for account in proposal.accounts)


def tracking_error(proposal: Proposal) -> tuple[float, float] | None:
    """Return tracking error before and after, weighted by the groups' values; None where no group has a value."""
    value = sum(group.value for group in proposal.groups)
    if value <= 0:
        return None
    before = sum(group.value * group.tracking_error_before for group in proposal.groups)
    return before / value, sum(group.value * group.tracking_error_after for group in proposal.groups) / value


def traded(trades: Sequence[Trade], side: str | None = None) -> float:
    """Return the dollars of the trades, or of those on one side."""
    return sum(trade.amount for trade in trades if side in (None, trade.side))


def tax_words(tax: float) -> str:
    """Say whether tax is owed or saved."""
    if abs(tax) < 0.5:
        return fmt.usd(0)
    return f"{words.dollars(abs(tax))} {'owed' if tax > 0 else 'saved'}"


def _key(household: str) -> str:
    """Return the household's identifier as the name of a file; one that cannot be is told by its hash."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "-" for c in household)
    if plain == household and plain[:1].isalnum() and len(plain) <= 80 and plain.lower() != "index":
        return plain
    return f"h{plain[:60]}-{sha256(household.encode()).hexdigest()[:12]}"


def _mode(proposal: Proposal) -> str:
    return words.MODES.get(proposal.mode, proposal.mode.replace("_", " ").capitalize())


def _about(proposal: Proposal, endings: dict[str, str]) -> str:
    ordered = sorted(proposal.accounts, key=lambda account: (-account.value, account.account_id))
    named = [
        f"{words.registration(account.registration)} ··{endings[account.account_id]} {words.dollars(account.value)}"
        for account in ordered[:_NAMED]
    ]
    if len(ordered) > _NAMED:
        rest = sum(account.value for account in ordered[_NAMED:])
        named.append(f"{len(ordered) - _NAMED} more {words.dollars(rest)}")
    count = f"{len(ordered)} {'account' if len(ordered) == 1 else 'accounts'}"
    return f"{words.dollars(assets(proposal))} in {count}: {'; '.join(named)}."


def _figures(proposal: Proposal, level: str) -> tuple[Figure, ...]:
    # What a household's trades are "worth" rests on the firm's aversion to risk: it ranks the queue, and is no figure
    # to show a client.
    trades, table = proposal.trades, proposal.tax_table
    bought, sold = traded(trades, "buy"), traded(trades, "sell")
    error = tracking_error(proposal)
    gain = table.proposed_short + table.proposed_long
    return (
        Figure("Trades", str(len(trades)), f"{words.dollars(sold)} sold, {words.dollars(bought)} bought"),
        Figure(
            "Tracking error",
            fmt.MISSING if error is None else f"{fmt.percent(error[0], 2)} → {fmt.percent(error[1], 2)}",
            "to the model, a year" if len(proposal.groups) < 2 else f"a year, over {len(proposal.groups)} groups",
        ),
        Figure("Net gain realised", fmt.usd(gain), _terms(table.proposed_short, table.proposed_long)),
        Figure(f"Tax for {table.year}", tax_words(table.tax), "all of the year netted"),
        Figure("Trading cost", fmt.usd(proposal.cost), "spread, impact and tickets"),
        _furthest(proposal, level),
    )


def _furthest(proposal: Proposal, level: str) -> Figure:
    """How far the weight furthest from its target is off, at the level of the chart, before and after."""
    rows = [row for row in proposal.levels if row.level == level]
    if not rows:
        return Figure("Furthest off target", fmt.MISSING, "nothing to compare with")
    off = [
        max(abs(weight - row.target) for weight, row in zip(weights, rows))
        for weights in ([row.before for row in rows], [row.after for row in rows])
    ]
    now, then = (fmt.number(part * 100, 1) for part in off)
    return Figure("Furthest off target", f"{now} → {then} pp", f"of all weights by {level.replace('_', ' ')}")


def _terms(short: float, long: float) -> str:
    return f"short {fmt.usd(short)}, long {fmt.usd(long)}"


def _deviations(proposal: Proposal) -> tuple[tuple[Deviation, ...], str]:
    """Return the rows of the chart at the first level there is: of the largest group first, furthest off first."""
    level = next((name for name in _LEVELS if any(row.level == name for row in proposal.levels)), "")
    values = {group.group: group.value for group in proposal.groups}
    models = {group.group: group.model_id for group in proposal.groups}
    rows = sorted(
        (row for row in proposal.levels if row.level == level),
        key=lambda row: (-values.get(row.group, 0.0), row.group, -abs(row.before - row.target), row.key),
    )
    several = len({row.group for row in rows}) > 1
    return tuple(
        Deviation(
            words.clipped(f"{row.key} ({models.get(row.group, row.group)})" if several else row.key, 30),
            row.before,
            row.after,
            row.target,
            row.lower,
            row.upper,
        )
        for row in rows
    ), level


def _chart_note(rows: Sequence[Deviation]) -> str:
    if not rows:
        return "No weights were compared: no account of the household has a model."
    banded = any(row.lower is not None for row in rows)
    return f"Ring: now. Disc: after.{' Pale bar: the band.' if banded else ''} Furthest from target first."


def _rows(proposal: Proposal, endings: dict[str, str]) -> tuple[BriefRow, ...]:
    """Return a row a trade: accounts by what they trade, sales first; what a page has no room for is the smallest."""
    dollars: dict[str, float] = defaultdict(float)
    for trade in proposal.trades:
        dollars[trade.account_id] += trade.amount
    names = _names(proposal, endings)
    largest = sorted(
        proposal.trades, key=lambda trade: (-trade.amount, trade.account_id, trade.security_id, trade.side)
    )
    places = [(place, trade) for place, trade in enumerate(largest)]
    places.sort(key=lambda one: (-dollars[one[1].account_id], one[1].account_id, one[1].side == "buy", one[0]))
    return tuple(_row(trade, names[trade.account_id], place) for place, trade in places)


def _names(proposal: Proposal, endings: dict[str, str]) -> dict[str, str]:
    """Return how each account is called that the proposal knows or trades in."""
    names = {trade.account_id: f"··{trade.account_id[-4:]}" for trade in proposal.trades}
    for account in proposal.accounts:
        kind = words.SHORT_REGISTRATIONS.get(account.registration, account.registration)
        names[account.account_id] = f"{kind} ··{endings[account.account_id]}"
    return names


def _headings(proposal: Proposal, endings: dict[str, str]) -> dict[str, str]:
    """Return what each account does in all, by the name it is called: its trades, dollars and cash."""
    notes, names = {}, _names(proposal, endings)
    states = {account.account_id: account for account in proposal.accounts}
    for account, trades in groupby(sorted(proposal.trades, key=_account), _account):
        found = list(trades)
        sold, bought = traded(found, "sell"), traded(found, "buy")
        parts = [f"{len(found)} {'trade' if len(found) == 1 else 'trades'}"]
        parts += [f"{verb} {fmt.usd(amount)}" for verb, amount in (("sells", sold), ("buys", bought)) if amount]
        if account in states:
            parts.append(f"cash {fmt.usd(states[account].cash_before)} → {fmt.usd(states[account].cash_after)}")
        notes[names[account]] = " · ".join(parts)
    return notes


def _account(trade: Trade) -> str:
    return trade.account_id


def _row(trade: Trade, account: str, place: int) -> BriefRow:
    taxed = any(lot.term != "untaxed" for lot in trade.lots)
    security, count = words.clipped(trade.security_id, _ID), fmt.shares(trade.shares)

    def money(value: float) -> str:
        return fmt.usd(value) if taxed and abs(value) >= _CENT else "–" if taxed else ""

    gain = trade.gain_short + trade.gain_long
    cells = (
        "Sell" if trade.side == "sell" else "Buy",
        security,
        count,
        fmt.usd(trade.amount),
        money(trade.gain_short),
        money(trade.gain_long),
        money(trade.tax),
        " ".join(
            part for part in (words.why(trade.reason, trade.side), words.lots(trade.lots) if taxed else "") if part
        ),
    )
    told = f" (gain {fmt.usd(gain)})" if taxed and abs(gain) >= 0.5 else ""
    return BriefRow(account, cells, place, f"{trade.side} {count} {security} {fmt.usd(trade.amount)}{told}")


def _nothing(proposal: Proposal) -> str:
    return "No trade: nothing would bring more than its tax and cost." if proposal.groups else "No trade: no model."


def _tax_items(proposal: Proposal) -> tuple[Item, ...]:
    table = proposal.tax_table
    items = [_budget(proposal)]
    items.append(
        Item(
            "Rates:",
            f"{fmt.percent(table.short_rate)} short-term, {fmt.percent(table.long_rate)} long-term. "
            f"Realised in {table.year} so far: {_terms(table.realised_short, table.realised_long)}.",
        )
    )
    if table.losses_harvested >= _CENT:
        items.append(Item("Harvest:", f"{fmt.usd(table.losses_harvested)} of losses: {_harvested(proposal)}."))
    before, after = (
        (table.carryforward_short, table.carryforward_long),
        (
            table.carryforward_after_short,
            table.carryforward_after_long,
        ),
    )
    if any((*before, *after)):
        items.append(Item("Carryforward:", f"{_terms(*before)} before; {_terms(*after)} after."))
    if table.disallowed >= _CENT:
        told = "of losses disallowed now: in the basis of what replaces them, or lost where that is untaxed."
        items.append(Item("Wash sale:", f"{fmt.usd(table.disallowed)} {told}"))
    return (
        *items,
        *(Item(*words.wash(list(rows))) for _, rows in groupby(sorted(proposal.wash, key=_window), _window)),
    )


def _window(row: WashRow) -> tuple[str, bool, date, date]:
    """What lines of the wash calendar are joined and sorted by: purchases forbidden first, then this proposal's."""
    return row.kind, not row.proposed, row.last_day, row.first_day


def _budget(proposal: Proposal) -> Item:
    table = proposal.tax_table
    if table.budget is None:
        return Item("Gain budget:", "none set.")
    used = f"{fmt.usd(table.budget_used_before)} used before, {fmt.usd(table.budget_used_after)} after this proposal"
    over = table.budget_used_after - table.budget
    left = f"{fmt.usd(over)} over." if over > _CENT else f"{fmt.usd(-over)} left."
    return Item("Gain budget:", f"{fmt.usd(table.budget)} for {table.year}; {used}; {left}")


def _harvested(proposal: Proposal) -> str:
    found = []
    for trade in proposal.trades:
        loss = -sum(lot.gain for lot in trade.lots if lot.gain is not None and lot.gain < 0 and lot.term != "untaxed")
        if loss >= _CENT:
            into = f" into {trade.reason.replaced_by}" if trade.reason.replaced_by else ""
            found.append((-loss, f"{words.clipped(trade.security_id, _ID)} {fmt.usd(loss)}{into}"))
    return words.joined([text for _, text in sorted(found)], 4) or "see the package"


def _client_items(proposal: Proposal, extras: Extras, endings: dict[str, str]) -> tuple[Item, ...]:
    """Return what is due first, then recent cash, instructions, preferences, restrictions and the other notes."""
    items = [_need(need, endings) for need in proposal.cash_needs]
    consent = [
        f"··{endings.get(note.account_id, note.account_id[-4:])} ({fmt.usd(note.amount)})"
        for note in proposal.notes
        if note.kind == "consent"
    ]
    if consent:
        items.append(Item("Consent needed:", f"the client must agree to what is traded in {words.joined(consent)}."))
    items += _recent(extras.flows, endings)
    quoted = {kind: [note for note in extras.notes if note.kind == kind] for kind in ("instruction", "preference")}
    items += [_note(note) for note in (*quoted["instruction"], *quoted["preference"])]
    items += [_restriction(one, endings) for one in extras.restrictions]
    return (*items, *(_note(note) for note in extras.notes if note.kind not in quoted))


def _need(need: CashNeed, endings: dict[str, str]) -> Item:
    name = {"rmd": "Required distribution:", "withdrawal": "Withdrawal:", "min_cash": "Cash to keep:"}[need.kind]
    by = f" by {fmt.short_date(need.by)}" if need.by else ""
    short = need.needed - need.available_after
    state = f"{fmt.usd(short)} short after the trades" if short > _CENT else "covered"
    where = f"··{endings.get(need.account_id, need.account_id[-4:])}"
    return Item(name, f"{fmt.usd(need.needed)}{by} in {where}: {state}.")


def _recent(flows: Sequence[Flow], endings: dict[str, str]) -> list[Item]:
    items = []
    for name, sign in (("deposits", 1.0), ("withdrawals", -1.0)):
        told = [
            f"{fmt.usd(abs(flow.amount))} on {fmt.short_date(flow.on)} in "
            f"··{endings.get(flow.account_id, flow.account_id[-4:])}"
            for flow in flows
            if flow.amount * sign > 0
        ]
        if told:
            items.append(Item(f"Recent {name}:", words.joined(told, 3) + "."))
    return items


def _note(note: Note) -> Item:
    kind = note.kind.replace("_", " ").capitalize()
    text = f"{words.clipped(note.author, 30)}, {fmt.short_date(note.written_on)}:"
    return Item(f"{kind}:", text, words.clipped(note.text, _QUOTED))


def _restriction(one: Restriction, endings: dict[str, str]) -> Item:
    where = "all accounts" if one.account_id is None else f"··{endings.get(one.account_id, one.account_id[-4:])}"
    key = words.clipped(one.key.replace("_", " ") if one.kind == "screen" else one.key, 40)
    value = ""
    if one.value is not None and one.kind != "directive":
        value = f" {fmt.percent(one.value) if one.kind == 'max_weight' else fmt.usd(one.value)}"
    until = f", until {fmt.short_date(one.expires_on)}" if one.expires_on else ""
    name = one.kind.replace("_", " ").capitalize()
    if one.kind == "min_cash":
        name, key, value = "Cash to keep", "", value.strip()
    return Item(f"{name}:", f"{key}{value}, {where}{until}.", words.clipped(one.reason, 60))


def _undone_items(proposal: Proposal, endings: dict[str, str]) -> tuple[Item, ...]:
    """Return conflicts first, then accounts that no model manages, what limits cost, and the trades left undone."""
    items = [Item("Conflict:", words.clipped(words.conflict(one), _CONFLICT) + ".") for one in proposal.conflicts]
    items += [
        Item(
            "Not managed:",
            f"··{endings.get(note.account_id, note.account_id[-4:])} ({fmt.usd(note.amount)}), "
            f"{words.clipped(note.detail or 'no model', 60)}.",
        )
        for note in proposal.notes
        if note.kind == "unmanaged"
    ]
    items += [
        Item(*words.limit(bound, endings.get(bound.entity)))
        for bound in sorted(proposal.limits, key=_dearest)
        if _costs(bound)
    ]
    for refused in proposal.refused:
        amount = f" {fmt.usd(refused.amount)} of" if refused.amount is not None else ""
        lead = f"{refused.side.capitalize()}{amount} {words.clipped(refused.security_id, _ID)}"
        items.append(Item(lead, words.refusal(refused, endings.get(refused.account_id, refused.account_id[-4:]))))
    return tuple(items)


def _costs(bound: Limit) -> bool:
    """Whether a limit takes a line: prices of the others are the queue's and the package's, not for a client."""
    return bound.tracking_bp is not None and bound.tracking_bp >= words.LEAST_BP


def _dearest(bound: Limit) -> tuple[float, str, str]:
    return -(bound.tracking_bp or 0.0), bound.kind, bound.entity


def _source(proposal: Proposal, extras: Extras) -> str:
    tables = words.joined([name for name, _ in proposal.lineage], 7) or "not recorded"
    parts = [f"Tables: {words.clipped(tables, 150)}", f"book of record {extras.snapshot[:16] or 'not sealed'}"]
    parts.append(f"proposal {extras.proposal_hash[:16] or 'not yet packaged'}")
    return (
        "; ".join(parts) + ". Tracking error is a model's estimate; gains by specific lots; tax by netting the year at "
        "the rates above. Nothing is traded until a person releases it."
    )


def _index_cells(proposal: Proposal, extras: Extras) -> tuple[str, ...]:
    error = tracking_error(proposal)
    return (
        words.clipped(extras.advisor, _NAME),
        words.dollars(assets(proposal)),
        str(len(proposal.trades)),
        words.dollars(traded(proposal.trades)),
        tax_words(proposal.tax_table.tax),
        fmt.MISSING if error is None else f"{fmt.percent(error[0], 2)} → {fmt.percent(error[1], 2)}",
    )
