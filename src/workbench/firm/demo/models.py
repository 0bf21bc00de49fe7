"""The demo firm's five models: sleeves, versions over the years with the committee's words, and tolerances.

A version is a mix of sleeves; a sleeve is a list of securities with weights, of which a version takes those that
have a price on its effective date. One set of models serves the wheel's market and another the funds of a price file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import FirmDataError
from workbench.firm.demo.market_data import Market
from workbench.firm.schema import CASH

COMMITTEE = "Investment Committee"

SLEEVES = {
    "CORE": ("US Large Core", "Harrow Asset Management"),
    "DIVI": ("US Dividend Income", "Harrow Asset Management"),
    "FACT": ("US Factors", "Quantitative Strategies desk"),
    "INTL": ("International Developed", "Meridian Global Partners"),
    "EMRG": ("Emerging Markets", "Meridian Global Partners"),
    "FIXD": ("Treasuries and Bonds", "Fixed Income desk"),
    "REAL": ("Real Assets", "Fixed Income desk"),
    "RESV": ("Cash Reserve", "Treasury desk"),
}

#: Weights inside each sleeve, for the wheel's market.
WHEEL_SLEEVES: dict[str, dict[str, float]] = {
    "CORE": {
        "AAPL": 10, "MSFT": 10, "AMD": 3, "JPM": 6, "BAC": 4, "XOM": 5, "CVX": 4, "RRC": 1, "JNJ": 6, "UNH": 6,
        "LLY": 5, "MRK": 4, "PFE": 4, "PG": 5, "KO": 4, "PEP": 5, "WMT": 5, "HD": 6, "BBY": 2, "GE": 5,
    },
    "DIVI": {"KO": 15, "PEP": 15, "PG": 15, "JNJ": 15, "XOM": 10, "MRK": 15, "JPM": 15},
    "FACT": {"MTUM": 20, "QUAL": 25, "SIZE": 15, "USMV": 20, "VLUE": 20},
    "INTL": {"INTL": 100},
    "EMRG": {"EMRG": 100},
    "FIXD": {"USTL": 40, "USTS": 60},
    "REAL": {},
    "RESV": {CASH: 50, "TBIL": 50},
}  # fmt: skip

#: Weights inside each sleeve, for a file of exchange-traded funds.
FUND_SLEEVES: dict[str, dict[str, float]] = {
    "CORE": {
        "VTI": 45, "IWM": 10, "XLK": 13, "XLF": 7, "XLV": 8, "XLY": 6, "XLP": 4, "XLE": 3, "XLI": 4,
    },
    "DIVI": {"SCHD": 50, "VIG": 50},
    "FACT": {"MTUM": 20, "QUAL": 25, "SIZE": 15, "USMV": 20, "VLUE": 20},
    "INTL": {"EFA": 60, "VEA": 40},
    "EMRG": {"VWO": 100},
    "FIXD": {"AGG": 40, "TLT": 15, "IEF": 20, "SHY": 15, "TIP": 10},
    "REAL": {"GLD": 45, "VNQ": 55},
    "RESV": {CASH: 50, "BIL": 50},
}  # fmt: skip

#: Asset classes a sleeve falls back on when a market holds none of its securities.
SLEEVE_CLASSES = {
    "CORE": ("US equity",), "DIVI": ("US equity",), "FACT": ("US equity",),
    "INTL": ("International equity",), "EMRG": ("Emerging equity",), "FIXD": ("Treasuries", "Bonds"),
    "REAL": ("Real assets",), "RESV": ("Cash",),
}  # fmt: skip

MODELS = {
    "CON": ("Conservative", "25 % global equity, 75 % Treasuries and bills"),
    "BAL": ("Balanced", "55 % global equity, 45 % Treasuries and bills"),
    "GRO": ("Growth", "75 % global equity, 25 % Treasuries and bills"),
    "EQT": ("Global Equity", "100 % global equity"),
    "INC": ("Income", "45 % US dividend payers, 55 % Treasuries and bills"),
}

_MIX_COLUMNS = ("CORE", "DIVI", "FACT", "INTL", "EMRG", "FIXD", "RESV")

#: Effective date, the committee's rationale, and percent of each sleeve by model (in the order of the columns above).
VERSIONS: tuple[tuple[str, str, dict[str, tuple[int, ...]]], ...] = (
    (
        "2011-06-30",
        "First policy portfolio. Equity through large caps held directly, so that losses can be harvested by name; "
        "Treasuries as ballast; 4 % and more in reserve for fees and distributions.",
        {
            "CON": (14, 6, 0, 6, 2, 62, 10), "BAL": (34, 6, 0, 12, 4, 38, 6), "GRO": (48, 6, 0, 16, 6, 20, 4),
            "EQT": (62, 6, 0, 20, 8, 0, 4), "INC": (6, 36, 0, 6, 0, 46, 6),
        },
    ),
    (
        "2016-07-15",
        "Adds a factor sleeve out of the core: momentum, quality, size, minimum volatility and value now have funds "
        "with two full years of history. No change of the equity share.",
        {
            "CON": (10, 6, 4, 6, 2, 62, 10), "BAL": (26, 6, 8, 12, 4, 38, 6), "GRO": (36, 6, 12, 16, 6, 20, 4),
            "EQT": (46, 6, 16, 20, 8, 0, 4), "INC": (4, 36, 4, 6, 0, 44, 6),
        },
    ),
    (
        "2020-06-15",
        "After the March sell-off and its recovery: bills and long yields near zero offer little ballast, so 4 to 6 "
        "points move from Treasuries to the core. Reserve unchanged.",
        {
            "CON": (14, 6, 4, 6, 2, 58, 10), "BAL": (32, 6, 8, 12, 4, 32, 6), "GRO": (41, 6, 12, 16, 6, 15, 4),
            "EQT": (46, 6, 16, 20, 8, 0, 4), "INC": (6, 38, 4, 6, 0, 40, 6),
        },
    ),
    (
        "2022-04-18",
        "Rates are rising from zero: the reserve earns something again and dividend payers are preferred to long "
        "growth. Core down, dividend sleeve and reserve up; one dissenting vote on timing.",
        {
            "CON": (11, 7, 4, 5, 2, 59, 12), "BAL": (28, 8, 8, 11, 4, 33, 8), "GRO": (36, 9, 12, 15, 6, 16, 6),
            "EQT": (42, 8, 17, 20, 8, 0, 5), "INC": (4, 38, 4, 5, 0, 41, 8),
        },
    ),
    (
        "2024-03-11",
        "Bond yields pay for duration again: the reserve gives two points back to Treasuries.",
        {
            "CON": (11, 7, 4, 5, 2, 61, 10), "BAL": (28, 8, 8, 11, 4, 35, 6), "GRO": (36, 9, 12, 15, 6, 17, 5),
            "EQT": (42, 8, 17, 20, 8, 0, 5), "INC": (4, 38, 4, 5, 0, 43, 6),
        },
    ),
)  # fmt: skip

#: The policy behind each benchmark's words: percent of the benchmark of each sleeve, whatever the committee tilts to.
POLICY: dict[str, dict[str, int]] = {
    "CON": {"CORE": 17, "INTL": 6, "EMRG": 2, "FIXD": 65, "RESV": 10},
    "BAL": {"CORE": 39, "INTL": 12, "EMRG": 4, "FIXD": 40, "RESV": 5},
    "GRO": {"CORE": 53, "INTL": 16, "EMRG": 6, "FIXD": 21, "RESV": 4},
    "EQT": {"CORE": 70, "INTL": 21, "EMRG": 9},
    "INC": {"DIVI": 45, "FIXD": 49, "RESV": 6},
}

#: The next version, under discussion: percent by model, effective after the as-of date.
DRAFT_RATIONALE = (
    "Proposal for the next meeting: trim the core where technology has run and add to international developed; "
    "not approved, not in force."
)
_DRAFT_MIX: dict[str, tuple[int, ...]] = {
    "CON": (10, 7, 4, 6, 2, 61, 10), "BAL": (24, 8, 8, 14, 5, 35, 6), "GRO": (32, 9, 12, 18, 7, 17, 5),
    "EQT": (38, 8, 17, 23, 9, 0, 5), "INC": (4, 36, 4, 7, 0, 43, 6),
}  # fmt: skip
DRAFT_LEAD = pd.Timedelta(days=48)

#: (level, key, absolute, relative): the band is the tighter of the two where both are given.
TOLERANCES: tuple[tuple[str, str, float | None, float | None], ...] = (
    ("security", "*", 0.04, None),
    ("sector", "*", 0.04, None),
    ("sector", "Information Technology", 0.03, None),
    ("sector", "Fixed income", 0.06, None),
    ("asset_class", "*", 0.05, 0.30),
    ("asset_class", "Cash", 0.03, None),
    ("region", "*", 0.05, None),
    ("sleeve", "*", 0.05, 0.40),
)


@dataclass(frozen=True)
class ModelTables:
    """The firm's model tables, in its schema."""

    sleeves: pd.DataFrame
    sleeve_benchmarks: pd.DataFrame
    model_benchmarks: pd.DataFrame
    models: pd.DataFrame
    model_targets: pd.DataFrame
    tolerances: pd.DataFrame

    def as_dict(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        return dict(vars(self))


def model_tables(market: Market, as_of: pd.Timestamp) -> ModelTables:
    """Return the models as they stand on `as_of`: versions effective by then, and one draft that is not.

    Raises `FirmDataError` when the market holds nothing that any equity sleeve could take.
    """
    first_seen = market.prices.groupby("security_id")["date"].min()
    dated = [version for version in VERSIONS if pd.Timestamp(version[0]) <= as_of] or [VERSIONS[0]]
    versions: list[tuple[pd.Timestamp, str, dict[str, tuple[int, ...]], str]]
    versions = [(pd.Timestamp(day), words, mix, COMMITTEE) for day, words, mix in dated]
    versions.append(((as_of + DRAFT_LEAD).normalize(), DRAFT_RATIONALE, _DRAFT_MIX, "pending"))
    models, targets = [], []
    for model_id, (name, benchmark) in MODELS.items():
        for number, (day, words, mix, approved) in enumerate(versions, start=1):
            in_force = number == len(versions) - 1
            status = "draft" if number == len(versions) else "active" if in_force else "retired"
            models.append((model_id, number, name, day, status, benchmark, approved, words))
            for sleeve, security, weight in _version_targets(market, first_seen, mix[model_id], day):
                targets.append((model_id, number, sleeve, security, weight))
    columns = ["model_id", "version", "name", "effective_date", "status", "benchmark", "approved_by", "rationale"]
    target_frame = pd.DataFrame(targets, columns=["model_id", "version", "sleeve_id", "security_id", "target"])
    target_frame["lower"], target_frame["upper"] = np.nan, np.nan
    used = [sleeve for sleeve in SLEEVES if sleeve in set(target_frame["sleeve_id"])]
    return ModelTables(
        pd.DataFrame([(s, *SLEEVES[s]) for s in used], columns=["sleeve_id", "name", "manager"]),
        _benchmarks(target_frame, used),
        _policies(used),
        pd.DataFrame(models, columns=columns),
        target_frame,
        _tolerance_table(),
    )


def _version_targets(
    market: Market, first_seen: pd.Series, percents: tuple[int, ...], day: pd.Timestamp
) -> list[tuple[str, str, float]]:
    """Targets of one version: sleeves that cannot be filled give their weight to the others, pro rata."""
    mix = {sleeve: percent / 100.0 for sleeve, percent in zip(_MIX_COLUMNS, percents) if percent}
    if market.source == "file":
        mix = _with_real_assets(mix)
    seen = set(first_seen[first_seen <= max(day, first_seen.min())].index)
    contents = {sleeve: _sleeve_content(market, sleeve, seen) for sleeve in mix}
    filled = {sleeve: weight for sleeve, weight in mix.items() if contents[sleeve]}
    if not set(filled) - {"RESV"}:
        raise FirmDataError(
            f"the market holds no security on {day.date()} that a model could take; its securities need an "
            f"asset_class among {', '.join(sorted({c for group in SLEEVE_CLASSES.values() for c in group}))}"
        )
    total = sum(filled.values())
    rows = [
        (sleeve, security, round(weight / total * share, 6))
        for sleeve, weight in filled.items()
        for security, share in contents[sleeve].items()
    ]
    largest = max(range(len(rows)), key=lambda i: rows[i][2])
    rest = round(1.0 - sum(row[2] for i, row in enumerate(rows) if i != largest), 6)
    rows[largest] = (*rows[largest][:2], rest)
    return rows


def _with_real_assets(mix: Mapping[str, float]) -> dict[str, float]:
    """Give real assets 6 % out of the core and the bonds, where there are funds for them."""
    mixed = dict(mix)
    source = max(mixed, key=lambda sleeve: mixed[sleeve])
    mixed[source] -= 0.06
    mixed["REAL"] = 0.06
    return mixed


def _sleeve_content(market: Market, sleeve: str, seen: set[str]) -> dict[str, float]:
    """Weights inside a sleeve, summing to 1, over the securities there are; empty when there is none."""
    listed = (WHEEL_SLEEVES if market.source == "wheel" else FUND_SLEEVES)[sleeve]
    content = {security: weight for security, weight in listed.items() if security in seen}
    if not set(content) - {CASH}:
        facts = market.securities
        fits = facts["asset_class"].isin(SLEEVE_CLASSES[sleeve]) & facts["security_id"].isin(seen)
        content = dict.fromkeys(sorted(facts.loc[fits, "security_id"])[:12], 1.0)
    total = sum(content.values())
    return {security: weight / total for security, weight in content.items()}


def _benchmarks(targets: pd.DataFrame, sleeves: list[str]) -> pd.DataFrame:
    """A sleeve's benchmark: every security that a model holds in it, equally weighted."""
    rows = []
    for sleeve in sleeves:
        held = sorted(targets.loc[targets["sleeve_id"] == sleeve, "security_id"].unique())
        weight = round(1.0 / len(held), 6)
        weights = [round(1.0 - weight * (len(held) - 1), 6), *[weight] * (len(held) - 1)]
        rows += [(sleeve, security, one) for security, one in zip(held, weights)]
    return pd.DataFrame(rows, columns=["sleeve_id", "security_id", "weight"])


def _policies(sleeves: list[str]) -> pd.DataFrame:
    """Each model's policy over the sleeves there are; a model none of whose policy sleeves can be filled has none."""
    rows = []
    for model_id, policy in POLICY.items():
        kept = {sleeve: percent for sleeve, percent in policy.items() if sleeve in sleeves}
        rows += [(model_id, sleeve, percent / sum(kept.values())) for sleeve, percent in kept.items()]
    return pd.DataFrame(rows, columns=["model_id", "sleeve_id", "weight"])


def _tolerance_table() -> pd.DataFrame:
    rows = [(model, *tolerance) for model in MODELS for tolerance in TOLERANCES]
    frame = pd.DataFrame(rows, columns=["model_id", "level", "key", "absolute", "relative"])
    return frame.astype({"absolute": float, "relative": float})
