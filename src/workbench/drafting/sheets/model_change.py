"""The fact sheet of a model change notice: the change, its reasons, and its effect on one book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.drafting.facts import FactSheet
from workbench.drafting.reasons.model_change import questions
from workbench.drafting.sheets.gathering import Gathering, Reading, either, worded
from workbench.drafting.sheets.model_change_book import Book
from workbench.drafting.sheets.model_change_effect import (
    BOOK,
    IMPACT,
    SECURITIES,
    add_effect,
    add_unmeasured,
    security,
)
from workbench.drafting.sheets.model_change_record import (
    MODELS,
    SLEEVES,
    Timetable,
    add_rationale,
    add_timetable,
    pending,
    sleeve,
)
from workbench.drafting.sheets.model_change_targets import IN_STEP, Move, out_of_step, sleeve_moves

#: Sleeve moves ranked on the page; the rest is counted.
SHOWN_MOVES = 8
TARGETS = Reading("drafting.sheets.model_change_targets", ("model_targets",))


def notice_sheet(book: Book, timetable: Timetable, *, preview: bool = False) -> FactSheet:
    """Return the facts of one book's notice, the questions it answers among them, in order.

    Raises `ParameterError` for a version that the committee has not approved, unless `preview` is set, and for a day
    of the timetable before the day of the figures; `FactError` for firm data that cannot be told.
    """
    change = book.change
    waiting = pending(change.versions, preview)
    made = Gathering("notice", book.advisor or "desk", change.as_of.isoformat(), change.snapshot)
    about = _about(made, book)
    made.fact("as_of", "date", made.as_of, "as_of", Reading("opened", ("snapshot",)), "as of")
    if waiting:
        made.fact("pending", "count", waiting, "change_pending", MODELS, "versions that wait for the committee")
    add_timetable(made, change.versions, timetable)
    models = _models(made, book)
    if len(book.accounts):
        add_rationale(made, change.versions.set_index("model_id", drop=False).loc[list(models)])
        _changes(made, book, models)
        add_effect(made, book)
    add_unmeasured(made, book)
    sheet = made.sheet((about,))
    if not len(book.accounts):
        return sheet
    for name, reach in questions(sheet):
        made.fact(f"question.{name}.reach", "money", reach, "change_reach", BOOK, f"assets touched by {name}")
    return made.sheet((about,))


def _about(made: Gathering, book: Book) -> str:
    if book.advisor is None:
        return made.entity("firm:" + book.change.firm, "firm", book.change.firm)
    rows = book.change.advisors
    name = str(rows.loc[rows["advisor_id"] == book.advisor, "name"].iloc[0])
    key = made.entity("advisor:" + book.advisor, "advisor", name)
    made.named("advisor", key, Reading("read", ("advisors",)), f"{book.advisor}, name")
    return key


def _models(made: Gathering, book: Book) -> dict[str, str]:
    """Each changed model that the book has accounts on, largest assets first; the prefix of its facts by model."""
    assets = book.accounts.groupby("model_id")["value"].agg(["sum", "size"])
    rows = book.change.versions
    rows = rows[rows["model_id"].isin(assets.index)] if len(assets) else rows
    order = rows["model_id"].map(assets["sum"]).fillna(0.0).to_numpy()
    ids = {}
    for n, row in enumerate(rows.iloc[(-order).argsort(kind="stable")].itertuples(), 1):
        id, cell = f"model.{n}", f"{row.model_id}, versions {row.version_before} and {row.version_after}"
        ids[row.model_id] = id
        key = made.entity("model:" + row.model_id, "model", str(row.name))
        made.named(f"{id}.name", key, MODELS, cell)
        for end, version, way in (("from", row.version_before, "before"), ("to", row.version_after, "after")):
            made.fact(
                f"{id}.{end}", "number", version, "change_version", MODELS, cell, of=(key,), way=(way,), decimals=0
            )
        day = row.effective_date.date().isoformat()
        made.fact(f"{id}.effective", "date", day, "change_effective", MODELS, cell, of=(key,))
        made.fact(f"{id}.benchmark", "name", worded(row.benchmark, "benchmark"), "named", MODELS, cell)
        if isinstance(row.benchmark_before, str) and row.benchmark_before != row.benchmark:
            made.fact(
                f"{id}.benchmark_before", "name", worded(row.benchmark_before, "benchmark"), "named", MODELS, cell
            )
        turnover, crossing = row.target_turnover, row.crossing
        made.fact(f"{id}.turnover", "percent", turnover, "change_target_turnover", IMPACT, cell, of=(key,))
        if crossing > IN_STEP:
            made.fact(f"{id}.crossing", "percent", crossing, "change_crossing", IMPACT, cell, of=(key,))
        if len(assets):
            made.fact(f"{id}.accounts", "count", assets["size"][row.model_id], "change_accounts", BOOK, cell, of=(key,))
            made.fact(f"{id}.assets", "money", assets["sum"][row.model_id], "change_assets", BOOK, cell, of=(key,))
    return ids


def _changes(made: Gathering, book: Book, models: Mapping[str, str]) -> None:
    """Targets before and after: the sleeves that move most dollars, all sleeves by model, securities out of step."""
    sleeves = sleeve_moves(book)
    moved = [move for move in sleeves if abs(move.change) > IN_STEP]
    made.fact("changes.count", "count", len(moved), "change_moves", TARGETS, "sleeves whose target changes")
    for n, move in enumerate(moved[:SHOWN_MOVES], 1):
        _move(made, f"change.{n}", move, book)
    if len(moved) > SHOWN_MOVES:
        made.fact("changes.rest", "count", len(moved) - SHOWN_MOVES, "change_moves", TARGETS, "sleeves left out")
    by_target = sorted(sleeves, key=lambda one: (-max(one.before, one.after), one.sleeve_id))
    for level, listed in (("sleeve", by_target), ("security", out_of_step(book))):
        counted = dict.fromkeys(models, 0)
        for move in listed:
            counted[move.model_id] += 1
            _move(made, f"{models[move.model_id]}.{level}.{counted[move.model_id]}", move, book)
    _largest(made, "cut", [move for move in moved if move.change < 0], book)
    for name, hit in (("dropped", lambda one: one.after <= 0), ("new", lambda one: one.before <= 0)):
        _largest(made, name, [move for move in (*moved, *out_of_step(book)) if hit(move)], book)


def _largest(made: Gathering, id: str, found: Sequence[Move], book: Book) -> None:
    """The largest of some moves, and the assets on the models that make one of them."""
    if not found:
        return
    _move(made, f"{id}.largest", max(found, key=lambda one: one.dollars), book)
    on = book.accounts["model_id"].isin({move.model_id for move in found})
    made.fact(f"{id}.assets", "money", book.accounts.loc[on, "value"].sum(), "change_reach", BOOK, f"{id}, assets")


def _move(made: Gathering, id: str, move: Move, book: Book) -> None:
    cell = " ".join(filter(None, (move.model_id, move.sleeve_id, move.security_id)))
    model = "model:" + move.model_id
    made.named(f"{id}.model", model, MODELS, cell)
    part = sleeve(made, book.change.sleeves, move.sleeve_id)
    made.named(f"{id}.sleeve", part, SLEEVES, cell)
    if move.security_id:
        part = security(made, book, move.security_id)
        made.named(f"{id}.security", part, SECURITIES, cell)
    of = (model, part)
    for end, metric, value, way in (
        ("from", "change_target", move.before, ("before",)),
        ("to", "change_target", move.after, ("after",)),
        ("change", "change_move", move.change, either(move.change, "up", "down")),
    ):
        made.fact(f"{id}.{end}", "percent", value, metric, TARGETS, cell, of=of, way=way, decimals=move.decimals)
    made.fact(f"{id}.dollars", "money", move.dollars, "change_dollars", TARGETS, cell, of=of)
