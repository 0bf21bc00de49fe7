"""The risk chapter: where the risk of all assets comes from, by factor and by security."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.exhibits.drift_facts import absent, listed, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.risk import TABLES, basis, nothing, share_words
from workbench.report import Column, Exhibit, Missing, TableBody
from workbench.report import format as fmt
from workbench.risk import FIRM, Overview

UNEXPLAINED = "Explained by no factor"


def factor_table(seen: Overview, origin: Origin) -> Exhibit:
    """All assets by factor: exposure times volatility times correlation is what each contributes."""
    id, title = "risk-factors", "Risk of all assets by factor"
    if not len(seen.total.portfolios):
        return absent(id, title, nothing(seen))
    frame = seen.total.by_factor().iloc[: len(seen.risk.factors) + 1]
    total = pd.DataFrame({"factor": ["Total"], "contribution": seen.total.volatility[:1], "share": [1.0]})
    frame = pd.concat([frame, total], ignore_index=True)
    frame["factor"] = [*map(factor_name, seen.risk.factors), UNEXPLAINED, "Total"]
    columns = (
        Column("factor", "Factor", emphasis=True),
        Column("exposure", "Exposure", "number", note="1 moves as much as the factor"),
        Column("volatility", "Volatility", "percent", note="of the factor, a year"),
        Column("correlation", "Correlation", "number", note="of the factor with the portfolio"),
        Column("contribution", "Contribution", "percent", digits=2, note="the product; sums to the volatility"),
        Column("share", "Share", "percent", digits=0),
    )
    why = "not a factor"
    rows, facts = origin.table(
        "risk.factor", frame, columns, "risk.split", _tables(seen),
        keys=factor_keys(seen.risk.factors, ("specific", "total"), origin),
        missing={"exposure": why, "volatility": why, "correlation": why, "share": "nothing moves"},
    )  # fmt: skip
    rows = (*rows[:-2], *(tuple("" if isinstance(cell, Missing) else cell for cell in row) for row in rows[-2:]))
    factors = frame.iloc[: len(seen.risk.factors)]
    still = seen.total.volatility[0] <= 0
    takeaway = "Nothing that is held moves." if still else "There is no factor to explain risk by."
    if len(factors) and seen.total.volatility[0] > 0:
        first = factors.loc[factors["contribution"].idxmax()]
        takeaway = (
            f"{first['factor']} explains {share_words(first['share'])} of the risk; "
            f"{fmt.percent(seen.total.specific[0] / seen.total.volatility[0], 0)} is explained by no factor."
        )
    return Exhibit(
        id, title, TableBody(columns, rows, total_row=True, note=_factors_are(seen)), takeaway,
        origin.settings(_factor_basis(seen), _tables(seen)), facts,
    )  # fmt: skip


def contributors_table(seen: Overview, origin: Origin, most: int) -> Exhibit:
    """The securities that carry most of the risk of all assets, with what they add to the tracking error."""
    id, title = "risk-contributors", "Largest contributors to risk"
    if not len(seen.total.portfolios):
        return absent(id, title, nothing(seen))
    total = seen.total
    frame = pd.DataFrame(
        {
            "security_id": total.model.securities,
            "weight": total.weights[0],
            "volatility": total.model.volatility,
            "contribution": total.contribution[0],
        }
    )
    frame["share"] = frame["contribution"] / total.volatility[0] if total.volatility[0] > 0 else np.nan
    frame["name"] = frame["security_id"].map(seen.securities("name"))
    own = FIRM in seen.active.portfolios and seen.active.portfolios[0] == FIRM
    frame["active"] = seen.active.contribution[0] if own else np.nan
    frame = frame[frame["weight"] != 0].sort_values(["contribution", "security_id"], ascending=[False, True])
    shown = frame.head(most)
    columns = (
        Column("security_id", "Security", emphasis=True),
        Column("name", "Name"),
        Column("weight", "Weight", "percent"),
        Column("volatility", "Its volatility", "percent", digits=0, note="a year"),
        Column("contribution", "Contribution", "percent", digits=2, note="to the volatility of all assets"),
        Column("share", "Share of risk", "percent"),
        Column("active", "To tracking error", "percent", digits=2, note="of all assets to the models"),
    )
    rows, facts = origin.table(
        "risk.security", shown, columns, "risk.split", TABLES,
        missing={"share": "nothing moves", "active": "no account has a model"},
    )  # fmt: skip
    first = shown.iloc[0]
    together = share_words(shown["share"].sum())
    takeaway = (
        f"{first['security_id']} carries most: {fmt.percent(first['weight'])} of the assets and "
        f"{fmt.percent(first['share'])} of the risk. The {len(shown)} shown carry {together} of it."
        if total.volatility[0] > 0
        else "Nothing that is held moves."
    )
    note = "" if len(frame) <= most else f"The first {len(shown)} of {plural(len(frame), 'security', 'securities')}."
    return Exhibit(
        id, title, TableBody(columns, rows, note=note), takeaway, origin.settings(basis(seen), TABLES), facts
    )


def factor_name(factor: object) -> str:
    """A factor as a row's label: styles are kept in lower case, asset classes are not."""
    text = str(factor)
    return text[:1].upper() + text[1:]


def factor_keys(factors: Sequence[str], rest: Sequence[str], origin: Origin) -> list[str]:
    """Names of the facts of factors and of the rows below them; a firm's factor may be called as another row is."""
    taken = {origin.slug(name) for name in rest}
    keys = []
    for name in factors:
        key, count = origin.slug(name), 2
        while key in taken:
            key, count = f"{origin.slug(name)}-{count}", count + 1
        taken.add(key)
        keys.append(key)
    return [*keys, *rest]


def _tables(seen: Overview) -> list[str]:
    """The tables that risk by factor is read from."""
    return [*TABLES, "factor_exposures"] if _has_own_factors(seen) else TABLES


def _factor_basis(seen: Overview) -> str:
    return f"{basis(seen)}; exposures that the firm keeps" if _has_own_factors(seen) else basis(seen)


def _has_own_factors(seen: Overview) -> bool:
    """Whether factors are those of exposures that the firm keeps itself."""
    return len(seen.watched.exposures.columns) > 0


def _factors_are(seen: Overview) -> str:
    """What the factors stand for."""
    if _has_own_factors(seen):
        text = "Factors and exposures are those the firm keeps; a factor's return is what fits the securities' returns "
        text += "best on each session. Factors overlap; a negative contribution lowers the risk."
        if seen.risk.unexposed:
            text += f" Without exposures, and so explained by no factor: {listed(list(seen.risk.unexposed))}."
        return text
    classes = set(seen.watched.securities["asset_class"])
    styles = [name for name in seen.risk.factors if name not in classes]
    text = "A factor named after an asset class is the average of its shares or broad funds."
    if styles:
        text += f" A style ({', '.join(styles)}) is a fund of that style less the market."
    return text + " Factors overlap; a negative contribution lowers the risk."
