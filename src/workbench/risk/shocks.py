"""The stresses a firm looks at: windows of its price history and shocks of factors or asset classes. Data, not code.

`shocks.yml` beside this file holds those that come with the workbench, with their reasons. A firm's own file has the
same form and replaces them. It is read strictly: a word or number that would be read otherwise than meant is an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from workbench.errors import ParameterError
from workbench.risk.limits import read_yaml

#: A file of stresses is a page or two, and a report shows some of them.
_LARGEST_FILE = 100_000
_MOST = 50
_LONGEST_TEXT = 400
_ID = re.compile(r"[a-z][a-z0-9_]{0,59}")
PACKAGED = "shocks.yml"


@dataclass(frozen=True)
class Window:
    """A stretch of the past, from the close of `first` to the close of `last`, and why it is looked at."""

    id: str
    name: str
    first: pd.Timestamp
    last: pd.Timestamp
    why: str = ""


@dataclass(frozen=True)
class ShockSet:
    """Instant moves (simple returns) of `factors` and of every security of `asset_classes`, all else unchanged.

    With `propagate` the factors not named move to their mean given those that are.
    """

    id: str
    name: str
    factors: Mapping[str, float] = field(default_factory=dict)
    asset_classes: Mapping[str, float] = field(default_factory=dict)
    propagate: bool = False
    why: str = ""
    source: str = ""


@dataclass(frozen=True)
class Scenarios:
    """All stresses, and how securities without data are treated.

    `least_covered` is the part of a portfolio that must have data of its own. `proxy` says what stands in for a
    security without: its class's average, or nothing; `proxies` names a security for a security, and comes first.
    `tolerated_volatilities` is how many of a profile's tolerated volatilities a loss may be. `left_out` names the
    factors and classes of the packaged file that this firm does not have, `unanswered` shocks that no estimate of
    exposures is there for.
    """

    windows: tuple[Window, ...]
    shocks: tuple[ShockSet, ...]
    least_covered: float = 0.7
    proxy: Literal["asset_class", "none"] = "asset_class"
    proxies: Mapping[str, str] = field(default_factory=dict)
    tolerated_volatilities: float = 3.0
    source: str = ""
    left_out: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()

    def for_universe(self, factors: Sequence[str], asset_classes: Sequence[str]) -> Scenarios:
        """Check the shocks against the factors and asset classes there are.

        A firm's own file must name known ones: raises `ParameterError` with the nearest name. The packaged file is for
        any firm: what this one does not have is dropped and named in `left_out`.
        """
        if self.source != PACKAGED:
            for shock in self.shocks:
                _check_names(shock, "factor", shock.factors, factors)
                _check_names(shock, "asset class", shock.asset_classes, asset_classes)
            return self
        kept, left_out = [], []
        for shock in self.shocks:
            part = replace(
                shock,
                factors={name: value for name, value in shock.factors.items() if name in factors},
                asset_classes={name: value for name, value in shock.asset_classes.items() if name in asset_classes},
            )
            left_out += [
                n for n in (*shock.factors, *shock.asset_classes) if n not in (*part.factors, *part.asset_classes)
            ]
            if part.factors or part.asset_classes:
                kept.append(part)
        return replace(self, shocks=tuple(kept), left_out=tuple(dict.fromkeys(left_out)))

    def without_factors(self, asset_classes: Sequence[str]) -> Scenarios:
        """Keep the shocks of asset classes alone, for a firm without any estimate of exposures; the others are named
        in `unanswered`.
        """
        kept = tuple(shock for shock in self.shocks if not shock.factors)
        gone = tuple(shock.name for shock in self.shocks if shock.factors)
        return replace(self, shocks=kept, unanswered=gone).for_universe((), asset_classes)


def load_scenarios(path: Path | str | None = None) -> Scenarios:
    """Read the packaged stresses, or a firm's own YAML file in their place.

    Raises `ParameterError` naming the file and the entry: what cannot be read, more than a page, unknown or repeated
    keys, aliases, tags, a date that is none or out of order, a shock that is no number or below a total loss.
    """
    if path is None:
        return parse_scenarios(files("workbench.risk").joinpath(PACKAGED).read_text(encoding="utf-8"), PACKAGED)
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"stresses {path} cannot be read ({error}); give a UTF-8 text file", "scenarios") from None
    if len(content) > _LARGEST_FILE:
        raise ParameterError(f"stresses {path} are larger than {_LARGEST_FILE:,} bytes; a page is enough", "scenarios")
    # A firm may call its own file as it likes; only the packaged one is for every firm.
    return replace(parse_scenarios(text, Path(path).name), source=str(path))


def parse_scenarios(text: str, name: str) -> Scenarios:
    """Make scenarios of YAML text; `name` is what messages call it. Raises as `load_scenarios`."""
    try:
        raw = read_yaml(text, name)
    except ParameterError as error:
        raise ParameterError(str(error), "scenarios") from None
    _known(raw, ("settings", "windows", "shocks", "proxies"), name)
    sections = {key: _mapping(raw.get(key), f"{name}: {key}") for key in ("settings", "windows", "shocks", "proxies")}
    treated = _settings(sections["settings"], name)
    for key in ("windows", "shocks"):
        if len(sections[key]) > _MOST:
            raise ParameterError(f"{name}: {len(sections[key])} {key}; give {_MOST} at most", "scenarios")
    if not sections["windows"] and not sections["shocks"]:
        raise ParameterError(f"{name}: neither windows nor shocks; give one", "scenarios")
    if both := sorted(set(sections["windows"]) & set(sections["shocks"])):
        raise ParameterError(f"{name}: {both[0]} is a window and a shock; give each its own id", "scenarios")
    return Scenarios(
        windows=tuple(_window(id, entry, name) for id, entry in sections["windows"].items()),
        shocks=tuple(_shock(id, entry, name) for id, entry in sections["shocks"].items()),
        proxies={key: _text(value, f"{name}: proxies.{key}") for key, value in sections["proxies"].items()},
        source=name,
        **treated,
    )


def _settings(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    _known(raw, ("least_covered", "proxy", "tolerated_volatilities"), f"{name}: settings")
    result: dict[str, Any] = {}
    for key, low, high in (("least_covered", 0.0, 1.0), ("tolerated_volatilities", 0.1, 20.0)):
        if key in raw:
            result[key] = _number(raw[key], f"{name}: settings.{key}", low, high)
    if "proxy" in raw:
        if raw["proxy"] not in ("asset_class", "none"):
            raise ParameterError(f"{name}: settings.proxy is {raw['proxy']!r}; write asset_class or none", "scenarios")
        result["proxy"] = raw["proxy"]
    return result


def _window(id: str, raw: object, name: str) -> Window:
    where = f"{name}: windows.{id}"
    entry = _mapping(raw, where)
    _check_id(id, where)
    _known(entry, ("name", "from", "to", "why"), where)
    first, last = (_day(entry.get(key), f"{where}.{key}") for key in ("from", "to"))
    if first >= last:
        raise ParameterError(f"{where} goes from {first.date()} to {last.date()}; give a later end", "scenarios")
    return Window(
        id, _text(entry.get("name"), f"{where}.name"), first, last, _optional(entry.get("why"), f"{where}.why")
    )


def _shock(id: str, raw: object, name: str) -> ShockSet:
    where = f"{name}: shocks.{id}"
    entry = _mapping(raw, where)
    _check_id(id, where)
    _known(entry, ("name", "factors", "asset_classes", "propagate", "why", "source"), where)
    moves = {
        key: {
            factor: _number(value, f"{where}.{key}.{factor}", -1.0, 10.0)
            for factor, value in _mapping(entry.get(key), f"{where}.{key}").items()
        }
        for key in ("factors", "asset_classes")
    }
    if not moves["factors"] and not moves["asset_classes"]:
        raise ParameterError(f"{where} shocks nothing; give factors or asset_classes", "scenarios")
    propagate = entry.get("propagate", False)
    if not isinstance(propagate, bool):
        raise ParameterError(f"{where}.propagate is {propagate!r}; write true or false", "scenarios")
    if propagate and moves["asset_classes"]:
        raise ParameterError(
            f"{where} propagates shocks of asset classes; only those of factors can be: name the factors", "scenarios"
        )
    why, source = (_optional(entry.get(key), f"{where}.{key}") for key in ("why", "source"))
    if not why and not source:
        raise ParameterError(f"{where} has neither why nor source; say where the figures come from", "scenarios")
    name_shown = _text(entry.get("name"), f"{where}.name")
    return ShockSet(id, name_shown, moves["factors"], moves["asset_classes"], propagate, why, source)


def _check_names(shock: ShockSet, what: str, given: Mapping[str, float], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(name, list(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
            raise ParameterError(f"shock {shock.id}: there is no {what} {name!r}; {hint}", "scenarios")


def _mapping(raw: object, where: str) -> dict[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise ParameterError(f"{where} must be a mapping of names to values", "scenarios")
    return raw


def _known(raw: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in raw:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise ParameterError(f"{where}: unknown key {key!r}; {hint}", "scenarios")


def _check_id(id: str, where: str) -> None:
    if not _ID.fullmatch(id):
        raise ParameterError(f"{where}: an id is lower-case letters, digits and _, such as crisis_2008", "scenarios")


def _number(raw: object, where: str, low: float, high: float) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw) or not low <= raw <= high:
        raise ParameterError(
            f"{where} is {raw!r}; give a number from {low:g} to {high:g} (a tenth is 0.1)", "scenarios"
        )
    return float(raw)


def _day(raw: object, where: str) -> pd.Timestamp:
    if isinstance(raw, str):
        with suppress(ValueError):
            raw = date.fromisoformat(raw)
    if type(raw) is not date:  # a datetime is a date too, but has an hour
        raise ParameterError(f"{where} is {raw!r}; write a date as 2020-02-19", "scenarios")
    return pd.Timestamp(raw)


def _text(raw: object, where: str) -> str:
    if not isinstance(raw, str) or not raw.strip() or len(raw) > _LONGEST_TEXT:
        raise ParameterError(
            f"{where} must be words, {_LONGEST_TEXT} characters at most, is {str(raw)[:40]!r}", "scenarios"
        )
    return raw.strip()


def _optional(raw: object, where: str) -> str:
    return "" if raw is None else _text(raw, where)
