"""SHA-256 of blocks of rows of an Arrow table, whatever their order and however the file spells their values.

Rows are brought into order by owner and then by a 64-bit mix of the table's key; each owner's block of every column
(lengths, bytes of text, eight bytes a number, which values are missing) goes into one SHA-256. No row becomes a Python
object, so that ten million rows take seconds. The mix only orders rows. It is not what protects them: two keys of one
owner with the same mix would at worst show a change where only the order changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.canonical import canonical
from workbench.firm import TABLES

Codes = NDArray[np.int64]
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_CHUNK = 1 << 22


def row_digests(name: str, table: pa.Table, owner: Codes, n: int) -> NDArray[np.uint8]:
    """As `block_digests`, as an array of n rows of 32 bytes."""
    return np.frombuffer(b"".join(block_digests(name, table, owner, n)), np.uint8).reshape(n, 32)


def block_digests(name: str, table: pa.Table, owner: Codes, n: int) -> list[bytes]:
    """SHA-256 of each owner's rows of the firm's table `name`; `owner` is each row's place from 0 to n - 1."""
    columns = [column for column in sorted(TABLES[name].columns) if column in table.column_names]
    opening = canonical({"table": name, "columns": columns})
    counts = np.bincount(owner, minlength=n).astype(np.int64) if owner.size else np.zeros(n, np.int64)
    bounds = np.concatenate([[0], np.cumsum(counts)])
    digests = [hashlib.sha256(opening + int(count).to_bytes(8, "little")) for count in counts]
    if table.num_rows:
        order = np.lexsort((_mix(name, table), owner))
        missing = np.zeros(order.size, "<u8")
        for place, column in enumerate(columns):
            values = _one_chunk(name, column, table).take(pa.array(order))
            missing |= values.is_null().to_numpy(zero_copy_only=False).astype("<u8") << np.uint64(place)
            for body, starts in _buffers(values, bounds):
                _update(digests, body, starts)
        _update(digests, missing.view(np.uint8), 8 * bounds)
    return [digest.digest() for digest in digests]


def _update(digests: list[Any], body: NDArray[np.uint8], starts: Codes) -> None:
    view, edges = body.data, starts.tolist()
    for digest, first, last in zip(digests, edges, edges[1:]):
        digest.update(view[first:last])


def _mix(name: str, table: pa.Table) -> NDArray[np.uint64]:
    """A 64-bit mix of each row's key columns."""
    mixed = np.zeros(table.num_rows, np.uint64)
    for column in TABLES[name].key:
        values = _one_chunk(name, column, table)
        if pa.types.is_large_string(values.type):
            part = _mix_text(values)
        else:
            part = np.ascontiguousarray(_numbers(values).to_numpy(zero_copy_only=False)).view(np.uint64)
        with np.errstate(over="ignore"):
            mixed = (mixed ^ part) * _MULTIPLIER
            mixed ^= mixed >> np.uint64(29)
    return mixed


def _mix_text(values: Any) -> NDArray[np.uint64]:
    """Sum over a text's bytes of (byte + 1) times an odd number of its place, modulo 2^64."""
    offsets, body = _text(values)
    lengths = np.diff(offsets)
    made = np.zeros(lengths.size, np.uint64)
    for first in range(0, lengths.size, _CHUNK):
        last = min(first + _CHUNK, lengths.size)
        part = body[offsets[first] : offsets[last]].astype(np.uint64) + np.uint64(1)
        starts = offsets[first:last] - offsets[first]
        place = np.arange(part.size, dtype=np.int64) - np.repeat(starts, lengths[first:last])
        with np.errstate(over="ignore"):
            weight = (place.astype(np.uint64) + np.uint64(1)) * _MULTIPLIER
            weight = (weight ^ (weight >> np.uint64(31))) * _MULTIPLIER | np.uint64(1)
            running = np.concatenate([[np.uint64(0)], np.cumsum(part * weight, dtype=np.uint64)])
            made[first:last] = running[starts + lengths[first:last]] - running[starts]
    return made


def _buffers(values: Any, bounds: Codes) -> Iterator[tuple[NDArray[np.uint8], Codes]]:
    """Yield (bytes, byte offsets of each owner's block) of an ordered column: one pair for numbers, two for text."""
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        rows = [canonical(sorted(map(str, row or ()))).decode() for row in values.to_pylist()]
        values = pa.array(rows, pa.large_string())
    if pa.types.is_large_string(values.type):
        offsets, body = _text(pc.fill_null(values, ""))
        yield np.diff(offsets).astype("<i8").view(np.uint8), 8 * bounds
        yield body, offsets[bounds]
    else:
        numbers = np.ascontiguousarray(_numbers(values).to_numpy(zero_copy_only=False), "<f8")
        yield numbers.view(np.uint8), 8 * bounds


def _numbers(values: Any) -> Any:
    """Dates as days, whole numbers, fractions and flags as doubles; missing as zero, and zero without a sign."""
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.date32())
    if pa.types.is_date(values.type):
        values = values.cast(pa.date32()).cast(pa.int32())
    filled: Any = pc.fill_null(values.cast(pa.float64()), 0.0)
    return pc.add(filled, 0.0)


def _text(values: Any) -> tuple[Codes, NDArray[np.uint8]]:
    """Offsets from zero, and the bytes, of a large text array."""
    _, offset_buffer, body = values.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64)[values.offset : values.offset + len(values) + 1]
    data = np.zeros(0, np.uint8) if body is None else np.frombuffer(body, np.uint8)[offsets[0] : offsets[-1]]
    return offsets - offsets[0], data


def _one_chunk(name: str, column: str, table: pa.Table) -> Any:
    """A column as one array of the kind that the schema says: how the file happens to spell it must not count.

    Dictionaries differ from chunk to chunk and file to file, and a column of nothing but nulls has no type at all.
    """
    chunked: Any = table[column]
    checks = TABLES[name].columns[column].checks
    if checks and checks[0].name == "text":
        plain = chunked.type.value_type if pa.types.is_dictionary(chunked.type) else chunked.type
        chunked = chunked.cast(plain).cast(pa.large_string())
    if chunked.num_chunks == 1:
        return chunked.chunk(0)
    return pa.concat_arrays(chunked.chunks) if chunked.num_chunks else pa.array([], chunked.type)
