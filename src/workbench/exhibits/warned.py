"""Exhibits of whom early warnings touch: households by name, and companies over sleeves and accounts.

In a notebook, with `warnings` from `risk.find_warnings` and `watched` from `risk.watch`:

    warned.touched_table(warnings, origin, households_listed)
    warned.issuer_table(risk.issuer_by_sleeve(watched), origin, securities_listed)
"""

from __future__ import annotations

import pandas as pd

from workbench.exhibits.drift_facts import absent, noun, plural
from workbench.exhibits.early_warnings import BASIS, FUNCTION, TABLES
from workbench.exhibits.origin import Origin
from workbench.report import Column, Exhibit, TableBody
from workbench.report import format as fmt
from workbench.risk import EarlyWarnings

#: Sleeves with a column of their own.
_SLEEVES = 4
#: Warnings about so many households that naming them all says nothing; the watch score lists its own.
_LISTED_ELSEWHERE = ("above_tolerance",)


def touched_table(warnings: EarlyWarnings, origin: Origin, most: int) -> Exhibit:
    """The households that most warnings touch, without those that are only above what they tolerate."""
    id, title = "warnings-touched", "Households that warnings touch"
    own = [warning for warning in warnings.on if warning.limit.level in ("household", "account", "model")]
    parts = [
        warning.affected.groupby("household_id", as_index=False)["dollars"].sum().assign(title=warning.limit.title)
        for warning in own
        if len(warning.affected)
    ]
    if not parts:
        return absent(id, title, "No warning that is on is about particular households.")
    every = pd.concat(parts, ignore_index=True)
    particular = [warning.limit.title for warning in own if warning.id not in _LISTED_ELSEWHERE]
    every = every[every["household_id"].isin(every.loc[every["title"].isin(particular), "household_id"])]
    if every.empty:
        return absent(id, title, "Warnings that are on touch households above what they tolerate, listed above.")
    frame = every.groupby("household_id").agg(
        warnings=("title", "size"), dollars=("dollars", "max"), names=("title", lambda titles: "; ".join(titles))
    )
    frame = frame.reset_index().sort_values(
        ["warnings", "dollars", "household_id"], ascending=[False, False, True], ignore_index=True
    )
    columns = (
        Column("household_id", "Household", emphasis=True),
        Column("warnings", "Warnings", "count"),
        Column("dollars", "At stake", "usd", note="of the largest of these warnings"),
        Column("names", "Which"),
    )
    shown = frame.head(most)
    rows, facts = origin.table("warnings.touched", shown, columns, FUNCTION, TABLES)
    several = int((frame["warnings"] > 1).sum())
    takeaway = f"{plural(len(frame), 'household')} {noun(len(frame), 'is', 'are')} touched by name, "
    takeaway += f"{fmt.count(several)} by more than one warning; first {frame['household_id'].iloc[0]}."
    left = [warning.limit.title for warning in own if warning.id in _LISTED_ELSEWHERE]
    note = "" if len(frame) <= most else f"The first {len(shown)} of {fmt.count(len(frame))}."
    note += " Households that are only above their tolerance are not repeated here." if left else ""
    body = TableBody(columns, rows, note=note.strip())
    return Exhibit(id, title, body, takeaway, origin.settings(BASIS, TABLES), facts)


def issuer_table(issuers: pd.DataFrame, origin: Origin, most: int) -> Exhibit:
    """The largest companies, each with its dollars in every sleeve; `issuers` from `risk.issuer_by_sleeve`."""
    id, title = "warnings-issuers", "Companies across sleeves"
    if issuers.empty:
        return absent(
            id, title, "No company is held directly. What funds hold cannot be seen: the book has no look-through."
        )
    sleeves = issuers.groupby("sleeve_id")["dollars"].sum().sort_values(ascending=False, kind="stable")
    named = [str(sleeve) for sleeve in sleeves.index if sleeve][:_SLEEVES]
    wide = issuers.assign(sleeve=issuers["sleeve_id"].where(issuers["sleeve_id"].isin(named), "other"))
    dollars = wide.pivot_table(index="issuer_id", columns="sleeve", values="dollars", aggfunc="sum")
    order = issuers.groupby("issuer_id")["dollars"].sum().sort_values(ascending=False, kind="stable")
    weight = issuers.groupby("issuer_id")["weight"].sum()
    frame = pd.DataFrame({"issuer_id": order.index, "dollars": order.to_numpy()})
    frame["weight"] = frame["issuer_id"].map(weight)
    names = issuers.drop_duplicates("issuer_id").set_index("issuer_id")["name"]
    frame["name"] = [fmt.clipped(str(names[issuer]), 34) for issuer in frame["issuer_id"]]
    inside = issuers[(issuers["sleeve_id"] != "")].groupby("issuer_id")["sleeve_id"].nunique()
    frame["sleeves"] = frame["issuer_id"].map(inside).fillna(0).astype(int)
    parts = [*named, *(["other"] if "other" in dollars.columns else [])]
    for place, sleeve in enumerate(parts):
        frame[f"in_{place}"] = frame["issuer_id"].map(dollars[sleeve])
    columns = (
        Column("issuer_id", "Company", emphasis=True),
        Column("name", "Name"),
        Column("weight", "Of all assets", "percent", digits=2),
        Column("dollars", "Dollars", "usd"),
        Column("sleeves", "Sleeves", "count", note="in which a model holds it"),
        *(Column(f"in_{place}", _sleeve(sleeve), "usd") for place, sleeve in enumerate(parts)),
    )
    shown = frame.head(most)
    missing = {f"in_{place}": "not in this sleeve" for place in range(len(parts))}
    tables = ("positions", "prices", "securities", "model_targets")
    rows, facts = origin.table("warnings.issuer", shown, columns, "risk.issuer_by_sleeve", tables, missing=missing)
    first, several = frame.iloc[0], frame[frame["sleeves"] > 1]
    takeaway = f"{first['issuer_id']} is the largest company, {fmt.percent(first['weight'], 1)} of all assets; "
    takeaway += f"{plural(len(several), 'company', 'companies')} of {fmt.count(len(frame))} "
    takeaway += f"{noun(len(several), 'is', 'are')} in more than one sleeve."
    note = "" if len(frame) <= most else f"The first {len(shown)} of {fmt.count(len(frame))}."
    note += " A holding that its model has in two sleeves is divided by their targets; outside: no model names it."
    basis = "market value at the close, added up by issuer; funds are not looked through"
    return Exhibit(
        id, title, TableBody(columns, rows, note=note.strip()), takeaway, origin.settings(basis, tables), facts
    )


def _sleeve(sleeve: str) -> str:
    return "Outside" if sleeve == "other" else sleeve
