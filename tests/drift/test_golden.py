"""The figures of the drift chapter on a fixed demo firm, to the last digit that matters.

A change here is a change of what the committee reads: look at it, explain it in the commit, then write the new
figures with `python tests/drift/test_golden.py`.
"""

import json
from pathlib import Path

import pytest

from workbench import drift
from workbench.firm import open_firm
from workbench.firm.demo import build_firm

GOLDEN = Path(__file__).with_name("golden.json")


def figures(folder):
    build_firm(folder, seed=7, as_of="2022-12-28", accounts=40)
    review = drift.review(open_firm(folder))
    by_key = review.aggregate.by_key
    classes = by_key[by_key["level"] == "asset_class"]
    first = review.ranking.head(5)
    account = str(first["account_id"].iloc[0])
    causes = review.causes.level("asset_class", [account]).set_index("key")[list(drift.CAUSES)]
    return {
        "firm": {name: float(value) for name, value in review.aggregate.firm.items()},
        "asset_class_deviation": {f"{row.model_id} {row.key}": float(row.deviation) for row in classes.itertuples()},
        "ranking": {str(row.account_id): float(row.score) for row in first.itertuples()},
        "drivers": list(first["driver"]),
        "causes_of_the_first": {
            f"{key} {cause}": float(value) for key, line in causes.iterrows() for cause, value in line.items()
        },
        "cause_shares": {str(cause): float(share) for cause, share in drift.cause_shares(review).items()},
    }


def test_the_drift_chapter_says_what_it_said(tmp_path):
    now, golden = figures(tmp_path / "firm"), json.loads(GOLDEN.read_text())
    assert now["drivers"] == golden.pop("drivers")
    for name, expected in golden.items():
        assert now[name] == pytest.approx(expected, rel=1e-9, abs=1e-11), name


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as temporary:
        GOLDEN.write_text(json.dumps(figures(Path(temporary) / "firm"), indent=1) + "\n")
