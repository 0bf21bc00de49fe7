"""A proposal: what to trade in one household, why, at what tax and cost, and what was left undone.

Plain, frozen and complete: everything the brief, the chapter, compliance and a ticket read is in here, so that it can
be hashed, stored and shown again without the firm. Amounts are in account currency, weights fractions of the group of
accounts that is managed together, `tax` is positive when it is owed and negative when it is saved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Side = Literal["buy", "sell"]
Term = Literal["short", "long", "unknown", "untaxed"]
#: Why a trade is made.
Cause = Literal[
    "overweight", "underweight", "off_model", "harvest", "replacement", "raise_cash", "invest_cash", "location",
    "restriction", "transition",
]  # fmt: skip
#: Why something was not done.
Obstacle = Literal[
    "never_buy", "never_sell", "never_hold", "screen", "hold_lot", "max_weight", "menu", "wash_sale", "gain_budget",
    "tax", "cost", "band", "minimum_trade", "cash_floor", "unknown_basis", "no_price", "not_discretionary", "mode",
]  # fmt: skip


@dataclass(frozen=True)
class LotSale:
    """Shares of one lot sold: `gain` is proceeds less basis (wash adjustment included), None where basis is unknown, as
    is `acquired_on` where the day is; `disallowed` the part of a loss that a wash sale takes away now (declared, never
    found later).
    """

    lot_id: str
    shares: float
    proceeds: float
    basis: float | None
    gain: float | None
    term: Term
    acquired_on: date | None
    tax: float
    disallowed: float = 0.0


@dataclass(frozen=True)
class Refusal:
    """Something that would have helped and was not done: which trade, what stood against it, and what it would bring.

    `source` names the restriction, purchase or limit (an identifier of the book of record); `until` is the first day
    the obstacle is gone, where there is one; `amount` the trade left undone.
    """

    account_id: str
    security_id: str
    side: Side
    obstacle: Obstacle
    source: str | None = None
    until: date | None = None
    amount: float | None = None


@dataclass(frozen=True)
class Reason:
    """Why a trade is made, in data that a template words.

    `level` and `key` name what was off (asset_class "US equity", or security "VTI") in group `group`; weights are of
    that group before and after all trades. `replaces` is the security whose place the bought one takes, `until` the
    first day on which a sold loser may be bought back. `refused` are alternatives not taken, most useful first. Where
    a sale takes gains days before they turn long-term, `turns_long` is the last such day and `waiting_saves` the tax
    in dollars that waiting for it would save.
    """

    cause: Cause
    level: str
    key: str
    group: str
    weight_before: float
    weight_after: float
    target: float
    replaces: str | None = None
    replaced_by: str | None = None
    until: date | None = None
    refused: tuple[Refusal, ...] = ()
    turns_long: date | None = None
    waiting_saves: float = 0.0


@dataclass(frozen=True)
class Trade:
    """One order in one account: `amount` is shares x price, always positive; `cost` half-spread and impact, `fee` the
    custodian's ticket; gains and tax sum over `lots` (sales in taxed accounts only, zero elsewhere).
    """

    account_id: str
    security_id: str
    side: Side
    shares: float
    price: float
    amount: float
    cost: float
    fee: float
    gain_short: float
    gain_long: float
    tax: float
    lots: tuple[LotSale, ...]
    reason: Reason


@dataclass(frozen=True)
class AccountState:
    """An account before and after: value, cash and what its cash must cover."""

    account_id: str
    registration: str
    model_id: str | None
    group: str
    value: float
    cash_before: float
    cash_after: float
    cash_floor: float
    cash_ceiling: float
    traded: float
    discretionary: bool


@dataclass(frozen=True)
class LevelRow:
    """Weight of one key of one level in one group, before and after, against its target and band (None: no band)."""

    group: str
    level: str
    key: str
    target: float
    lower: float | None
    upper: float | None
    before: float
    after: float


@dataclass(frozen=True)
class GroupState:
    """A group of accounts managed together to one target: value, tracking error and active share before and after."""

    group: str
    model_id: str
    model_version: int
    accounts: tuple[str, ...]
    value: float
    tracking_error_before: float
    tracking_error_after: float
    active_share_before: float
    active_share_after: float


@dataclass(frozen=True)
class TaxTable:
    """The household's tax year: what was realised, what the proposal adds, and what is left of budget and losses.

    Gains are net; `budget` None means no limit. `tax` is the exact change of this year's tax by netting all of the
    year (IRC 1211, 1212, 1222), which may differ from the sum of the trades' marginal figures.
    """

    year: int
    short_rate: float
    long_rate: float
    realised_short: float
    realised_long: float
    proposed_short: float
    proposed_long: float
    carryforward_short: float
    carryforward_long: float
    carryforward_after_short: float
    carryforward_after_long: float
    budget: float | None
    budget_used_before: float
    budget_used_after: float
    losses_harvested: float
    disallowed: float
    tax: float


@dataclass(frozen=True)
class WashRow:
    """One line of the wash calendar: until when what may not be bought, or not sold at a loss, and because of what.

    `kind` is "no_buy" (a loss was or is realised) or "no_loss_sale" (shares were bought).
    """

    kind: Literal["no_buy", "no_loss_sale"]
    wash_group: str
    securities: tuple[str, ...]
    first_day: date
    last_day: date
    source: str
    proposed: bool


@dataclass(frozen=True)
class CashNeed:
    """Cash that must be there: a required distribution, a withdrawal, a floor; `raised` is what the proposal adds."""

    account_id: str
    kind: Literal["rmd", "withdrawal", "min_cash"]
    needed: float
    by: date | None
    available_before: float
    available_after: float
    source: str


@dataclass(frozen=True)
class Limit:
    """A limit that binds and its price: one more unit of it would improve the objective by `price` (money a year for
    each unit of money); `tracking_bp` is what the limit as a whole costs in tracking error of the household, in basis
    points, where it was computed.
    """

    kind: str
    entity: str
    bound: float
    price: float
    tracking_bp: float | None = None


@dataclass(frozen=True)
class Conflict:
    """Demands that cannot all hold: the parties (kind and source of each), and the least violation that was taken."""

    parties: tuple[str, ...]
    remedy: str
    violated: str
    amount: float


@dataclass(frozen=True)
class Note:
    """What a person must know beside the trades, of one account.

    `consent`: its client must agree first, to `amount` traded. `unmanaged`: no model manages its `amount`, because of
    `detail`. `edited`: a person took trades of `amount` out of the whole proposal (no account), and `detail` says what
    was not recomputed.
    """

    kind: Literal["consent", "unmanaged", "edited"]
    account_id: str
    amount: float
    detail: str = ""


@dataclass(frozen=True)
class Proposal:
    """The trades of one household with all that a person needs to judge them; empty `trades` means: leave it alone.

    `benefit` is what the trades are worth before tax and cost, in money a year:

        sum over groups [risk_aversion x value x (tracking variance before - after)] + saving of better places

    where the saving of places is the yearly tax drag (`location_costs`) that holdings shed by moving to an account of
    their group in which their class costs less. Losses harvested are not in it but in `tax` (below zero), and what is
    a limit (cash, bands, caps) has no price in it. Trades that nobody has to make bring a benefit; where cash must be
    raised, or a holding must go, it may be below zero, and `cash_needs` and each trade's reason say why. `tax` and
    `cost` are this proposal's. `lineage` maps each table read to its content hash; `settings` are the policy's own,
    by name.
    """

    household_id: str
    household_name: str
    advisor_id: str
    as_of: date
    mode: str
    settings: tuple[tuple[str, str], ...]
    accounts: tuple[AccountState, ...]
    groups: tuple[GroupState, ...]
    trades: tuple[Trade, ...]
    levels: tuple[LevelRow, ...]
    tax_table: TaxTable
    wash: tuple[WashRow, ...]
    cash_needs: tuple[CashNeed, ...]
    limits: tuple[Limit, ...]
    refused: tuple[Refusal, ...]
    conflicts: tuple[Conflict, ...]
    benefit: float
    tax: float
    cost: float
    lineage: tuple[tuple[str, str], ...] = field(default=())
    notes: tuple[Note, ...] = ()
