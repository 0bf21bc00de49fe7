"""Old against new targets of the models of one book: sleeves ranked by the dollars they move, securities out of step.

A sleeve's move is material by its dollars: the change of its target times the book's assets on the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from workbench.drafting.sheets.model_change_book import Book

#: A security keeps step with its sleeve where its target is within half a basis point of the same proportion.
IN_STEP = 5e-5


@dataclass(frozen=True)
class Move:
    """A target before and after, in fractions of the account, and the dollars of the book that it moves.

    `security_id` is empty for a whole sleeve.
    """

    model_id: str
    sleeve_id: str
    security_id: str
    before: float
    after: float
    dollars: float

    @property
    def change(self) -> float:
        """Target after less target before."""
        return self.after - self.before

    @property
    def decimals(self) -> int:
        """Decimals that show both targets in per cent: one where that is exact, else two."""
        return 1 if all(abs(value * 1000 - round(value * 1000)) < 1e-6 for value in (self.before, self.after)) else 2


def sleeve_moves(book: Book) -> tuple[Move, ...]:
    """Return every sleeve of the book's changed models, those that move most dollars first."""
    sums = _targets(book).groupby(["model_id", "sleeve_id"], as_index=False)[["before", "after"]].sum()
    return _ranked(sums.assign(security_id=""), book)


def out_of_step(book: Book) -> tuple[Move, ...]:
    """Return the securities that do not move in proportion with their sleeve; new and dropped ones are among them."""
    rows = _targets(book)
    whole = rows.groupby(["model_id", "sleeve_id"])[["before", "after"]].transform("sum")
    scale = (whole["after"] / whole["before"]).where(whole["before"] > 0, 0.0)
    lone = rows.groupby(["model_id", "sleeve_id"])["security_id"].transform("size") == 1
    return _ranked(rows[((rows["after"] - rows["before"] * scale).abs() > IN_STEP) & ~lone], book)


def _targets(book: Book) -> pd.DataFrame:
    """Targets of the old and the new version side by side, of the models that the book has accounts on."""
    change = book.change
    versions = change.versions[change.versions["model_id"].isin(book.accounts["model_id"])]
    keys = ["model_id", "sleeve_id", "security_id"]
    parts = []
    for when in ("before", "after"):
        wanted = versions[["model_id", f"version_{when}"]].rename(columns={f"version_{when}": "version"})
        part = change.targets.merge(wanted, on=["model_id", "version"])
        parts.append(part.groupby(keys, as_index=False)["target"].sum().rename(columns={"target": when}))
    return parts[0].merge(parts[1], on=keys, how="outer").fillna({"before": 0.0, "after": 0.0})


def _ranked(rows: pd.DataFrame, book: Book) -> tuple[Move, ...]:
    assets = book.accounts.groupby("model_id")["value"].sum()
    # Rounded, so that two moves alike but for the last bit of a sum stand in the order of their names.
    dollars = ((rows["after"] - rows["before"]).abs() * rows["model_id"].map(assets).astype(float)).round(2)
    order = rows.assign(dollars=dollars).sort_values(
        ["dollars", "model_id", "sleeve_id", "security_id"], ascending=[False, True, True, True]
    )
    return tuple(
        Move(row.model_id, row.sleeve_id, row.security_id, row.before, row.after, row.dollars)
        for row in order.itertuples()
    )
