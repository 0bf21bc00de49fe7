"""The facts of one night's drift run: what left its bands, what came back, what stands out, for whom.

Three readers, three sheets: operations see the firm, an advisor the own book, an outside channel counts alone. The
channel's sheet holds no account, household or advisor at all, so that no text made of it can name one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.drafting.facts import FactSheet
from workbench.drafting.sheets.gathering import Gathering, Reading, either

#: Accounts told of one by one; the others are counted.
MOST_TOLD = 10
#: Accounts shown as the furthest out, whether they left their bands this night or long ago.
MOST_WORST = 5
_REVIEW = Reading("drift.review", ("accounts", "positions", "prices", "models"))


@dataclass(frozen=True)
class Watched:
    """One measured account, with whom and what it belongs to.

    `band_use` is its furthest deviation in units of its band (infinite for a band of zero); `key` what deviates that
    far, by `deviation` (fraction); `cause` names the main cause as `drift.CAUSES` does,
    "start" for what stands so since the account began.
    """

    account_id: str
    household: str
    advisor_id: str
    advisor: str
    model_id: str
    model: str
    band_use: float
    out: bool
    was_out: bool
    key: str
    deviation: float
    cause: str


@dataclass(frozen=True)
class Night:
    """A drift run held against the one before: accounts in the order in which they should be looked at."""

    firm: str
    as_of: str
    since: str
    snapshot: str
    accounts: tuple[Watched, ...]
    unmeasured: int
    link: str = ""

    @property
    def left(self) -> tuple[Watched, ...]:
        """Accounts out of band that were not before."""
        return tuple(one for one in self.accounts if one.out and not one.was_out)

    @property
    def back(self) -> tuple[Watched, ...]:
        """Accounts back within their bands."""
        return tuple(one for one in self.accounts if one.was_out and not one.out)


def firm_sheet(night: Night) -> FactSheet:
    """Return the sheet of the whole firm, for operations."""
    sheet = _Sheet(night, "firm")
    sheet.counts("all", night.accounts, "the firm")
    sheet.unmeasured()
    sheet.told(night)
    for kind, id in (("advisor", "advisor_id"), ("model", "model_id")):
        for place, (key, members) in enumerate(_by(night.accounts, id), start=1):
            prefix = f"{kind}.{place}"
            entity = sheet.entity(kind, key, getattr(members[0], kind))
            sheet.gathered.named(f"{prefix}.name", entity, _REVIEW, f"{kind} {key}")
            sheet.counts(prefix, members, f"{kind} {key}", entity)
    return sheet.gathered.sheet(())


def advisor_sheet(night: Night, advisor_id: str) -> FactSheet:
    """Return the sheet of one advisor's book; it holds no account of another's."""
    mine = tuple(one for one in night.accounts if one.advisor_id == advisor_id)
    own = Night(night.firm, night.as_of, night.since, night.snapshot, mine, 0, night.link)
    sheet = _Sheet(own, advisor_id)
    advisor = sheet.entity("advisor", advisor_id, mine[0].advisor if mine else advisor_id)
    sheet.gathered.named("advisor", advisor, _REVIEW, f"advisor {advisor_id}")
    sheet.counts("all", mine, f"advisor {advisor_id}", advisor)
    sheet.told(own)
    return sheet.gathered.sheet((advisor,))


def channel_sheet(night: Night) -> FactSheet:
    """Return the sheet of an outside channel: counts and a link, no entity of the book."""
    sheet = _Sheet(night, "channel")
    sheet.counts("all", night.accounts, "the firm")
    sheet.unmeasured()
    return sheet.gathered.sheet(())


class _Sheet:
    """The facts of one reader as they are gathered."""

    def __init__(self, night: Night, key: str) -> None:
        self.night = night
        self.gathered = Gathering("alert", key, night.as_of, night.snapshot)
        run = Reading("drift.review", ("prices",))
        self.gathered.fact("day", "date", night.as_of, "as_of", run, "the day of the run")
        self.gathered.fact("since", "date", night.since, "alert_since", run, "the day of the run before")
        if night.link:
            settings = Reading("alerts", ("settings",))
            self.gathered.fact("link", "name", night.link, "named", settings, "link")

    def entity(self, kind: str, key: str, *names: str) -> str:
        return self.gathered.entity(f"{kind}:{key}", kind, *names, key)  # type: ignore[arg-type]

    def counts(self, prefix: str, members: Sequence[Watched], where: str, *of: str) -> None:
        """How many of these accounts are out, left their bands, came back."""
        found = {
            "measured": len(members),
            "out": sum(one.out for one in members),
            "left": sum(one.out and not one.was_out for one in members),
            "back": sum(one.was_out and not one.out for one in members),
        }
        for name, count in found.items():
            self.gathered.fact(f"{prefix}.{name}", "count", count, f"alert_{name}", _REVIEW, where, of=of)

    def unmeasured(self) -> None:
        count = self.night.unmeasured
        self.gathered.fact("unmeasured", "count", count, "alert_unmeasured", _REVIEW, "accounts without data")

    def told(self, night: Night) -> None:
        """The accounts told of one by one, and how many more there are."""
        worst = [one for one in night.accounts if one.out][:MOST_WORST]
        for prefix, found in (("left", night.left), ("back", night.back), ("worst", worst)):
            for place, one in enumerate(found[:MOST_TOLD], start=1):
                self._account(f"{prefix}.{place}", one)
            if len(found) > MOST_TOLD:
                more = len(found) - MOST_TOLD
                self.gathered.fact(f"{prefix}_more", "count", more, "alert_more", _REVIEW, f"accounts {prefix}, rest")

    def _account(self, prefix: str, one: Watched) -> None:
        account = self.entity("account", one.account_id)
        where = f"account {one.account_id}"
        self.gathered.named(f"{prefix}.account", account, _REVIEW, where)
        # Households are told by name, advisors and models as the firm calls them; all are of this account's row.
        for kind, key, name in (
            ("household", one.household, one.household),
            ("advisor", one.advisor_id, one.advisor),
            ("model", one.model_id, one.model),
        ):
            self.gathered.named(f"{prefix}.{kind}", self.entity(kind, key, name), _REVIEW, where)
        if math.isfinite(one.band_use):
            self.gathered.fact(
                f"{prefix}.use", "number", one.band_use, "alert_band_use", _REVIEW, where,
                of=(account,), decimals=1,
            )  # fmt: skip
        if one.key:
            key = self.entity("asset_class", one.key)
            self.gathered.named(f"{prefix}.key", key, _REVIEW, where)
            self.gathered.fact(
                f"{prefix}.deviation", "percent", one.deviation, "alert_deviation", _REVIEW,
                where, of=(account, key), way=either(one.deviation, "over", "under"),
            )  # fmt: skip
            self.gathered.fact(
                f"{prefix}.cause.{one.cause}", "percent", one.deviation, "alert_cause", _REVIEW, where,
                of=(account, key),
            )  # fmt: skip


def _by(accounts: Iterable[Watched], name: str) -> list[tuple[str, list[Watched]]]:
    """Accounts by one of their attributes; those with the most that left, then the most out, come first."""
    groups: dict[str, list[Watched]] = {}
    for one in accounts:
        groups.setdefault(getattr(one, name), []).append(one)

    def order(group: tuple[str, list[Watched]]) -> tuple[int, int, str]:
        members = group[1]
        left = sum(one.out and not one.was_out for one in members)
        return -left, -sum(one.out for one in members), group[0]

    return sorted(groups.items(), key=order)
