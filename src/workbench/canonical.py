"""Canonical JSON (RFC 8785): one spelling for one value, so that equal things have equal hashes.

Keys are sorted by UTF-16 code units, nothing is indented, text is escaped as little as the standard allows, and
numbers are written as ECMAScript writes them: the shortest digits that read back as the same double.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from json.encoder import encode_basestring

from workbench.errors import ParameterError

#: Whole numbers beyond this are not exact in the doubles that JSON numbers are (RFC 8785, 3.2.2.3).
MAX_EXACT = 2**53 - 1


def canonical(value: object) -> bytes:
    """Return a value of dicts, lists, text, numbers, booleans and None as canonical JSON in UTF-8.

    Raises `ParameterError` for what JSON cannot say: a number that is not finite, a whole number beyond 2^53 - 1,
    text that is not Unicode (a lone surrogate), a key that is not text, any other type.
    """
    try:
        return _written(value).encode()
    except UnicodeEncodeError as error:
        raise ParameterError(
            f"text {error.object[error.start : error.end]!r} is not Unicode (a lone surrogate); correct its source"
        ) from error


def number(value: float) -> str:
    """Return a double as ECMAScript's Number::toString does (ECMA-262, 6.1.6.1.20).

    Raises `ParameterError` for a number that is not finite.
    """
    if not math.isfinite(value):
        raise ParameterError(f"{value} cannot be written; only finite numbers have a canonical form")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, point = _shortest(abs(value))
    n_digits = len(digits)
    if n_digits <= point <= 21:
        return sign + digits + "0" * (point - n_digits)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    mantissa = digits[0] + (f".{digits[1:]}" if n_digits > 1 else "")
    return f"{sign}{mantissa}e{point - 1:+d}"


def plain(value: float) -> str:
    """Return a double in plain decimal notation, never with an exponent; it reads back as the same double.

    Raises `ParameterError` for a number that is not finite.
    """
    if not math.isfinite(value):
        raise ParameterError(f"{value} cannot be written; only finite numbers have a canonical form")
    if value == 0:
        return "0"
    digits, point = _shortest(abs(value))
    whole, part = ("0", "0" * -point + digits) if point <= 0 else (digits[:point].ljust(point, "0"), digits[point:])
    return ("-" if value < 0 else "") + whole + (f".{part}" if part else "")


def _shortest(value: float) -> tuple[str, int]:
    """Shortest digits d1 d2 ... and the place of the point: value = 0.d1d2... x 10^point. `repr` finds the digits."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, part = mantissa.partition(".")
    part = "" if part == "0" else part
    point = len(whole) + int(exponent or 0)
    digits = whole + part
    stripped = digits.lstrip("0")
    return stripped.rstrip("0"), point - (len(digits) - len(stripped))


def _written(value: object) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring(value)  # type: ignore[arg-type]
    if kind is float:
        return number(value)  # type: ignore[arg-type]
    if isinstance(value, Mapping):
        return "{" + ",".join([opening + _written(value[key]) for key, opening in _sorted_keys(tuple(value))]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([_written(item) for item in value]) + "]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        if abs(value) > MAX_EXACT:
            raise ParameterError(f"{value} is beyond 2^53 - 1 and not exact as a JSON number; write it as text")
        return str(int(value))
    if isinstance(value, str | float):  # subclasses, such as numpy's
        return encode_basestring(str(value)) if isinstance(value, str) else number(float(value))
    raise ParameterError(f"{kind.__name__} has no canonical JSON; give text, numbers, lists and dicts")


@functools.lru_cache(maxsize=256)
def _sorted_keys(keys: tuple[object, ...]) -> tuple[tuple[str, str], ...]:
    """The keys of an object in order, each with its opening: "key":."""
    texts = [key for key in keys if isinstance(key, str)]
    if len(texts) != len(keys):
        raise ParameterError("a key of a JSON object must be text")
    ordered = sorted(texts, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
    return tuple((key, f"{encode_basestring(key)}:") for key in ordered)
