"""The nightly drift run in words: for operations, for each advisor, and in counts alone for an outside channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from workbench import drift
from workbench.drafting.draft import Draft
from workbench.drafting.reasons.alerts import CLAIMS
from workbench.drafting.sheets.alerts import Night, Watched, advisor_sheet, channel_sheet, firm_sheet
from workbench.drafting.writer import write
from workbench.errors import FirmDataError, ParameterError
from workbench.firm import CASH, Firm, at


def drafts(
    firm: Firm, *, since: pd.Timestamp | str | None = None, advisors: Sequence[str] = (), link: str = ""
) -> Iterator[Draft]:
    """Return the firm's summary, each advisor's (or only of those named) and the channel's, in this order.

    `since` is the day of the run before, by default the session before; `link` leads from an outside channel to the
    book. Raises `ParameterError` for an unknown advisor, `FirmDataError` where the day before lies outside the data.
    """
    night = nightly(firm, since=since, link=link)
    known = sorted({one.advisor_id for one in night.accounts})
    if unknown := [advisor for advisor in advisors if advisor not in known]:
        raise ParameterError(
            f"there is no advisor {unknown[0]!r} with accounts; there are {', '.join(known)}", "advisor"
        )
    if not advisors:
        yield write(firm_sheet(night), "alert_firm", CLAIMS, title="Drift of the firm")
    for advisor in advisors or known:
        yield write(advisor_sheet(night, advisor), "alert_advisor", CLAIMS, title="Drift of the book")
    yield write(channel_sheet(night), "alert_channel", CLAIMS, title="Drift")


def nightly(firm: Firm, *, since: pd.Timestamp | str | None = None, link: str = "") -> Night:
    """Return a firm's drift run held against the run of `since`. Raises as `drafts`."""
    before = at(firm, _session_before(firm) if since is None else since)
    review = drift.review(firm)
    earlier = drift.review(before).drift.accounts
    was_out = dict(zip(earlier["account_id"], earlier["breaches"] > 0))
    driven = drift.drivers(review.drift, review.causes).set_index("account_id")
    names = _names(firm)
    opened = firm.table("accounts", ["account_id", "last_rebalanced_on"]).set_index("account_id")["last_rebalanced_on"]
    driven["cause"] = driven["cause"].mask(
        (driven["cause"] == "residual") & opened.isna().reindex(driven.index), "start"
    )
    return Night(
        firm=firm.name,
        as_of=str(firm.as_of.date()),
        since=str(before.as_of.date()),
        snapshot=firm.content_hash,
        accounts=tuple(_watched(row, was_out, driven, names) for row in review.ranking.to_dict("records")),
        unmeasured=len(review.drift.no_data),
        link=link,
    )


def _watched(
    row: Mapping[str, object], was_out: Mapping[str, bool], driven: pd.DataFrame, names: Mapping[str, Mapping[str, str]]
) -> Watched:
    account = str(row["account_id"])
    # Nothing deviates where no cause is named, and an account without history has no line at all.
    furthest: Mapping[str, object] = driven.loc[account].to_dict() if account in driven.index else {"cause": "none"}
    told = furthest["cause"] != "none"
    return Watched(
        account_id=account,
        household=names["household_id"][str(row["household_id"])],
        advisor_id=str(row["advisor_id"]),
        advisor=names["advisor_id"][str(row["advisor_id"])],
        model_id=str(row["model_id"]),
        model=names["model_id"][str(row["model_id"])],
        band_use=float(row["band_use"]),  # type: ignore[arg-type]
        out=bool(row["breaches"]),
        was_out=bool(was_out.get(account, False)),
        key=str(furthest["key"]).replace(CASH, "Cash") if told else "",
        deviation=float(furthest["deviation"]) if told else 0.0,  # type: ignore[arg-type]
        cause=str(furthest["cause"]) if told else "",
    )


def _names(firm: Firm) -> dict[str, dict[str, str]]:
    """How the firm calls its households, advisors and models, by the column that holds their identifiers."""
    tables = {"household_id": "households", "advisor_id": "advisors", "model_id": "models"}
    found = {}
    for column, table in tables.items():
        rows = firm.table(table, [column, "name"]).drop_duplicates(column, keep="last")
        found[column] = dict(zip(rows[column].astype(str), rows["name"].astype(str)))
    return found


def _session_before(firm: Firm) -> pd.Timestamp:
    days = firm.table("prices", ["date"])["date"]
    earlier = days[days < firm.as_of]
    if earlier.empty:
        raise FirmDataError(f"{firm.name} has no prices before {firm.as_of.date()}; an alert needs the session before")
    return pd.Timestamp(earlier.max())
