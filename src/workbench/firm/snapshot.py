"""The snapshot store: one firm is one folder of Parquet files and a record of what they held when they were sealed.

Opening reads the record and the files' footers only, so that a firm of 100,000 accounts opens at once; tables are
read when they are asked for. Writing validates everything first and swaps the folder in whole.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import FirmDataError, NotAFirmError
from workbench.firm import validation
from workbench.firm.schema import TABLES

RECORD = "snapshot.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Firm:
    """A firm's sealed book of record: lazy tables, the day they are seen on, and hashes of what they are read from.

    `sealed_on` is the snapshot's own day and `sealed` each file's SHA-256 as recorded then; `rows` counts the rows of
    each table there is. `rewound` holds the tables that differ where the firm is seen as of an earlier day (see
    `workbench.firm.history`).
    """

    folder: Path
    as_of: pd.Timestamp
    sealed_on: pd.Timestamp
    sealed: dict[str, str]
    rows: dict[str, int]
    name: str
    rewound: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    _hashes: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _frames: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    def table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        """Return a table (a copy the caller may change); an absent optional table has its columns and no rows.

        Raises `FirmDataError` for a file that cannot be read.
        """
        if name not in self._frames or columns is not None:
            frame = _to_frame(self.arrow(name, columns, encode=False), name)
            if columns is not None:
                return frame
            self._frames[name] = frame
        return self._frames[name].copy(deep=False)

    def arrow(self, name: str, columns: list[str] | None = None, *, encode: bool = True) -> pa.Table:
        """Return a table as Arrow, its text columns dictionary-encoded: codes, as the compiled kernels want them."""
        spec = TABLES[name]
        if name in self.rewound:
            frame = self.rewound[name] if columns is None else self.rewound[name][columns]
            return _encoded(_to_arrow(frame)) if encode else _to_arrow(frame)
        path = self._path(name)
        if not path.exists():
            empty: pa.Table = pa.table({column: pa.array([], pa.null()) for column in columns or spec.columns})
            return empty
        text = [c for c in columns or spec.columns if _kind(name, c) == "text"]
        try:
            table: pa.Table = pq.read_table(path, columns=columns, read_dictionary=text if encode else None)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, error) from error
        return table

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table that the folder holds."""
        return {name: self.table(name) for name in TABLES if (self._path(name)).exists()}

    def query(self, sql: str) -> pd.DataFrame:
        """Run a DuckDB query; every table is a view by its name. For questions over more than fits in memory."""
        import duckdb

        with duckdb.connect() as connection:
            for name in self.rows:
                if name in self.rewound:
                    connection.register(name, self.rewound[name])
                    continue
                path = str(self._path(name)).replace("'", "''")
                connection.execute(f"create view {name} as select * from read_parquet('{path}')")
            frame: pd.DataFrame = connection.execute(sql).df()
        return frame

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each table's file as it is now, which is what is read; hashed once, when first asked for."""
        if not self._hashes:
            self._hashes.update({name: _file_hash(self._path(name)) for name in self.rows})
        return self._hashes

    @property
    def content_hash(self) -> str:
        """One hash over the files and the snapshot's own date; the same for every day the firm is seen on."""
        return _content_hash(self.hashes, self.sealed_on)

    @property
    def changed(self) -> list[str]:
        """Tables whose file is not what was sealed: changed, or added since."""
        return sorted(name for name, now in self.hashes.items() if now != self.sealed.get(name))

    def _path(self, table: str) -> Path:
        return self.folder / f"{table}.parquet"

    def verify(self) -> list[str]:
        """Check that the folder is still sound and return the tables changed since it was sealed.

        A file that is what was sealed needs no second look; any change has the whole snapshot validated again.
        Raises `FirmDataError` with every failing row.
        """
        if self.changed:
            validation.reject(validation.validate(self.tables(), self.as_of), str(self.folder))
        return self.changed


def open_firm(folder: Path | str) -> Firm:
    """Open a firm's folder.

    Raises `NotAFirmError` where there is no snapshot record, `FirmDataError` for a record or file that cannot be
    read.
    """
    folder = Path(folder)
    record = folder / RECORD
    if not folder.is_dir():
        raise NotAFirmError(
            f"{folder} is not a folder; give the folder of a firm, or make one: workbench demo {folder}"
        )
    if not record.is_file():
        tables = sorted(path.stem for path in folder.glob("*.parquet") if path.stem in TABLES)
        remedy = (
            f"it holds {len(tables)} tables; seal them: workbench seal {folder} --as-of DATE"
            if tables
            else f"give the folder of a firm, or make one: workbench demo {folder}"
        )
        raise NotAFirmError(f"{folder} is not a firm (no {RECORD}); {remedy}")
    try:
        content = json.loads(record.read_text())
        as_of = pd.Timestamp(content["as_of"])
        sealed = {str(name): str(value) for name, value in content["tables"].items()}
        name = str(content["name"])
        if strangers := sorted(set(sealed) - set(TABLES)):
            raise ValueError(f"unknown tables {', '.join(map(repr, strangers))}")
        if content["schema_version"] != SCHEMA_VERSION:
            raise FirmDataError(
                f"{record}: schema version {content['schema_version']}, this program reads {SCHEMA_VERSION}; "
                f"seal the folder again: workbench seal {folder} --as-of {as_of.date()}"
            )
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise FirmDataError(
            f"{record} cannot be read ({error}); seal the folder again: workbench seal {folder} --as-of DATE"
        ) from error
    present = [table for table in TABLES if table in sealed or (folder / f"{table}.parquet").exists()]
    rows = {table: _row_count(folder, table) for table in present}
    return Firm(folder, as_of, as_of, sealed, rows, name)


def write_firm(
    folder: Path | str,
    tables: Mapping[str, pd.DataFrame],
    as_of: pd.Timestamp | str,
    *,
    name: str = "",
    check: bool = True,
) -> Firm:
    """Validate `tables` and write them as one snapshot; an earlier firm in `folder` is replaced whole.

    Raises `FirmDataError` with every failing row, and then nothing is written. `check=False` is for benchmarks that
    build sound tables by construction.
    """
    folder, as_of = Path(folder), pd.Timestamp(as_of).normalize()
    unknown = sorted(set(tables) - set(TABLES))
    if unknown:
        raise FirmDataError(f"unknown tables {', '.join(unknown)}; a firm has {', '.join(TABLES)}")
    if check:
        validation.reject(validation.validate(tables, as_of), name or str(folder))
    _refuse_strangers(folder)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for table, frame in tables.items():
        pq.write_table(_to_arrow(frame), partial / f"{table}.parquet", compression="zstd")
    _write_record(partial, as_of, name or folder.name)
    # Set aside, not deleted first: whenever the process is killed, one whole snapshot is on disk.
    replaced = folder.with_name(f".{folder.name}.replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    if folder.exists():
        folder.rename(replaced)
    partial.rename(folder)
    shutil.rmtree(replaced, ignore_errors=True)
    return open_firm(folder)


def seal(folder: Path | str, as_of: pd.Timestamp | str, *, name: str = "") -> Firm:
    """Validate a folder of Parquet files as a firm and write its record; raises as `write_firm` does."""
    folder, as_of = Path(folder), pd.Timestamp(as_of).normalize()
    present = {path.stem for path in folder.glob("*.parquet")} & set(TABLES)
    if not present:
        raise NotAFirmError(f"{folder} holds no table of a firm; it needs {', '.join(TABLES)} as Parquet files")
    unsealed = Firm(folder, as_of, as_of, {}, {}, name or folder.name)
    validation.reject(validation.validate(unsealed.tables(), as_of), str(folder))
    _write_record(folder, as_of, name or folder.name)
    return open_firm(folder)


def _write_record(folder: Path, as_of: pd.Timestamp, name: str) -> None:
    hashes = {
        table: _file_hash(folder / f"{table}.parquet") for table in TABLES if (folder / f"{table}.parquet").exists()
    }
    content = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "as_of": str(as_of.date()),
        "content_hash": _content_hash(hashes, as_of),
        "tables": hashes,
    }
    partial = folder / f".{RECORD}.partial"
    partial.write_text(json.dumps(content, indent=2) + "\n")
    partial.replace(folder / RECORD)


def _content_hash(hashes: Mapping[str, str], as_of: pd.Timestamp) -> str:
    lines = [str(as_of.date()), *(f"{table} {hashes[table]}" for table in sorted(hashes))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _refuse_strangers(folder: Path) -> None:
    """Never replace a folder that is not a firm of ours: it may be somebody's work."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / RECORD).exists())):
        raise NotAFirmError(f"{folder} exists and is not a firm; give another folder or remove it first")


def _file_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _row_count(folder: Path, table: str) -> int:
    path = folder / f"{table}.parquet"
    if not path.exists():
        remedy = f"restore it, or seal the folder again: workbench seal {folder} --as-of DATE"
        raise FirmDataError(f"{path} is named in {RECORD} but is not there; {remedy}")
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> FirmDataError:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return FirmDataError(f"{path} cannot be read as Parquet ({first}); restore the file from its source")


def _kind(table: str, column: str) -> str:
    spec = TABLES[table].columns.get(column)
    return str(spec.checks[0].name) if spec is not None and spec.checks else "other"


def _to_arrow(frame: pd.DataFrame) -> pa.Table:
    table = pa.Table.from_pandas(frame.reset_index(drop=True), preserve_index=False)
    for position, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            table = table.set_column(position, column.name, table.column(position).cast(pa.date32()))
        elif pa.types.is_large_string(column.type):
            table = table.set_column(position, column.name, table.column(position).cast(pa.string()))
    return table.replace_schema_metadata(None)


def _encoded(table: pa.Table) -> pa.Table:
    for position, column in enumerate(table.schema):
        if pa.types.is_string(column.type):
            table = table.set_column(position, column.name, table.column(position).dictionary_encode())
    return table


def _to_frame(table: pa.Table, name: str) -> pd.DataFrame:
    """Arrow to pandas: dates as `datetime64[ms]`, text as pandas' string type, empty columns of the right kind."""
    for position, column in enumerate(table.schema):
        if pa.types.is_null(column.type):
            table = table.set_column(position, column.name, table.column(position).cast(_null_type(name, column.name)))
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame


def _null_type(table: str, column: str) -> pa.DataType:
    """The Arrow type of a column that holds nothing but nulls, from its kind in the schema."""
    kinds: dict[str, Any] = {
        "text": pa.string(),
        "date": pa.date32(),
        "whole number": pa.int64(),
        "true or false": pa.bool_(),
    }
    kind: pa.DataType = kinds.get(_kind(table, column), pa.float64())
    return kind
