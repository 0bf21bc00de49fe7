"""Rolling validation: what new windows say of a policy in shadow or in force; a proposal to a person, never an act."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from workbench.errors import ParameterError
from workbench.learning.card import Check

State = Literal["shadow", "live"]


@dataclass(frozen=True)
class RollingRules:
    """When to propose what.

    Fewer than `windows` new windows decide nothing. Promotion needs a mean gain whose `confidence` interval lies above
    0, gains in `wins` of the windows, and guardrails that stepped in at no more than `interventions` of the looks. An
    interval below 0, or guardrails above `retire_interventions`, proposes to retire.
    """

    windows: int = 4
    wins: float = 0.6
    confidence: float = 0.95
    interventions: float = 0.05
    retire_interventions: float = 0.25

    def __post_init__(self) -> None:
        if self.windows < 2:
            raise ParameterError(f"{self.windows} windows give no interval; ask for at least 2", "windows")
        for name in ("wins", "confidence", "interventions", "retire_interventions"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ParameterError(f"{name} is {getattr(self, name)}; give a part of 1", name)


@dataclass(frozen=True)
class RollingDecision:
    """A proposal for a person to decide: promote, keep or retire, with the checks behind it.

    Nothing follows from it by itself: `state` is what the policy was and still is. `evidence` is the windows' hash.
    """

    policy: str
    content_hash: str
    state: str
    decision: Literal["promote", "keep", "retire"]
    sentence: str
    checks: tuple[Check, ...]
    windows: int
    gain_bp: float
    low_bp: float
    high_bp: float
    evidence: str

    def to_frame(self) -> pd.DataFrame:
        """A row a check: name, value, threshold, passed, sentence."""
        return pd.DataFrame([vars(check) for check in self.checks])


def review(
    windows: pd.DataFrame,
    *,
    policy: str,
    content_hash: str,
    state: State,
    intervened: float,
    rules: RollingRules = RollingRules(),
) -> RollingDecision:
    """Hold new windows against the rules.

    `windows` has a row for each window since the last decision, not overlapping: first, last, policy_bp and rule_bp
    (total cost, bp a year); `intervened` is the part of looks at which guardrails stepped in
    (`shadow.summary(...).intervened`). The interval is Student's over windows. Raises `ParameterError` for columns or
    values that are missing, windows that overlap, a wrong state.
    """
    if state not in ("shadow", "live"):
        raise ParameterError(f"the state {state!r} is not shadow or live", "state")
    if not 0.0 <= intervened <= 1.0:
        raise ParameterError(f"guardrails stepped in at {intervened} of the looks; give a part of 1", "intervened")
    frame = _checked(windows)
    gain = (frame["rule_bp"] - frame["policy_bp"]).to_numpy(float)
    mean, low, high = _interval(gain, rules.confidence)
    checks = _checks(gain, mean, low, intervened, rules)
    decision = _decision(state, checks, len(gain), high, intervened, rules)
    return RollingDecision(
        policy=policy,
        content_hash=content_hash,
        state=state,
        decision=decision,
        sentence=_sentence(policy, state, decision, len(gain), mean, low, high, rules),
        checks=checks,
        windows=len(gain),
        gain_bp=mean,
        low_bp=low,
        high_bp=high,
        evidence=hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest(),
    )


def _checked(windows: pd.DataFrame) -> pd.DataFrame:
    columns = ["first", "last", "policy_bp", "rule_bp"]
    missing = [name for name in columns if name not in windows]
    if missing:
        raise ParameterError(f"the windows have no column {missing[0]!r}; give {', '.join(columns)}", "windows")
    frame = windows[columns].sort_values("first").reset_index(drop=True)
    if frame.isna().any(axis=None) or not np.isfinite(frame[["policy_bp", "rule_bp"]].to_numpy(float)).all():
        raise ParameterError("a window has no figure; measure it or leave the window out", "windows")
    overlap = frame["first"].iloc[1:].to_numpy() <= frame["last"].iloc[:-1].to_numpy()
    if overlap.any():
        row = frame.iloc[int(np.argmax(overlap)) + 1]
        raise ParameterError(
            f"the window that begins on {row['first']} overlaps the one before; give separate ones", "windows"
        )
    return frame


def _interval(gain: np.ndarray, confidence: float) -> tuple[float, float, float]:
    if len(gain) < 2:
        return (float(gain[0]) if len(gain) else 0.0), -math.inf, math.inf
    mean, error = float(gain.mean()), float(gain.std(ddof=1)) / math.sqrt(len(gain))
    width = float(stdtrit(len(gain) - 1, 0.5 + confidence / 2)) * error
    return mean, mean - width, mean + width


def _checks(gain: np.ndarray, mean: float, low: float, intervened: float, rules: RollingRules) -> tuple[Check, ...]:
    wins = float((gain > 0).mean()) if len(gain) else 0.0
    bound = low if math.isfinite(low) else 0.0
    return (
        Check(
            "windows",
            float(len(gain)),
            float(rules.windows),
            len(gain) >= rules.windows,
            f"{len(gain)} new windows; {rules.windows} are needed before anything is decided.",
        ),
        Check(
            "gain",
            bound,
            0.0,
            math.isfinite(low) and low > 0,
            f"The policy saves {mean:+.2f} bp a year against the rule; "
            + (
                f"at worst {low:+.2f} at {rules.confidence:.0%} confidence."
                if math.isfinite(low)
                else "no interval yet."
            ),
        ),
        Check("wins", wins, rules.wins, wins >= rules.wins, f"It was cheaper in {wins:.0%} of the windows."),
        Check(
            "guardrails",
            intervened,
            rules.interventions,
            intervened <= rules.interventions,
            f"Guardrails stepped in at {intervened:.1%} of the looks; {rules.interventions:.1%} is acceptable.",
        ),
    )


def _decision(
    state: str, checks: tuple[Check, ...], windows: int, high: float, intervened: float, rules: RollingRules
) -> Literal["promote", "keep", "retire"]:
    if windows < rules.windows:
        return "keep"
    if high < 0 or intervened > rules.retire_interventions:
        return "retire"
    return "promote" if state == "shadow" and all(check.passed for check in checks) else "keep"


def _sentence(
    policy: str, state: str, decision: str, windows: int, mean: float, low: float, high: float, rules: RollingRules
) -> str:
    now = "in shadow mode" if state == "shadow" else "in force"
    if windows < rules.windows:
        return f"{policy} stays {now}: {windows} of {rules.windows} windows are there. Nothing was changed."
    found = f"{mean:+.2f} bp a year against the rule ({low:+.2f} to {high:+.2f}) over {windows} windows"
    asked = {
        "promote": "proposed for approval",
        "keep": f"proposed to stay {now}",
        "retire": "proposed to be retired; its rule would act",
    }[decision]
    return f"{policy} is {asked}: {found}. Nothing was changed; a person decides."
