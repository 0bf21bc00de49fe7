"""Drift and data quality as facts of the committee's memo."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from workbench.drafting.facts import Kind
from workbench.drafting.sheets.gathering import Gathering, Reading, either
from workbench.drift import Review, cause_shares
from workbench.firm.reconcile import Findings

DRIFT = Reading("drift.aggregate", ("positions", "prices", "model_targets", "tolerances", "lots"))
CAUSES = Reading("drift.cause_shares", ("positions", "prices", "model_targets", "transactions"))
RANKING = Reading("drift.rank", ("positions", "prices", "model_targets", "tolerances", "lots"))
QUALITY = Reading("firm.reconcile", ("all tables",))
#: Figures of the whole firm by the name `Aggregate.firm` has for them: kind, metric.
_FIRM: dict[str, tuple[Kind, str]] = {
    "accounts": ("count", "accounts_measured"),
    "out_of_band": ("count", "accounts_out"),
    "share_out": ("percent", "share_out"),
    "value_share_out": ("percent", "assets_out"),
    "tracking_error": ("percent", "drift_tracking_error"),
    "breaches": ("count", "breaches"),
    "turnover_to_correct": ("money", "correction_turnover"),
    "cost_to_correct": ("money", "correction_cost"),
    "tax_to_correct": ("money", "correction_tax"),
    "tax_unknown": ("count", "accounts_without_lots"),
}
#: Accounts named first for review, and the share of a model's accounts above which its target is in question.
FIRST, MANY = 3, 0.5


def add(facts: Gathering, review: Review, models: pd.Series, slug: Callable[[object], str]) -> None:
    """Add how many accounts are out and by how much, why, where, which come first, and what a correction would take."""
    firm, known = review.aggregate.firm, len(review.ranking)
    for name, (kind, metric) in _FIRM.items():
        value = firm[name] if known or name == "accounts" else float("nan")
        if name == "tax_to_correct" and known and firm["tax_unknown"] == firm["accounts"]:
            continue  # a sum of nothing known is not zero
        if value == value:
            way = either(value, "owed", "saved") if name == "tax_to_correct" else ()
            facts.fact(f"drift.firm.{name}", kind, value, metric, DRIFT, f"firm, {name}", of=("firm",), way=way)
    unmeasured = len(review.drift.no_data)
    facts.fact("drift.firm.not_measured", "count", unmeasured, "not_measured", DRIFT, "accounts left out", of=("firm",))
    without = _without_bands(review)
    facts.fact("drift.without_bands", "count", without, "without_bands", DRIFT, "accounts without a band", of=("firm",))
    for cause, share in cause_shares(review).items():
        facts.fact(
            f"drift.cause.{cause}",
            "percent",
            share,
            f"cause_{cause}",
            CAUSES,
            f"{cause}, share",
            of=("firm",),
            decimals=0,
        )
    if known:
        _classes(facts, review, slug)
        _models(facts, review, models, slug)
        _first(facts, review, slug)


def add_findings(facts: Gathering, findings: Findings) -> None:
    """Add how many findings on the data are open, and the words of the grave ones with their remedy."""
    for severity, count in findings.counts.items():
        facts.fact(
            f"quality.findings.{severity}", "count", count, f"findings_{severity}", QUALITY, severity, of=("firm",)
        )
    grave = [finding for finding in findings if finding.severity in {"reject", "severe"}]
    for number, finding in enumerate(grave):
        cell = f"{finding.check}, {finding.table}"
        facts.fact(f"quality.grave.{number}.detail", "quote", finding.detail, "quoted", QUALITY, f"{cell}, detail")
        facts.fact(f"quality.grave.{number}.remedy", "quote", finding.remedy, "quoted", QUALITY, f"{cell}, remedy")


def _classes(facts: Gathering, review: Review, slug: Callable[[object], str]) -> None:
    """Add the widest deviation of an asset class over the whole firm."""
    by_key = review.aggregate.by_key
    rows = by_key[by_key["level"] == "asset_class"]
    value = rows["model_id"].map(review.aggregate.models.set_index("model_id")["value"])
    share = value / review.aggregate.firm["value"]
    # Weight less target of the sums, as the drift chapter has it: the sum of differences rounds otherwise.
    sums = pd.DataFrame({"key": rows["key"], "weight": rows["weight"] * share, "target": rows["target"] * share})
    frame = sums.groupby("key", sort=False).sum(skipna=False)
    deviation = (frame["weight"] - frame["target"]).dropna()
    if deviation.empty:
        return
    for name, gap in deviation.items():
        entity = facts.entity(f"asset_class:{slug(name)}", "asset_class", str(name))
        facts.fact(
            f"drift.firm.asset_class.{slug(name)}.deviation", "percent", gap, "deviation", DRIFT,
            f"firm, {name}, deviation", of=(entity,), way=either(gap, "over", "under"), unit="pp", decimals=2,
        )  # fmt: skip
    widest = str(deviation.abs().idxmax())
    facts.named("drift.widest.name", f"asset_class:{slug(widest)}", DRIFT, f"firm, {widest}")


def _models(facts: Gathering, review: Review, models: pd.Series, slug: Callable[[object], str]) -> None:
    """Add each model most of whose accounts are out in an asset class: the model or its bands may be the question."""
    by_key = review.aggregate.by_key
    rows = by_key[by_key["systemic"] & (by_key["level"] == "asset_class") & (by_key["share_out"] > MANY)]
    rows = rows.sort_values("share_out", ascending=False, kind="stable").drop_duplicates("model_id")
    for row in rows.itertuples():
        key = str(row.model_id)
        model = facts.entity(f"model:{key}", "model", str(models.get(key, key)), key)
        entity = facts.entity(f"asset_class:{slug(row.key)}", "asset_class", str(row.key))
        prefix, cell = f"drift.systemic.{slug(key)}", f"{key}, {row.key}"
        facts.named(f"{prefix}.model", model, DRIFT, key)
        facts.named(f"{prefix}.class", entity, DRIFT, cell)
        facts.fact(
            f"{prefix}.share", "percent", row.share_out, "share_out", DRIFT, f"{cell}, share_out", of=(model, entity),
            decimals=0,
        )  # fmt: skip


def _first(facts: Gathering, review: Review, slug: Callable[[object], str]) -> None:
    """Add the accounts to be looked at first, each with its score."""
    for row in review.ranking[review.ranking["breaches"] > 0].head(FIRST).itertuples():
        key = str(row.account_id)
        entity = facts.entity(f"account:{key}", "account", key)
        prefix = f"drift.account.{slug(key)}"
        facts.named(f"{prefix}.name", entity, RANKING, key)
        facts.fact(
            f"{prefix}.score", "number", row.score, "review_score", RANKING, f"{key}, score", of=(entity,), decimals=0
        )


def _without_bands(review: Review) -> int:
    """How many measured accounts are on a model without a single band: these can never be out of tolerance."""
    inputs = review.drift.inputs
    banded = np.zeros(len(inputs.model_ids), dtype=bool)
    for level in inputs.levels.values():
        banded |= (np.isfinite(level.upper) | np.isfinite(level.lower)).any(axis=1)
    return int((~banded[inputs.model]).sum())
