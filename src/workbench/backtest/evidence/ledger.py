"""The ledger of trials: every policy ever tried is counted, and a line that is taken out shows."""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ParameterError, PolicyError

#: What the first line is chained to.
START = "0" * 64


@dataclass(frozen=True)
class Trial:
    """One look at data: a policy on a universe over a window, trained from a seed (None: no random training).

    `sharpe` is the Sharpe ratio of its gain, a month's and not a year's; `measure` what the gain was in. Two trials
    that agree in policy, universe, window, seed and measure are one trial looked at twice.
    """

    policy: str
    universe: str
    window: str
    seed: int | None = None
    measure: str = "total_bp"
    sharpe: float | None = None

    @property
    def key(self) -> tuple[str, str, str, int | None, str]:
        """What makes it distinct."""
        return self.policy, self.universe, self.window, self.seed, self.measure


class TrialLedger:
    """An append-only file of trials, one JSON line each, chained by SHA-256; safe to append to from many processes.

    Each line holds the hash of the one before, and a file beside it (`.head`) the count and last hash, so that lines
    changed, taken out or cut off at the end raise `PolicyError` with the line and the remedy. Whoever rewrites both
    files is found out by the `head` that every `Evidence` keeps (`contains`). There is no way to reset it.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._head_path = self.path.with_name(self.path.name + ".head")

    def record(self, trials: Sequence[Trial]) -> str:
        """Append trials and return the hash of the last line; the ledger is checked first."""
        for trial in trials:
            if trial.sharpe is not None and not math.isfinite(trial.sharpe):
                raise ParameterError(f"{trial.policy}: a trial's Sharpe ratio is a number, or None", "sharpe")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            lines = self._checked()
            head, number, added = (lines[-1]["hash"] if lines else START), len(lines), []
            for trial in trials:
                number += 1
                head = _hash(number, head, asdict(trial))
                added.append(_line(number, asdict(trial), head))
            with self.path.open("ab") as file:
                file.write("".join(added).encode())
                file.flush()
                os.fsync(file.fileno())
            self._write_head(number, head)
        return head

    def trials(self) -> tuple[Trial, ...]:
        """Every line in order, repeated trials included; raises `PolicyError` where the chain is broken."""
        if not self.path.exists() and not self._head_path.exists():
            return ()
        with self._locked():
            return tuple(Trial(**line["trial"]) for line in self._checked())

    def count(self) -> int:
        """Distinct trials ever recorded, on whatever universe."""
        return len({trial.key for trial in self.trials()})

    def sharpe_variance(
        self, *, universe: str | None = None, window: str | None = None, measure: str | None = None
    ) -> float | None:
        """Variance of the distinct trials' Sharpe ratios (the first of each), None where fewer than 2 have one.

        Ratios compare only over windows of one length: give `window`, and `measure`, where the ledger holds several.
        """
        wanted = {"universe": universe, "window": window, "measure": measure}
        found: dict[tuple[Any, ...], float] = {}
        for trial in self.trials():
            fits = all(value is None or getattr(trial, name) == value for name, value in wanted.items())
            if fits and trial.sharpe is not None:
                found.setdefault(trial.key, trial.sharpe)
        if len(found) < 2:
            return None
        mean = sum(found.values()) / len(found)
        return sum((value - mean) ** 2 for value in found.values()) / (len(found) - 1)

    def head(self) -> str:
        """The hash of the last line: kept with evidence, it proves later that nothing before it was taken out."""
        if not self.path.exists() and not self._head_path.exists():
            return START
        with self._locked():
            lines = self._checked()
        return str(lines[-1]["hash"]) if lines else START

    def contains(self, head: str) -> bool:
        """Whether a hash once returned by `head` is still in the chain."""
        if head == START:
            return True
        if not self.path.exists() and not self._head_path.exists():
            return False
        with self._locked():
            return any(line["hash"] == head for line in self._checked())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self.path.with_name(self.path.name + ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _checked(self) -> list[dict[str, Any]]:
        """All lines; raises where one is not what was written. The caller holds the lock."""
        text = self.path.read_bytes() if self.path.exists() else b""
        raw = text.split(b"\n")
        if raw[-1]:
            raise self._broken(len(raw), "is cut off: writing it was interrupted")
        lines: list[dict[str, Any]] = []
        before = START
        for number, line in enumerate(raw[:-1], start=1):
            lines.append(self._parsed(number, line, before))
            before = lines[-1]["hash"]
        if self._head_path.exists():
            self._check_head(lines)
        elif lines:
            raise self._broken(len(lines), f"cannot be checked: {self._head_path.name} is missing")
        return lines

    def _parsed(self, number: int, line: bytes, before: str) -> dict[str, Any]:
        try:
            content = json.loads(line)
            trial, stated = content["trial"], content["hash"]
            Trial(**trial)
        except (ValueError, KeyError, TypeError) as error:
            raise self._broken(number, "is no trial") from error
        if content.get("number") != number or stated != _hash(number, before, trial):
            raise self._broken(number, "does not follow the line before it: lines were changed or taken out")
        return {"trial": trial, "hash": stated}

    def _check_head(self, lines: list[dict[str, Any]]) -> None:
        """Lines after the head are an append whose head was never written; lines missing before it are a loss."""
        try:
            content = json.loads(self._head_path.read_text(encoding="utf-8"))
            count, last = int(content["count"]), str(content["hash"])
        except (ValueError, KeyError, TypeError) as error:
            raise self._broken(len(lines), f"cannot be checked: {self._head_path.name} is broken") from error
        if len(lines) < count:
            raise self._broken(len(lines) + 1, f"is missing: {count} lines were written, {len(lines)} are left")
        if count and lines[count - 1]["hash"] != last:
            raise self._broken(count, "is not the one that was written: the ledger was rewritten")

    def _write_head(self, count: int, head: str) -> None:
        temporary = self._head_path.with_name(self._head_path.name + ".new")
        temporary.write_text(json.dumps({"count": count, "hash": head}), encoding="utf-8")
        temporary.replace(self._head_path)

    def _broken(self, number: int, problem: str) -> PolicyError:
        return PolicyError(
            f"{self.path}: line {number} {problem}. The count of trials can no longer be trusted: "
            "restore the ledger and its .head from a backup."
        )


def _hash(number: int, before: str, trial: Mapping[str, Any]) -> str:
    content = json.dumps([number, before, trial], sort_keys=True, allow_nan=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _line(number: int, trial: Mapping[str, Any], head: str) -> str:
    return json.dumps({"number": number, "trial": trial, "hash": head}, sort_keys=True, allow_nan=False) + "\n"
