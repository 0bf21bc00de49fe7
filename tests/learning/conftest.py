"""A small learned policy and its card, as a training would leave them, for the tests of registry and guardrails."""

import numpy as np
import pytest

from workbench.backtest import LearnedQuadratic, Quadratic
from workbench.backtest.evidence import CONTROLS, CRITERIA
from workbench.learning import registry
from workbench.learning.card import Card, Check, Data, Familiar, Feature, Range, Window

MEMBER = 8 * 16 + 8 + 4 * 8 + 4 * 16 + 4  # hidden units x inputs, biases, outputs, linear path


@pytest.fixture(scope="session")
def learned():
    generator = np.random.default_rng(5)
    members = tuple(tuple((0.05 * generator.normal(size=MEMBER)).tolist()) for _ in range(2))
    return LearnedQuadratic(0.5, members, hidden=8)


@pytest.fixture(scope="session")
def card():
    return Card(
        name="learned horizon",
        purpose="Keeps balanced models near their target at the least cost.",
        maker="Ana Ruiz",
        made_on="2026-01-05",
        expires="2027-01-05",
        data=(
            Data("sectors", "made up", "2004-01-02", "2024-12-31", 5283, "only sectors that still exist", "ab" * 32),
        ),
        features=(
            Feature("volatility_ratio", "market", 1, "short over long volatility of the target"),
            Feature("volatility_ratio", "asset", 1),
        ),
        costs="half spreads of 5 bp, doubled in one test",
        seeds=(1, 2),
        trials=37,
        windows=(Window("sectors", "2014-01-02", "2014-12-31", 4.9, "quadratic, 0.45 y", 5.3),),
        tests=tuple(Check(name, 0.4, 0.0, True, "Passed.") for name in CRITERIA),
        controls=tuple(Check(name, 0.02, 0.05, True, "Passed.") for name in CONTROLS),
        verdict="deploy",
        known_failures=("Loses to the rule when costs triple.",),
        fallback=registry.fallback_of(Quadratic(0.45)),
        command="workbench policy train shipped",
        familiar=Familiar((Range("market volatility_ratio", 0.5, 2.0), Range("asset volatility_ratio", 0.4, 2.5))),
    )


@pytest.fixture(scope="session")
def write(learned, card):
    """Write the policy to a folder, its card changed as asked."""
    from dataclasses import replace

    def write(folder, **changes):
        return registry.save(
            folder,
            learned,
            replace(card, **changes),
            market=("volatility_ratio",),
            asset=("volatility_ratio",),
            members=2,
            layout=(("header", (3,)), ("members", (2, MEMBER))),
        )

    return write


@pytest.fixture
def folder(write, tmp_path):
    path = tmp_path / "policies" / "learned"
    write(path)
    return path
