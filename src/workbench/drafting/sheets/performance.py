"""Performance as facts: a composite's returns over each period, and what sleeves and implementation did to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.drafting.facts import FactSheet, Kind
from workbench.drafting.sheets.gathering import Gathering, Reading, either

TABLES = ("positions", "transactions", "prices", "models", "model_targets")
RETURNS = Reading("performance.composite_days", TABLES)
COMPOSITES = Reading("performance.composite", TABLES)
SLEEVES = Reading("attribution.sleeves", (*TABLES, "model_benchmarks", "sleeve_benchmarks", "securities"))
#: Months of returns that a composite's risk is measured over.
RISK_MONTHS = 36
#: Each measure of a record: metric, its directions above and below zero, and its unit where it is a difference.
_MEASURES: Mapping[str, tuple[str, str, str, str]] = {
    "net": ("net_return", "gain", "loss", ""),
    "gross": ("gross_return", "gain", "loss", ""),
    "benchmark": ("benchmark_return", "gain", "loss", ""),
    "model": ("paper_return", "gain", "loss", ""),
    "excess": ("excess_return", "ahead", "behind", "pp"),
    "choice": ("choice_effect", "brought", "cost", "pp"),
    "implementation": ("implementation_effect", "brought", "cost", "pp"),
    "fees": ("fee_effect", "", "", "pp"),
}
#: The parts of a difference to a benchmark, in the order of a report, and the metric of each.
EFFECTS = {
    "allocation": "allocation_effect",
    "selection": "selection_effect",
    "interaction": "interaction_effect",
    "timing": "weights_effect",
    "cash": "cash_effect",
    "other_holdings": "holdings_effect",
    "trading": "trading_effect",
    "fees": "fees_effect",
    "residual": "residual_effect",
}
#: Those that the model answers for; the rest is how it was carried out.
MODEL_EFFECTS = ("allocation", "selection", "interaction")


@dataclass(frozen=True)
class Period:
    """One period of a record: its name, the close it starts from (ISO), years where annualised, and the known returns.

    `returns` holds net, gross, benchmark, model, excess, choice, implementation and fees as fractions, those known.
    """

    name: str
    words: str
    start: str
    annualised: bool
    returns: Mapping[str, float]


@dataclass(frozen=True)
class Year:
    """The last whole calendar year of a composite: accounts there all year, how far their returns lay apart, risk.

    `prefix` begins the identifiers of its facts; risk is the yearly volatility of `RISK_MONTHS` returns.
    """

    prefix: str
    year: str
    accounts: int
    dispersion: float | None
    low: float | None
    high: float | None
    risk: float | None = None
    benchmark_risk: float | None = None


@dataclass(frozen=True)
class Record:
    """What a text may state of one composite: who it is, since when, its periods and its money.

    `slug` is its part of an identifier, `value` and `accounts` those at the last close, `flow` and `fees` the dollars
    paid in (net, negative: taken out) and charged in the first period of `periods`; None where they are not known.
    """

    key: str
    slug: str
    name: str
    since: str
    periods: tuple[Period, ...]
    value: float
    accounts: int
    flow: float | None = None
    fees: float | None = None
    year: Year | None = None

    def period(self, name: str) -> Period | None:
        """Return the period of this name, or None where the record does not reach over it."""
        return next((period for period in self.periods if period.name == name), None)


@dataclass(frozen=True)
class Held:
    """What a model held of a sleeve over a period, and the policy: average weights as fractions of the model.

    `earned` and `benchmark` are the paper returns of the sleeve and of its own benchmark over the whole period, None
    where either side did not hold it all the time.
    """

    weight: float
    policy: float
    earned: float | None = None
    benchmark: float | None = None


@dataclass(frozen=True)
class SleeveEffects:
    """What sleeves did to one composite over one period, linked: fractions of its value at the start.

    `effects` are the parts of the difference by name (see `EFFECTS`), `sleeves` maps a sleeve's name to what its
    allocation, selection and interaction brought together; `held` says for some what was held of them. `prefix` begins
    the identifiers of its facts.
    """

    prefix: str
    period: str
    words: str
    start: str
    portfolio: float
    benchmark: float
    effects: Mapping[str, float]
    sleeves: Mapping[str, tuple[str, Mapping[str, float]]] = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)

    @property
    def model(self) -> float:
        """What the model's own decisions brought."""
        return sum(self.effects[name] for name in MODEL_EFFECTS)

    @property
    def implementation(self) -> float:
        """What carrying them out brought."""
        return sum(value for name, value in self.effects.items() if name not in MODEL_EFFECTS)


def sheet(
    record: Record, effects: Sequence[SleeveEffects], as_of: str, snapshot: str, firm: str, benchmark: str = ""
) -> FactSheet:
    """Return the facts of one composite's commentary; `benchmark` is how the book of record describes the model's."""
    facts = Gathering("commentary", record.key, as_of, snapshot)
    house = facts.entity("firm", "firm", firm)
    for period in record.periods:  # before the model, so that one called like a period is told apart
        declare(facts, period.name, period.words, period.start)
    model = facts.entity(f"model:{record.key}", "model", record.name, record.key)
    facts.fact("as_of", "date", as_of, "as_of", Reading("firm.open_at", ("snapshot",)), "as of")
    facts.named("firm.name", house, Reading("firm.open_at", ("snapshot",)), "name")
    facts.named(f"performance.{record.slug}.name", model, Reading("firm.open_at", ("models",)), f"{record.key}, name")
    if benchmark.strip():
        row = f"{record.key}, benchmark"
        facts.fact(
            f"performance.{record.slug}.benchmark",
            "quote",
            benchmark,
            "quoted",
            Reading("firm.table", ("models",)),
            row,
            of=(model,),
        )
    returns(facts, record, (model,))
    money(facts, record, (model,))
    _year(facts, record, model)
    for each in effects:
        attribution(facts, each, (model,), decimals=1)
    return facts.sheet((house, model))


def returns(facts: Gathering, record: Record, of: Sequence[str]) -> None:
    """Add a record's returns over each period, and the periods themselves."""
    for period in record.periods:
        when = declare(facts, period.name, period.words, period.start)
        for measure, value in period.returns.items():
            metric, above, below, unit = _MEASURES[measure]
            facts.fact(
                f"performance.returns.{record.slug}.{measure}.{period.name}", "percent", value, metric, RETURNS,
                f"{record.key}, {measure}, {period.name}", of=(*of, when), unit=unit, decimals=2,
                way=either(value, above, below) if above else (),
            )  # fmt: skip


def money(facts: Gathering, record: Record, of: Sequence[str]) -> None:
    """Add what accounts are worth, what clients paid in or took out, and what fees were charged."""
    row, prefix = record.key, f"performance.{record.slug}"
    reading = Reading("performance.load", TABLES)
    facts.fact(f"{prefix}.value", "money", record.value, "assets", reading, f"{row}, value at the last close", of=of)
    facts.fact(f"{prefix}.accounts", "count", record.accounts, "accounts_followed", reading, f"{row}, accounts", of=of)
    facts.fact(f"{prefix}.since", "date", record.since, "record_since", RETURNS, f"{row}, first close", of=of)
    if not record.periods:
        return
    period = record.periods[0]
    when = declare(facts, period.name, period.words, period.start)
    if record.flow is not None:
        facts.fact(
            f"{prefix}.flow", "money", record.flow, "client_flows", reading, f"{row}, flows of {period.name}",
            of=(*of, when), way=either(record.flow, "in", "out"),
        )  # fmt: skip
    if record.fees is not None:
        cell = f"{row}, fees of {period.name}"
        facts.fact(f"{prefix}.fees", "money", record.fees, "fees_charged", reading, cell, of=(*of, when))


def declare(facts: Gathering, name: str, words: str, start: str) -> str:
    """Declare a period with its name and the close it starts from, once, and return its entity."""
    if facts.declared(f"period:{name}"):
        return f"period:{name}"
    short = words.removeprefix("the ")
    key = facts.entity(f"period:{name}", "period", words, short)
    facts.named(f"period.{name}.name", key, RETURNS, name)
    title = short[:1].upper() + short[1:]
    facts.fact(f"period.{name}.title", "name", title, "named", RETURNS, name, of=(key,))
    facts.fact(f"period.{name}.start", "date", start, "period_start", RETURNS, f"{name}, start", of=(key,))
    return key


def attribution(facts: Gathering, effects: SleeveEffects, of: Sequence[str], decimals: int = 0) -> None:
    """Add what allocation, selection and implementation did in all, and the model's part by sleeve in `decimals`."""
    when = declare(facts, effects.period, effects.words, effects.start)
    prefix = effects.prefix
    for name, value in effects.effects.items():
        facts.fact(
            f"{prefix}.{name}", "bps", value, EFFECTS[name], SLEEVES, f"{name}, {effects.period}", of=(*of, when),
            way=either(value, "brought", "cost"),
        )  # fmt: skip
    for name, metric in (("model", "model_effect"), ("implementation", "carrying_out_effect")):
        value = getattr(effects, name)
        way = either(value, "brought", "cost")
        facts.fact(
            f"{prefix}.{name}", "bps", value, metric, SLEEVES, f"{name}, {effects.period}", of=(*of, when), way=way
        )
    excess = effects.portfolio - effects.benchmark
    facts.fact(
        f"{prefix}.excess", "bps", excess, "excess_return", SLEEVES, f"excess, {effects.period}", of=(*of, when),
        way=either(excess, "ahead", "behind"),
    )  # fmt: skip
    for slug, (sleeve, parts) in effects.sleeves.items():
        entity = facts.entity(f"sleeve:{slug}", "sleeve", sleeve)
        facts.named(f"{prefix}.sleeve.{slug}.name", entity, SLEEVES, f"{slug}, name")
        for part, value in parts.items():
            facts.fact(
                f"{prefix}.sleeve.{slug}.{part}", "bps", value, f"{part}_effect", SLEEVES,
                f"{slug}, {part}, {effects.period}", of=(*of, entity, when),
                decimals=decimals, way=either(value, "brought", "cost"),
            )  # fmt: skip
        if slug in effects.held:
            cell = f"{slug}, {effects.period}"
            _held(facts, f"{prefix}.sleeve.{slug}", effects.held[slug], (*of, entity, when), cell)


def _held(facts: Gathering, prefix: str, held: Held, of: Sequence[str], cell: str) -> None:
    """Add the weights of one sleeve in model and policy, and what it and its own benchmark earned on paper."""
    for name, value, metric in (("weight", held.weight, "sleeve_weight"), ("policy", held.policy, "policy_weight")):
        facts.fact(f"{prefix}.{name}", "percent", value, metric, SLEEVES, f"{cell}, average {name}", of=of)
    for name, earned, metric in (
        ("earned", held.earned, "sleeve_return"),
        ("benchmark", held.benchmark, "sleeve_benchmark"),
    ):
        if earned is not None:
            facts.fact(
                f"{prefix}.{name}", "percent", earned, metric, SLEEVES, f"{cell}, {name}, compounded", of=of,
                way=either(earned, "gain", "loss"),
            )  # fmt: skip


def _year(facts: Gathering, record: Record, model: str) -> None:
    """Add the spread of accounts' returns in the last whole year, and the volatility over the months up to its end."""
    year = record.year
    if year is None:
        return
    when = facts.entity(f"period:{year.year}", "period", f"the year {year.year}")
    facts.named(f"{year.prefix}.name", when, COMPOSITES, f"{record.key}, {year.year}")
    facts.fact(
        f"{year.prefix}.months", "count", RISK_MONTHS, "months_measured", COMPOSITES, "months of risk", of=(model,)
    )
    figures: tuple[tuple[str, Kind, float | None, str, tuple[str, ...]], ...] = (
        ("full_year", "count", year.accounts, "accounts_all_year", ()),
        ("dispersion", "percent", year.dispersion, "dispersion", ()),
        ("low", "percent", year.low, "lowest_account", ("least",)),
        ("high", "percent", year.high, "highest_account", ("most",)),
        ("risk", "percent", year.risk, "volatility", ()),
        ("benchmark_risk", "percent", year.benchmark_risk, "benchmark_volatility", ()),
    )
    for name, kind, value, metric, way in figures:
        if value is not None:
            decimals = 2 if name in ("dispersion", "low", "high") else None
            cell = f"{record.key}, {year.year}, {name}"
            facts.fact(
                f"{year.prefix}.{name}",
                kind,
                value,
                metric,
                COMPOSITES,
                cell,
                of=(model, when),
                way=way,
                decimals=decimals,
            )
