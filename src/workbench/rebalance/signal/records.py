"""A proposal's records as plain JSON values and back, led by the declared types of its dataclasses.

Money becomes decimal text at full precision, days ISO dates, tuples lists; every other number stays a number. Nothing
is guessed: a value of another type than the declared one is an error that names its place.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable
from datetime import date
from typing import Any, Literal

from workbench.canonical import plain
from workbench.errors import PackageError, ParameterError

#: Fields that hold money, written as decimal text. All other numbers are shares, weights, rates and counts.
MONEY = {
    "LotSale": {"proceeds", "basis", "gain", "tax", "disallowed"},
    "Refusal": {"amount"},
    "Reason": {"waiting_saves"},
    "Trade": {"price", "amount", "cost", "fee", "gain_short", "gain_long", "tax"},
    "AccountState": {"value", "cash_before", "cash_after", "cash_floor", "cash_ceiling", "traded"},
    "GroupState": {"value"},
    "TaxTable": {
        "realised_short", "realised_long", "proposed_short", "proposed_long", "carryforward_short",
        "carryforward_long", "carryforward_after_short", "carryforward_after_long", "budget", "budget_used_before",
        "budget_used_after", "losses_harvested", "disallowed", "tax",
    },
    "CashNeed": {"needed", "available_before", "available_after"},
    "Note": {"amount"},
    "Proposal": {"benefit", "tax", "cost"},
}  # fmt: skip


@functools.cache
def _fields(kind: type) -> tuple[tuple[str, Any, bool], ...]:
    """Name, type and whether it is money, of each field of a dataclass."""
    hints = typing.get_type_hints(kind)
    money = MONEY.get(kind.__name__, set())
    return tuple((field.name, hints[field.name], field.name in money) for field in dataclasses.fields(kind))


#: Turns a value into what JSON can say; the second argument names its place for errors.
Writer = Callable[[Any, str], Any]


@functools.cache
def writer(kind: Any, money: bool = False) -> Writer:
    """Return the writer of a declared type, put together once: thirty trades hold three thousand values.

    A writer raises `ParameterError` naming the place of a value of another type or a number that is not finite.
    """
    if dataclasses.is_dataclass(kind):
        return _record_writer(typing.cast(type, kind))
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        present = writer(parts[0], money)
        return lambda value, place: None if value is None else present(value, place)
    if origin is tuple:
        return _tuple_writer(parts)
    if origin is Literal:
        return _choice_writer(parts)
    return {float: _money_text if money else _number, int: _whole, str: _text, bool: _flag, date: _day}[kind]


def _record_writer(kind: type) -> Writer:
    fields = [(name, writer(hint, money), f".{name}") for name, hint, money in _fields(kind)]

    def write(value: Any, place: str) -> dict[str, Any]:
        if type(value) is not kind:
            raise _wrong(place, kind.__name__, value)
        return {name: write_field(getattr(value, name), place + suffix) for name, write_field, suffix in fields}

    return write


def _tuple_writer(parts: tuple[Any, ...]) -> Writer:
    def write(value: Any, place: str) -> list[Any]:
        if not isinstance(value, tuple):
            raise _wrong(place, "tuple", value)
        return [writer(part)(item, f"{place}[{i}]") for i, (part, item) in enumerate(_paired(parts, value, place))]

    return write


def _choice_writer(choices: tuple[Any, ...]) -> Writer:
    def write(value: Any, place: str) -> str:
        if value not in choices:
            raise ParameterError(f"{place}: {value!r} is none of {', '.join(choices)}", place)
        return str(value)

    return write


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        raise _wrong(place, "number", value)
    plain_float = float(value)
    if not math.isfinite(plain_float):
        raise ParameterError(f"{place}: {value} is not finite; a proposal holds finite numbers or None", place)
    return plain_float


def _money_text(value: Any, place: str) -> str:
    return plain(_number(value, place))


def _whole(value: Any, place: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _wrong(place, "whole number", value)
    return int(value)


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise _wrong(place, "text", value)
    return str(value)


def _flag(value: Any, place: str) -> bool:
    if not isinstance(value, bool) and type(value).__name__ != "bool":  # numpy has a bool of its own
        raise _wrong(place, "true or false", value)
    return bool(value)


def _day(value: Any, place: str) -> str:
    if type(value) is not date:
        raise _wrong(place, "date without time", value)
    return value.isoformat()


def _wrong(place: str, needed: str, value: Any) -> ParameterError:
    return ParameterError(f"{place}: a {needed} is needed, not {value!r:.80}", place)


def _paired(parts: tuple[Any, ...], values: Any, place: str) -> list[tuple[Any, Any]]:
    """Each item with its type: tuple[X, ...] of any length, tuple[X, Y] of its own."""
    if len(parts) == 2 and parts[1] is Ellipsis:
        return [(parts[0], value) for value in values]
    if len(parts) != len(values):
        raise ParameterError(f"{place}: {len(parts)} items are needed, not {len(values)}", place)
    return list(zip(parts, values))


def read_record(kind: Any, value: Any, place: str, money: bool = False) -> Any:
    """The inverse of a type's writer; raises `PackageError` naming the place."""
    if dataclasses.is_dataclass(kind):
        fields = _fields(typing.cast(type, kind))
        names = {name for name, _, _ in fields}
        if not isinstance(value, dict) or set(value) != names:
            odd = sorted(names ^ set(value)) if isinstance(value, dict) else [type(value).__name__]
            raise PackageError(f"{place}: fields missing or unknown: {', '.join(odd)}")
        return typing.cast(type, kind)(
            **{name: read_record(hint, value[name], f"{place}.{name}", is_money) for name, hint, is_money in fields}
        )
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else read_record(parts[0], value, place, money)
    try:
        if origin is tuple and isinstance(value, list):
            return tuple(
                read_record(part, item, f"{place}[{i}]") for i, (part, item) in enumerate(_paired(parts, value, place))
            )
        if kind is date and isinstance(value, str):
            return date.fromisoformat(value)
        if kind is float and (isinstance(value, str) if money else type(value) in (int, float)):
            return float(value)
        if (origin is Literal and value in parts) or (kind in (str, int, bool) and type(value) is kind):
            return value
    except (ValueError, TypeError, OverflowError, ParameterError) as error:
        raise PackageError(f"{place}: {error}") from error
    raise PackageError(f"{place}: {value!r} is not a {getattr(kind, '__name__', kind)}")
