"""What the sleeve chapter's exhibits share: the firm's figures, plain names of the effects, what figures rest on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.attribution import Linked, SleeveReview, rows_of
from workbench.exhibits.origin import Origin
from workbench.exhibits.standing import standing
from workbench.report import Fact
from workbench.report import format as fmt
from workbench.report.format import clipped

FUNCTION = "attribution.sleeves"
TABLES = [
    "accounts", "model_benchmarks", "model_targets", "models", "positions", "prices", "securities",
    "sleeve_benchmarks", "transactions",
]  # fmt: skip
#: The effects as a committee reads them, in the order they are shown.
WORDS = {
    "allocation": "Allocation",
    "selection": "Selection",
    "interaction": "Interaction",
    "timing": "Other weights than the model's",
    "cash": "Cash beyond the model's",
    "other_holdings": "Holdings outside the model",
    "trading": "Trading",
    "fees": "Fees",
    "residual": "Residual",
}
#: What the colours of a bridge's steps say.
BRIDGE_SIDES = ("lowers the return", "raises it")
#: The same within a sentence that begins "mostly through".
PHRASES = {
    "allocation": "the sleeves' weights",
    "selection": "what the sleeves hold",
    "interaction": "weights and holdings together",
    "timing": "weights other than the model's",
    "cash": "cash beyond the model's",
    "other_holdings": "holdings outside the model",
    "trading": "trading",
    "fees": "fees",
    "residual": "a residual",
}
_LINKINGS = {"carino": "Carino", "menchero": "Menchero", "frongello": "Frongello"}
_PERIODS = {
    "month": "the month to date",
    "quarter": "the quarter to date",
    "year": "the year to date",
    "12 months": "the last 12 months",
    "36 months": "the last 36 months",
    "60 months": "the last 60 months",
}
#: Longer names are clipped: they stand in sentences and beside bars.
_LONGEST = 44
#: What is smaller reads as nothing, in whole basis points.
SLIGHT = 0.5e-4


def basis(review: SleeveReview) -> str:
    """What every figure rests on, for the settings line."""
    first, last = measured_from(review), review.sessions[-1]
    return (
        f"daily returns after fees from the close of {fmt.long_date(str(first))} to that of "
        f"{fmt.long_date(str(last))}, not annualised; linked by {_LINKINGS[review.accounts.linking]}'s method"
    )


def span(review: SleeveReview) -> str:
    """The period in words: that asked for, or since when there is something to measure: prices, models, accounts."""
    first, last = measured_from(review), review.sessions[-1]
    if review.period == "inception" or first > review.sessions[0]:
        return f"the time since {fmt.long_date(str(first))}"
    calendar = {"month": "M", "quarter": "Q", "year": "Y"}
    if review.period in calendar:
        short = first >= last.to_period(calendar[review.period]).start_time
    else:
        short = first > last - pd.DateOffset(months=int(review.period.split()[0]))
    return f"the time since {fmt.long_date(str(first))}" if short else _PERIODS[review.period]


def measured_from(review: SleeveReview) -> pd.Timestamp:
    """The first close from which any account is measured; that of the period where none is."""
    return pd.Timestamp(review.sessions[int(np.argmax(review.accounts.firm.begin[0] > 0))])


def firm_linked(review: SleeveReview) -> Linked:
    """The rows of all accounts put together, linked."""
    return review.accounts.firm.linked(review.accounts.linking)


def firm_effects(review: SleeveReview) -> pd.Series:
    """Each effect over all sleeves for all accounts put together, linked, by its name."""
    effects, names = firm_linked(review).effects[0], review.accounts.names
    return pd.Series({effect: float(effects[rows_of(names, effect)].sum()) for effect in WORDS})


def firm_facts(review: SleeveReview, origin: Origin) -> dict[str, Fact]:
    """Returns of all accounts put together and each part of their excess; nothing where no account was measured."""
    measured = len(review.accounts.accounts)
    facts = {"accounts": origin.fact("sleeves.firm.accounts", measured, "count", FUNCTION, TABLES)}
    if not measured:
        return facts
    linked, effects = firm_linked(review), firm_effects(review)
    model = list(WORDS)[:3]
    figures = {
        "portfolio": (float(linked.portfolio[0]), "percent"),
        "benchmark": (float(linked.benchmark[0]), "percent"),
        "excess": (float(linked.excess[0]), "bp"),
        "model": (float(effects[model].sum()), "bp"),
        "implementation": (float(effects.drop(model).sum()), "bp"),
    }
    figures |= {name: (float(value), "bp") for name, value in effects.items()}
    digits = {"percent": 2, "bp": 1}
    return facts | {
        name: origin.fact(f"sleeves.firm.{name}", value, unit, FUNCTION, TABLES, digits=digits[unit])
        for name, (value, unit) in figures.items()
    }


def by_sleeve(review: SleeveReview) -> pd.DataFrame:
    """Part of each sleeve in the excess of all accounts put together: sleeve_id, model, timing."""
    effects, names = firm_linked(review).effects[0], review.accounts.names
    frame = names.assign(value=effects).dropna(subset="sleeve_id")
    frame["side"] = np.where(frame["effect"] == "timing", "timing", "model")
    wide = frame.pivot_table(index="sleeve_id", columns="side", values="value", aggfunc="sum")
    return wide.reindex(list(review.accounts.sleeves))[["model", "timing"]].rename_axis(columns=None).reset_index()


def sleeve_name(review: SleeveReview, sleeve: str) -> str:
    """A sleeve's name, with its identifier where two share one."""
    names = review.names.map(lambda name: clipped(str(name), _LONGEST))
    name = str(names.get(sleeve, sleeve))
    return f"{name} ({sleeve})" if (names == name).sum() > 1 else name


def group_name(review: SleeveReview, level: str, group: str) -> str:
    """A group's name; a security's after its identifier."""
    if level != "security_id":
        return clipped(group, _LONGEST)
    name = str(review.security_names.get(group, group))
    return group if name == group else f"{group}, {clipped(name, _LONGEST)}"


def most_at_stake(review: SleeveReview, most: int) -> list[str]:
    """The sleeves whose difference to their benchmark is the most dollars, by sleeve_id."""
    stake = {pool.sleeve_id: abs(float(pool.linked.excess) * pool.begin.mean()) for pool in review.pools.pools}
    return sorted(stake, key=lambda sleeve: -stake[sleeve])[:most]


def ahead(value: float) -> str:
    """An excess as words: "12 bp ahead of", "30 bp behind", "level with"."""
    return standing(value, fmt.basis_points(abs(value)))


def inside(text: str) -> str:
    """A label of `WORDS`, or a sentence that begins with one, as it reads inside a sentence."""
    return f"{text[:1].lower()}{text[1:]}"


def brought(value: float) -> str:
    """What a decision did, as words: "brought 16 bp", "cost 139 bp", "changed nothing"."""
    if abs(value) < SLIGHT:
        return "changed nothing"
    return f"{'brought' if value > 0 else 'cost'} {fmt.basis_points(abs(value))}"


def doubts(review: SleeveReview) -> list[str]:
    """What cannot be said, as sentences: missing benchmarks, carried prices, what lies outside every sleeve."""
    paths, said = review.paths, []
    bare = [sleeve_name(review, s) for s, has in zip(paths.sleeves, paths.sleeve_has_benchmark, strict=True) if not has]
    held = {pool.sleeve_id for pool in review.pools.pools}
    bare = [name for name in bare if name in {sleeve_name(review, sleeve) for sleeve in held}]
    if bare:
        each = "has no benchmark of its own and is" if len(bare) == 1 else "have no benchmark of their own and are"
        said.append(f"{_joined(bare)} {each} measured against the model itself, so nothing counts as selection there.")
    without = [m for m, has in zip(paths.models, paths.model_has_benchmark, strict=True) if not has]
    in_use = set(review.accounts.accounts["model_id"])
    if without := [model for model in without if model in in_use]:
        whose = f"No policy weights are kept for {_joined(without)}"
        if len(without) == len(in_use):
            whose = "No policy weights are kept for any model"
        said.append(f"{whose}: allocation between sleeves is not measured and shows as zero.")
    said += _begun_later(review, in_use)
    if len(paths.carried):
        names = sorted(paths.carried["security_id"].unique())
        said.append(
            f"The last known close stood in for {len(paths.carried):,} missing "
            f"{'one' if len(paths.carried) == 1 else 'ones'} of {_joined(names)}."
        )
    return said


def _joined(names: list[str], most: int = 4) -> str:
    shown, more = names[:most], len(names) - most
    if more > 0:
        return ", ".join(shown) + f" and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _begun_later(review: SleeveReview, models: set[str]) -> list[str]:
    """Which models in use had no version in force from the first close on."""
    paths, first = review.paths, measured_from(review)
    since = {
        model: pd.Timestamp(paths.sessions[int(there.argmax())])
        for model, there in zip(paths.models, paths.exists, strict=True)
        if model in models
    }
    return [
        f"{model} has a version in force only since {fmt.long_date(str(day))}; its accounts are measured from then on."
        for model, day in since.items()
        if day > first
    ]
