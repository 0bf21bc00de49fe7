"""Risk, stress and early warnings as facts of the committee's memo."""

from __future__ import annotations

from collections.abc import Callable

from workbench.drafting.sheets.gathering import Gathering, Reading
from workbench.risk import FIRM, EarlyWarnings, Overview

TABLES = ("positions", "prices", "securities", "model_targets", "profiles")
OVERVIEW = Reading("risk.overview", TABLES)
WARNINGS = Reading("risk.find_warnings", TABLES)


def add(facts: Gathering, seen: Overview) -> None:
    """Add volatility, tracking error and the worst loss of all assets, and how many households tolerate less."""
    of = ("firm",)
    if FIRM in seen.groups.ids[:1]:
        facts.fact("stress.firm.value", "money", seen.groups.value[0], "assets", OVERVIEW, "all assets, value", of=of)
    if FIRM in seen.total.portfolios[:1]:
        volatility = seen.total.volatility[0]
        facts.fact("stress.firm.volatility", "percent", volatility, "volatility", OVERVIEW, "all assets", of=of)
    if FIRM in seen.active.portfolios[:1]:
        error = seen.active.volatility[0]
        facts.fact(
            "stress.firm.tracking_error", "percent", error, "assets_tracking_error", OVERVIEW, "all assets", of=of,
            decimals=2,
        )  # fmt: skip
    worst = seen.stress.worst("history")
    if FIRM in worst["portfolio"].to_list()[:1]:
        row = worst.iloc[0]
        name = str(seen.stress.moves.scenarios.set_index("id").loc[row["scenario"], "name"])
        window = facts.entity(f"period:{row['scenario']}", "period", name)
        facts.named("stress.firm.window", window, OVERVIEW, str(row["scenario"]))
        for id, kind, column in (("worst", "percent", "result"), ("worst_dollars", "money", "dollars")):
            facts.fact(
                f"stress.firm.{id}", kind, row[column], "stress_loss", OVERVIEW, f"all assets, {row['scenario']}",  # type: ignore[arg-type]
                of=(*of, window), way=("loss",) if row[column] < 0 else ("gain",),
            )  # fmt: skip
    above = int((seen.losses["verdict"] == "above").sum())
    assessed = int((seen.losses["verdict"] != "not assessable").sum())
    facts.fact("stress.firm.above", "count", above, "above_tolerance", OVERVIEW, "households above", of=of)
    facts.fact("stress.firm.assessed", "count", assessed, "households_assessed", OVERVIEW, "households assessed", of=of)


def add_warnings(facts: Gathering, warnings: EarlyWarnings, slug: Callable[[object], str]) -> None:
    """Add how many warnings are on, and of each its title, the households it touches and their dollars at stake."""
    on, every = warnings.on, tuple(warnings)
    facts.fact("warnings.on", "count", len(on), "warnings_on", WARNINGS, "warnings on", of=("firm",))
    facts.fact("warnings.all", "count", len(every), "warnings_watched", WARNINGS, "all warnings", of=("firm",))
    unmeasured = sum(warning.state == "not measured" for warning in every)
    facts.fact(
        "warnings.unmeasured", "count", unmeasured, "warnings_unmeasured", WARNINGS, "not measured", of=("firm",)
    )
    for warning in on:
        stem, cell = f"warnings.{slug(warning.id)}", str(warning.id)
        of = (facts.entity(f"restriction:{warning.id}", "restriction", warning.limit.title),)
        facts.named(f"{stem}.title", of[0], WARNINGS, f"{cell}, title")
        touched, dollars = warning.households, warning.dollars
        facts.fact(f"{stem}.households", "count", touched, "households_touched", WARNINGS, f"{cell}, households", of=of)
        facts.fact(f"{stem}.dollars", "money", dollars, "at_stake", WARNINGS, f"{cell}, dollars", of=of)
