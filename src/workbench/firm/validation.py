"""Checks a snapshot's tables as one: types and ranges, keys, references, and the rules that span tables.

A snapshot that fails is rejected whole, and every failing row is named, so that one report is enough to mend it.
Softer findings (a stale price, a missed distribution) are not rejections: see `workbench.firm.reconcile`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import pandera.errors

from workbench.errors import BadRow, FirmDataError
from workbench.firm.schema import CASH, TABLES, Table

#: How far a model version's targets may be from 1 and still count as rounding.
TARGET_SUM_TOLERANCE = 1e-6
#: Problems shown in full in an error's message; the rest are counted.
SHOWN_PROBLEMS = 12
SHOWN_ROWS = 3


#: What to give where a value is not known, which its column does not say.
_IF_MISSING = {("lots", "cost_per_share"): "give what was paid a share; where that is not known, 0 with covered false"}


def validate(tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> list[BadRow]:
    """Return every failing row of a snapshot; an empty list is a sound one.

    Rules that span tables are only asked of tables whose own columns are sound.
    """
    bad: list[BadRow] = []
    broken: set[str] = set()
    for name, spec in TABLES.items():
        if name not in tables:
            if not spec.optional:
                bad.append(_whole_table(name, "the table is missing", f"add {name}.parquet to the folder"))
                broken.add(name)
            continue
        found = [*_column_faults(spec, tables[name]), *_row_faults(spec, tables[name])]
        bad.extend(found)
        if any(row.column in spec.columns and row.row is None for row in found):
            broken.add(name)
    sound = {name: frame for name, frame in tables.items() if name in TABLES and name not in broken}
    for rule in (_duplicate_keys, _unknown_references, _unknown_scopes, _empty_firm):
        bad.extend(rule(sound))
    for dated_rule in (
        _future_rows,
        _target_sums,
        _benchmark_sums,
        _wrong_bands,
        _cash_prices,
        _quantities,
        _priced_as_of,
    ):
        bad.extend(dated_rule(sound, as_of))
    return bad


def reject(bad: Sequence[BadRow], where: str) -> None:
    """Raise `FirmDataError` with a readable report when there is any failing row."""
    if bad:
        raise FirmDataError(report(bad, where), bad)


def report(bad: Sequence[BadRow], where: str) -> str:
    """One readable report of failing rows: by table and problem, the first rows of each, and the remedy."""
    groups: dict[tuple[str, str, str], list[BadRow]] = {}
    for row in bad:
        groups.setdefault((row.table, row.column, row.problem), []).append(row)
    noun = "row fails" if len(bad) == 1 else "rows fail"
    lines = [f"{where}: rejected whole, {len(bad):,} {noun} in {len({row.table for row in bad})} table(s)"]
    for (table, column, problem), rows in list(groups.items())[:SHOWN_PROBLEMS]:
        place = f"{table}.{column}" if column else table
        count = f" ({len(rows):,} rows)" if len(rows) > 1 else ""
        lines.append(f"  {place}: {problem}{count}. {_sentence(rows[0].remedy)}")
        lines += [f"    {_place(row)}" for row in rows[:SHOWN_ROWS] if row.row is not None]
        if len(rows) > SHOWN_ROWS:
            lines.append(f"    ... and {len(rows) - SHOWN_ROWS:,} more")
    if len(groups) > SHOWN_PROBLEMS:
        lines.append(f"  ... and {len(groups) - SHOWN_PROBLEMS:,} more kinds of problem")
    return "\n".join(lines)


def _sentence(remedy: str) -> str:
    return remedy[:1].upper() + remedy[1:] + "."


def _place(row: BadRow) -> str:
    value = f", value {row.value}" if row.value else ""
    return f"row {row.row}: {row.key}{value}"


def _whole_table(table: str, problem: str, remedy: str, column: str = "") -> BadRow:
    return BadRow(table, None, "", column, "", problem, remedy)


def _rows(
    table: Table, frame: pd.DataFrame, mask: pd.Series, column: str, problem: str, remedy: str
) -> Iterator[BadRow]:
    """Name each row of `frame` where `mask` holds."""
    failing = frame.loc[mask.to_numpy()]
    positions = mask.to_numpy().nonzero()[0]
    keys = [name for name in table.key if name in frame.columns]
    labels = failing[keys].astype("string").fillna("missing").to_numpy() if keys else [()] * len(failing)
    values = failing[column].to_numpy() if column in frame.columns else [""] * len(failing)
    for position, label, value in zip(positions, labels, values, strict=True):
        key = ", ".join(f"{name} {_short(part)}" for name, part in zip(keys, label, strict=True))
        yield BadRow(table.name, int(position), key, column, _short(value), problem, remedy)


def _short(value: object) -> str:
    """A value as one printable line: control characters of hostile text are escaped, long text is cut."""
    if isinstance(value, pd.Timestamp) or str(type(value)).startswith("<class 'numpy.datetime64"):
        return "missing" if pd.isna(value) else str(pd.Timestamp(value).date())
    text = "missing" if value is None or value is pd.NA or value != value else str(value)
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return text if len(text) <= 60 else text[:57] + "..."


def _column_faults(spec: Table, frame: pd.DataFrame) -> Iterator[BadRow]:
    for column in spec.columns:
        if column not in frame.columns:
            near = [c for c in frame.columns if c.lower().replace(" ", "_") == column]
            remedy = f"rename column {near[0]!r}" if near else f"add the column {column!r}"
            yield _whole_table(spec.name, "the column is missing", remedy, column)


def _row_faults(spec: Table, frame: pd.DataFrame) -> Iterator[BadRow]:
    """Every failure that pandera finds in the columns that are there."""
    plain = frame.reset_index(drop=True)
    for name, column in spec.columns.items():
        if name not in plain.columns:
            continue
        missing = plain[name].isna()
        if missing.any() and not column.nullable:
            remedy = _IF_MISSING.get((spec.name, name), f"give {name} in {spec.name}")
            yield from _rows(spec, plain, missing, name, "missing value", remedy)
        filled = plain.loc[~missing, [name]]
        kind = column.checks[0] if column.checks else None
        if filled.empty or kind is None:
            continue
        if not kind(filled[name]).check_passed:
            yield from _wrong_type(spec, plain, name, str(kind.name))
            continue
        yield from _failed_checks(spec, plain, filled, name)


def _failed_checks(spec: Table, frame: pd.DataFrame, filled: pd.DataFrame, name: str) -> Iterator[BadRow]:
    try:
        spec.columns[name].set_name(name).validate(filled, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        for check, cases in errors.failure_cases.groupby("check", sort=False):
            mask = pd.Series(frame.index.isin(cases["index"].dropna().astype(int)))
            yield from _rows(spec, frame, mask, name, f"must be {check}", f"correct {name} in {spec.name}")


def _wrong_type(spec: Table, frame: pd.DataFrame, column: str, kind: str) -> Iterator[BadRow]:
    problem = f"holds {frame[column].dtype}, not {kind}"
    remedy = f"store {column} as {kind}"
    parsers = {"number": pd.to_numeric, "whole number": pd.to_numeric, "date": pd.to_datetime}
    if kind in parsers and pd.api.types.is_string_dtype(frame[column].dropna()):
        parsed = parsers[kind](frame[column], errors="coerce")
        unreadable = parsed.isna() & frame[column].notna()
        if unreadable.any():
            yield from _rows(spec, frame, unreadable, column, f"is not a {kind}", remedy)
    yield _whole_table(spec.name, problem, remedy, column)


def _duplicate_keys(tables: Mapping[str, pd.DataFrame]) -> Iterator[BadRow]:
    for name, frame in tables.items():
        key = list(TABLES[name].key)
        again = frame.duplicated(key, keep="first")
        if again.any():
            remedy = f"keep one row of each {' + '.join(key)}"
            yield from _rows(TABLES[name], frame, again, "", "the key is there twice", remedy)


def _unknown_references(tables: Mapping[str, pd.DataFrame]) -> Iterator[BadRow]:
    for name, frame in tables.items():
        for reference in TABLES[name].references:
            if reference.table not in tables:
                continue
            known = tables[reference.table][reference.key].unique()
            unknown = ~frame[reference.column].isin(known) & frame[reference.column].notna()
            if unknown.any():
                noun = reference.key.removesuffix("_id").replace("_", " ")
                remedy = f"add it to {reference.table} or correct {reference.column}"
                yield from _rows(TABLES[name], frame, unknown, reference.column, f"unknown {noun}", remedy)
    yield from _unknown_versions(tables)


def _unknown_versions(tables: Mapping[str, pd.DataFrame]) -> Iterator[BadRow]:
    if not {"models", "model_targets"} <= set(tables):
        return
    models, targets = tables["models"], tables["model_targets"]
    known = pd.MultiIndex.from_frame(models[["model_id", "version"]])
    named = pd.MultiIndex.from_frame(targets[["model_id", "version"]])
    unknown = pd.Series(~named.isin(known))
    remedy = "add the version to models or correct version"
    yield from _rows(TABLES["model_targets"], targets, unknown, "version", "unknown model version", remedy)
    untargeted = pd.Series(~known.isin(named))
    remedy = "add the version's targets to model_targets"
    yield from _rows(TABLES["models"], models, untargeted, "version", "the version has no targets", remedy)


def _unknown_scopes(tables: Mapping[str, pd.DataFrame]) -> Iterator[BadRow]:
    """A restriction on an account or household that does not exist would bind nobody without anyone noticing."""
    if "restrictions" not in tables:
        return
    frame = tables["restrictions"]
    for scope, table in (("account", "accounts"), ("household", "households")):
        if table in tables:
            unknown = (frame["scope"] == scope) & ~frame["scope_id"].isin(tables[table][f"{scope}_id"])
            remedy = f"add it to {table} or correct scope_id"
            yield from _rows(TABLES["restrictions"], frame, unknown, "scope_id", f"unknown {scope}", remedy)


def _empty_firm(tables: Mapping[str, pd.DataFrame]) -> Iterator[BadRow]:
    for name in ("accounts", "securities", "models", "prices"):
        if name in tables and tables[name].empty:
            yield _whole_table(name, "the table is empty", f"a firm needs rows in {name}")


def _future_rows(tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Iterator[BadRow]:
    dated = {
        "lots": ("acquired_on", "holding_start"),
        "transactions": ("trade_date",),
        "prices": ("date",),
        "rates": ("date",),
        "accounts": ("opened_on", "last_rebalanced_on"),
        "profiles": ("reviewed_on",),
        "client_notes": ("written_on",),
    }
    for name, columns in dated.items():
        for column in columns:
            if name in tables:
                # The holding period starts the day after the trade (Rev. Rul. 66-7), so it alone may be tomorrow.
                limit = as_of + pd.Timedelta(days=1 if column == "holding_start" else 0)
                late = tables[name][column] > limit
                if late.any():
                    problem = f"is after the snapshot's date {as_of.date()}"
                    remedy = "correct the date or the snapshot's as-of"
                    yield from _rows(TABLES[name], tables[name], late, column, problem, remedy)


def _target_sums(tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Iterator[BadRow]:
    """Targets of a version in force, or once in force, sum to 1; a draft's sum is a finding, not a rejection."""
    if not {"models", "model_targets"} <= set(tables):
        return
    models = tables["models"]
    sums = tables["model_targets"].groupby(["model_id", "version"])["target"].sum(min_count=1)
    totals = pd.Series(
        sums.reindex(pd.MultiIndex.from_frame(models[["model_id", "version"]])).to_numpy(), index=models.index
    )
    wrong = (totals - 1.0).abs() > TARGET_SUM_TOLERANCE
    wrong &= models["status"] != "draft"
    for position in wrong.to_numpy().nonzero()[0]:
        row = models.iloc[position]
        yield BadRow(
            "model_targets",
            None,
            f"model_id {row.model_id}, version {row.version}",
            "target",
            f"{totals.iloc[position]:.6f}",
            f"targets of model {_short(row.model_id)} version {row.version} sum to {totals.iloc[position]:.6f}, not 1",
            "correct the targets of that version",
        )


def _benchmark_sums(tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Iterator[BadRow]:
    """The weights of each benchmark, of a sleeve and of a model, sum to 1: nothing is measured against 0.98 of one."""
    for name, key in (("sleeve_benchmarks", "sleeve_id"), ("model_benchmarks", "model_id")):
        if name not in tables:
            continue
        totals = tables[name].groupby(key, observed=True)["weight"].sum()
        for owner, total in totals[(totals - 1.0).abs() > TARGET_SUM_TOLERANCE].items():
            yield BadRow(
                name, None, f"{key} {_short(owner)}", "weight", f"{total:.6f}",
                f"weights of the benchmark of {_short(owner)} sum to {total:.6f}, not 1",
                "correct the weights of that benchmark",
            )  # fmt: skip


def _wrong_bands(tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Iterator[BadRow]:
    if "model_targets" in tables:
        frame = tables["model_targets"]
        outside = (frame["lower"] > frame["target"]) | (frame["upper"] < frame["target"])
        if outside.any():
            problem, remedy = "the target is outside lower and upper", "correct lower, target or upper"
            yield from _rows(TABLES["model_targets"], frame, outside, "target", problem, remedy)
    if "tolerances" in tables:
        frame = tables["tolerances"]
        neither = frame["absolute"].isna() & frame["relative"].isna()
        if neither.any():
            problem, remedy = "neither an absolute nor a relative band", "give at least one of the two"
            yield from _rows(TABLES["tolerances"], frame, neither, "absolute", problem, remedy)


def _cash_prices(tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Iterator[BadRow]:
    if "securities" in tables and CASH not in set(tables["securities"]["security_id"]):
        yield _whole_table("securities", f"there is no security {CASH}", f"add {CASH} with kind cash")
    if "prices" in tables:
        frame = tables["prices"]
        wrong = (frame["security_id"] == CASH) & (frame["close"] != 1.0)
        if wrong.any():
            yield from _rows(TABLES["prices"], frame, wrong, "close", "cash is not priced at 1", "set it to 1")


def _quantities(tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Iterator[BadRow]:
    if "positions" in tables:
        frame = tables["positions"]
        short = (frame["quantity"] < 0) & (frame["security_id"] != CASH)
        if short.any():
            problem, remedy = "a short position", "correct the sign; the workbench holds no short positions"
            yield from _rows(TABLES["positions"], frame, short, "quantity", problem, remedy)


def _priced_as_of(tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Iterator[BadRow]:
    """Each held security has a price on the last session the table knows, and that session is near the as-of date."""
    if not {"prices", "positions"} <= set(tables) or tables["prices"].empty:
        return
    prices = tables["prices"]
    last = prices["date"].max()
    if (as_of - last).days > 5:
        problem = f"prices end on {last.date()}, {(as_of - last).days} days before the as-of date {as_of.date()}"
        yield _whole_table("prices", problem, "add prices up to the as-of date or take an earlier as-of", "date")
        return
    priced = set(prices.loc[prices["date"] == last, "security_id"])
    frame = tables["positions"]
    held = frame.loc[frame["quantity"] != 0, "security_id"].unique()
    for security in sorted(set(held) - priced - {CASH}):
        yield BadRow(
            "prices", None, f"security_id {_short(security)}", "date", "",
            f"held security {_short(security)} has no price on {last.date()}",
            "add its price of that day",
        )  # fmt: skip
