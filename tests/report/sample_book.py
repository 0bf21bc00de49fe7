"""A small book of synthetic exhibits, used by the report tests and to look at the style."""

from __future__ import annotations

import json
import math
from typing import Any

from workbench.report import (
    Badge,
    CalloutBody,
    Column,
    Exhibit,
    Fact,
    Kpi,
    KpiBody,
    Link,
    Missing,
    ProseBody,
    Settings,
    Strong,
    TableBody,
    figures,
)
from workbench.report.book import Book, Chapter

AS_OF = "2022-12-28"
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"onmouseover="alert(3)',
    "<img src=x onerror=alert(4)>",
    "=cmd|'/c calc'!A1",
    "{{ 7 * 7 }}",
    "evil\u202egnp.exe",
    "[click](javascript:alert(5))",
)
SETTINGS = Settings(
    AS_OF, "market value, gross of fees", "book of record 3f9a12c4, tables positions, prices, model_targets"
)
SECTORS = (
    "Information Technology", "Health Care", "Financials", "Consumer Discretionary", "Industrials",
    "Communication Services", "Energy",
)  # fmt: skip
ACTUAL = (0.284, 0.151, 0.118, 0.093, 0.091, 0.062, 0.071)
TARGET = (0.240, 0.150, 0.125, 0.100, 0.095, 0.080, 0.050)


def fact(id: str, value: Any, unit: str, **options: Any) -> Fact:
    return Fact.of(id, value, unit, source="drift.measure of positions, prices", as_of=AS_OF, **options)


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}


def markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(*outputs: dict[str, Any], source: str = "report.show()") -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": list(outputs), "execution_count": 1}


def shown(exhibit: Exhibit) -> dict[str, Any]:
    """Return the code cell an exhibit leaves, through JSON as a notebook on disk would hold it."""
    bundle = json.loads(json.dumps(exhibit._repr_mimebundle_(), allow_nan=False))
    return code({"output_type": "execute_result", "data": bundle, "metadata": {}, "execution_count": 1})


def memo() -> dict[str, Any]:
    out = fact("drift.firm.accounts_out_of_band", 37, "count")
    cost = fact("drift.firm.tax_cost", 412_350.0, "usd", text="$412 k")
    decision = Exhibit(
        "memo.decision",
        "Decision asked: release the technology trim",
        CalloutBody(
            "decision",
            (
                (Strong("Decision. "), "Release rebalances for the ", out.ref(), " accounts out of band "
                 "before year end, at a tax cost of ", cost.ref(), "."),
                (Strong("Why now. "), "Technology stands 4.4 points over target in model Growth; two accounts passed "
                 "the single-issuer limit. See ", Link("the sector table", "drift.html#drift.sector_table"), "."),
                (Strong("What could be wrong. "), "Half of the cost estimate rests on lots with uncovered basis."),
            ),
        ),
        facts=(out, cost),
    )  # fmt: skip
    share = fact("drift.firm.share_out_of_band", 0.123, "percent")
    worst = fact("drift.firm.worst_drift", 0.0712, "pp")
    kpis = Exhibit(
        "memo.key_figures",
        "Key figures",
        KpiBody(
            (
                Kpi("Accounts out of band", out.ref(), "of 301; 22 last quarter", "warning"),
                Kpi("Share of assets", share.ref(), "by market value"),
                Kpi("Widest sector drift", worst.ref(), "account A0017", "bad"),
                Kpi("Tax cost to restore", cost.ref(), "federal, state and NIIT"),
            )
        ),
        settings=SETTINGS,
        facts=(out, cost, share, worst),
        index=True,
    )
    breaches = Exhibit(
        "memo.breaches",
        "Hard limits breached",
        TableBody(
            (
                Column("account", "Account"),
                Column("rule", "Rule"),
                Column("level", "Level", "percent", emphasis=True),
                Column("limit", "Limit", "percent"),
                Column("since", "Since", "date"),
                Column("state", "State", "badge"),
            ),
            (
                (Link("A0017", "drift.html#drift.accounts"), "Single issuer", 0.118, 0.10, "2022-11-14",
                 Badge("open", "bad")),
                ("A0203", "Never hold: tobacco", 0.004, 0.0, "2022-12-02", Badge("in review", "warning")),
                ("A0098", "Minimum cash", 0.011, 0.02, None, Badge("explained", "good")),
            ),
        ),
        "Two of three breaches are older than ten business days.",
        SETTINGS,
        index=True,
    )  # fmt: skip
    return notebook(markdown("# Memo to the committee"), shown(decision), shown(kpis), shown(breaches))


def drift() -> dict[str, Any]:
    worst = fact("drift.firm.worst_drift", 0.0712, "pp")
    rows = tuple(
        (name, actual, target, actual - target, target - 0.03, target + 0.03,
         Badge("over band", "bad") if actual - target > 0.03 else Badge("inside", "good"))
        for name, actual, target in zip(SECTORS, ACTUAL, TARGET)
    )  # fmt: skip
    table = Exhibit(
        "drift.sector_table",
        "Sector weights against the model",
        TableBody(
            (
                Column("sector", "Sector"),
                Column("actual", "Actual", "percent"),
                Column("target", "Target", "percent"),
                Column("drift", "Drift", "pp", emphasis=True, note="actual less target"),
                Column("lower", "Lower", "percent"),
                Column("upper", "Upper", "percent"),
                Column("state", "State", "badge"),
            ),
            (*rows, ("Total", sum(ACTUAL), sum(TARGET), sum(ACTUAL) - sum(TARGET), None, None, Missing("no band"))),
            total_row=True,
            note="Four sectors under 2% of the account are left out.",
        ),
        "Technology alone is outside its band of ±3 points.",
        SETTINGS,
    )
    bars = Exhibit(
        "drift.sectors",
        "Sector weights, actual against target with bands",
        figures.bars_against_target(
            SECTORS, ACTUAL, TARGET, lower=[t - 0.03 for t in TARGET], upper=[t + 0.03 for t in TARGET], limit=0.30,
            axis_title="Share of account", alt="Technology is 28.4% against a target of 24%; all others are in band.",
            data=TableBody(
                (Column("s", "Sector"), Column("a", "Actual", "percent")), tuple(zip(SECTORS, ACTUAL))
            ),
        ),
        "Technology has left its band; energy is near the upper edge.",
        SETTINGS,
    )  # fmt: skip
    diverging = Exhibit(
        "drift.over_under",
        "Over- and underweights by sector",
        figures.diverging_bars(
            SECTORS, [a - t for a, t in zip(ACTUAL, TARGET)], limit=0.03, axis_title="Actual less target",
            alt="Technology is over by 4.4 points, past the limit of 3.",
        ),
        "Technology is the only sector past the limit.",
        SETTINGS,
    )  # fmt: skip
    names = [f"A{number:04d}" for number in (17, 203, 98, 144, 61)]
    causes = Exhibit(
        "drift.causes",
        "Where the drift of the five widest accounts came from",
        figures.stacked_causes(
            names,
            {
                "Market": [0.041, 0.022, 0.030, 0.012, 0.018],
                "Cash flows": [0.012, -0.008, 0.004, 0.011, -0.004],
                "Model change": [0.010, 0.019, -0.002, 0.0, 0.009],
                "Trades": [-0.002, 0.003, 0.001, 0.004, 0.0],
            },
            totals=[0.061, 0.036, 0.033, 0.027, 0.023],
            axis_title="Drift since the last rebalance",
            alt="Market movement is the largest cause in each of the five accounts.",
        ),
        "Markets, not trades, moved these accounts.",
        Settings(AS_OF, "market value, gross of fees", "tables positions, transactions", "price paths of three funds"),
    )
    waterfall = Exhibit(
        "drift.waterfall",
        "The drift of account A0017, step by step",
        figures.waterfall(
            ["Market", "Cash flows", "Model change", "Trades"], [0.041, 0.012, 0.010, -0.002],
            alt="Market 4.1, flows 1.2, model 1.0, trades minus 0.2 points: 6.1 in total.",
        ),
        "Two thirds came from the market.",
        SETTINGS,
    )  # fmt: skip
    days = [f"2022-{month:02d}-{day:02d}" for month in range(1, 13) for day in (7, 14, 21, 28)]
    wave = [0.02 + 0.016 * math.sin(step / 6) + step * 0.0006 for step in range(len(days))]
    line = Exhibit(
        "drift.history",
        "Drift of the firm, weekly",
        figures.lines(
            days, {"Median account": wave, "Last year": [v * 0.7 for v in wave]}, unit="pp",
            band=([v * 0.6 for v in wave], [v * 1.6 for v in wave]), band_name="Middle half of accounts", limit=0.05,
            axis_title="Drift", alt="The median account's drift rises over the year to about 4 points.",
        ),
        "The median account has drifted further than a year ago.",
        SETTINGS,
    )  # fmt: skip
    xs = [0.002 * (step % 37) for step in range(120)]
    ys = [900.0 * ((step * 17) % 41) for step in range(120)]
    scatter = Exhibit(
        "drift.tax_scatter",
        "Drift against the tax cost of curing it",
        figures.account_scatter(
            xs, ys, [f"A{step:04d}" for step in range(120)], groups=["Taxable", "IRA", "Trust"] * 40,
            named=["A0036", "A0012"], x_title="Drift", y_title="Tax cost", x_limit=0.05,
            alt="Most accounts past the limit cost under $20,000 to cure.",
        ),
        "Most accounts past the limit are cheap to cure.",
        SETTINGS,
    )  # fmt: skip
    histogram = Exhibit(
        "drift.distribution",
        "Accounts by drift",
        figures.histogram([abs(math.sin(step) * 0.07) for step in range(300)], limit=0.05, axis_title="Drift",
                          alt="A third of accounts are past the limit."),
        "A third of accounts are past the limit.",
        SETTINGS,
    )  # fmt: skip
    dots = Exhibit(
        "drift.dots",
        "Drift by account and asset class",
        figures.dot_table(
            names, ["Equity", "Bonds", "Real assets", "Cash"],
            [[0.051, -0.034, 0.002, -0.019], [0.022, -0.02, None, 0.01], [-0.03, 0.02, 0.01, 0.0],
             [0.01, 0.01, -0.01, -0.01], [0.004, -0.002, 0.001, -0.003]],
            limit=0.05, alt="Account A0017 is 5.1 points over in equity.",
        ),
        "Only A0017 is past the limit, in equity.",
        SETTINGS,
    )  # fmt: skip
    accounts = Exhibit(
        "drift.accounts",
        "Accounts in order of drift",
        TableBody(
            tuple(
                Column(name, label, kind)  # type: ignore[arg-type]
                for name, label, kind in (
                    ("account", "Account", "text"), ("household", "Household", "text"), ("model", "Model", "text"),
                    ("custodian", "Custodian", "text"), ("value", "Value", "usd"), ("drift", "Drift", "pp"),
                    ("sector", "Widest sector", "text"), ("gain", "Short gain", "usd"), ("long", "Long gain", "usd"),
                    ("cost", "Tax cost", "usd"), ("spread", "Trading cost", "bp"), ("last", "Last rebalanced", "date"),
                )
            ),
            tuple(
                (f"A{n:04d}", f"Household of client {n}", "Growth 80/20", "Custodian North", 1_204_331.4 * (n + 1),
                 0.07 / (n + 1), SECTORS[n % 7], 10_000.0 - 900 * n, 51_000.0 + n, 12_000.0 * n, 0.0012, "2022-03-31")
                for n in range(45)
            ),
        ),
        "Ten accounts hold half of the firm's drift.",
        SETTINGS,
    )  # fmt: skip
    prose = Exhibit(
        "drift.note", "", ProseBody((("The widest drift is ", worst.ref(), " in one account."),)), facts=(worst,)
    )
    return notebook(
        markdown("# Drift\n\nHow far accounts stand from their models, and why. Bands are those of the model's "
                 "[tolerances](https://example.org/policy) in force.\n\n## By sector"),
        shown(prose), shown(table), shown(bars), shown(diverging),
        markdown("## Why\n\nDrift since the last day an account stood on its model, split by cause."),
        shown(causes), shown(waterfall), shown(line), markdown("## Which accounts"), shown(scatter),
        shown(histogram), shown(dots), shown(accounts),
    )  # fmt: skip


def hostile() -> dict[str, Any]:
    text = HOSTILE[0]
    rows = tuple((attack, Missing(attack), Badge(attack, "bad"), 1.0) for attack in HOSTILE)
    odd = Fact("quality.firm." + text, 1.0, "count", HOSTILE[1], HOSTILE[2], AS_OF)
    table = Exhibit(
        "quality.hostile", text,
        TableBody((Column("a", HOSTILE[3]), Column("b", "B", note=HOSTILE[2]), Column("c", "C", "badge"),
                   Column("d", "D", "number")), rows, note=text),
        HOSTILE[1], Settings(AS_OF, HOSTILE[0], HOSTILE[1], HOSTILE[3]), facts=(odd,),
    )  # fmt: skip
    chart = Exhibit(
        "quality.chart", text,
        figures.diverging_bars(HOSTILE, [0.01 * n for n in range(len(HOSTILE))], alt=HOSTILE[2], axis_title=text),
        settings=SETTINGS,
    )  # fmt: skip
    words = Exhibit(
        "quality.words", text,
        CalloutBody("warning", [(odd.ref(), Strong(attack), attack) for attack in HOSTILE]), facts=(odd,),
    )  # fmt: skip
    noise = code(
        {"output_type": "stream", "name": "stdout", "text": text},
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": text, "text/plain": text}},
    )
    failed = code(
        {"output_type": "error", "ename": "ValueError", "evalue": text, "traceback": ["\x1b[31m" + text]},
        source="check(" + text + ")",
    )
    lines = "\n\n".join(HOSTILE)
    return notebook(
        markdown("# Quality\n\n" + lines + "\n\n![x](https://evil.example/x.png)\n\n[bad](data:text/html,x)"),
        shown(table), shown(chart), shown(words), noise, failed,
    )  # fmt: skip


def book(*, with_hostile: bool = True) -> Book:
    chapters = [Chapter.from_notebook("memo", memo()), Chapter.from_notebook("drift", drift())]
    if with_hostile:
        chapters.append(Chapter.from_notebook("quality", hostile(), title="Quality"))
    return Book(
        "The quarterly book", "Harbour & Finch Wealth", AS_OF, tuple(chapters),
        "Drift, its causes and what it would cost to cure",
        (("Run key", "5b1f09c2d7aa"), ("Book of record", "3f9a12c4"), ("workbench", "0.1.0"), ("Python", "3.11.2")),
    )  # fmt: skip
