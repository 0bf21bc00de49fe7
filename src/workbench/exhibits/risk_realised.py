"""The risk chapter: what factors the models' active return and tracking error came from, after the fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from workbench import attribution
from workbench.attribution import FactorAttribution
from workbench.errors import WorkbenchError
from workbench.exhibits.drift_facts import absent, display_names
from workbench.exhibits.origin import Origin
from workbench.exhibits.risk_sources import UNEXPLAINED, factor_keys, factor_name
from workbench.exhibits.standing import standing
from workbench.firm import Firm
from workbench.report import Column, Exhibit, TableBody
from workbench.report import format as fmt
from workbench.risk import Overview, factor_returns

TABLES = ["prices", "securities", "models", "model_targets", "sleeve_benchmarks", "model_benchmarks"]
#: Sessions looked back: a year, or as far as prices reach.
YEAR = 252
#: Below this a part is rounding.
_NOTHING = 1e-9
_LABELS = {"specific": UNEXPLAINED, "unexplained": "Not of the holdings"}
#: The same within a sentence.
_CAUSES = {"specific": "what no factor explains", "unexplained": "what the holdings do not explain"}
_TITLES = {"return": "What factors gave to the active return", "risk": "What factors gave to the tracking error"}
_COLUMNS = {"return": "return_contribution", "risk": "volatility_contribution"}


def realised(firm: Firm, seen: Overview, periods: int = YEAR) -> dict[str, FactorAttribution | str]:
    """Each model against its benchmark over the last `periods` sessions, by factor; or the reason why there is none.

    The model is its paper portfolio, without costs; cut to as many sessions as there are.
    """
    watched = seen.watched
    periods = min(periods, watched.last)
    if seen.no_risk or periods < 1:
        return dict.fromkeys(watched.models, seen.no_risk or "prices of one session only")
    try:
        paths = attribution.load_models(firm, watched.sessions[-periods - 1 :])
        factors = factor_returns(watched, seen.risk, periods)
    except WorkbenchError as error:
        return dict.fromkeys(watched.models, str(error))
    result: dict[str, FactorAttribution | str] = {}
    for model in paths.models:
        try:
            result[model] = attribution.model_factor_attribution(paths, model, factors)
        except WorkbenchError as error:
            result[model] = str(error)
    return result


def factor_table(
    results: Mapping[str, FactorAttribution | str], origin: Origin, names: pd.Series, what: Literal["return", "risk"]
) -> Exhibit:
    """One column a model: what each factor gave to its active return, or to its tracking error."""
    id, title = f"risk-realised-{what}", _TITLES[what]
    known = {model: result for model, result in results.items() if isinstance(result, FactorAttribution)}
    why = [str(result) for result in results.values() if isinstance(result, str)]
    if not known:
        return absent(id, title, f"Nothing can be attributed: {why[0] if why else 'no model is in force'}.")
    shown = display_names(names)
    values = {model: result.parts[_COLUMNS[what]].to_numpy() for model, result in known.items()}
    *factors, _, _ = map(str, next(iter(known.values())).parts.index)
    keys = factor_keys(factors, ("specific", "unexplained", "total"), origin)
    parts = pd.DataFrame(values, index=keys[:-1])
    if (parts.loc["unexplained"].abs() < _NOTHING).all():
        parts = parts.drop("unexplained")  # a paper portfolio is nothing but its holdings
    called = dict(zip(keys, factors, strict=False))
    totals = [result.total_return if what == "return" else result.volatility for result in known.values()]
    labels = [str(shown.get(model, model)) for model in known]
    columns = (
        Column("part", "Factor", emphasis=True),
        *(Column(f"{origin.slug(model)}.{what}", label, "bp") for model, label in zip(known, labels, strict=True)),
    )
    frame = pd.concat([parts, pd.DataFrame([totals], index=["total"], columns=parts.columns)])
    frame.columns = pd.Index([column.name for column in columns[1:]])
    frame.insert(0, "part", [_LABELS.get(key) or factor_name(called[key]) for key in parts.index] + ["Total"])
    rows, facts = origin.table(
        "risk.realised", frame, columns, "attribution.model_factor_attribution", TABLES, keys=frame.index
    )
    periods = next(iter(known.values())).periods
    basis = f"paper portfolios of the models less their benchmarks, {fmt.count(periods)} sessions, before costs; "
    basis += "returns compounded, linked by Carino" if what == "return" else "standard deviation a year"
    note = "Exposures are those that fit these sessions best: this says what was, not what will be. "
    note = note if what == "return" else ""
    note += " ".join(f"Not shown: {reason}." for reason in dict.fromkeys(why))
    return Exhibit(
        id,
        title,
        TableBody(columns, rows, total_row=True, note=note.strip()),
        _takeaway(parts, totals, labels, called, what),
        origin.settings(basis, TABLES),
        facts,
    )


def _takeaway(parts: pd.DataFrame, totals: list[float], labels: list[str], called: Mapping[str, str], what: str) -> str:
    """The model furthest from its benchmark, and what that was made of most."""
    at = int(np.argmax(np.abs(totals)))
    total, own = totals[at], parts.iloc[:, at]
    # The part that pulled most in the direction of the total.
    first = str((own * np.sign(total)).idxmax())
    cause = _CAUSES.get(first) or called[first]
    amount = fmt.basis_points(abs(own[first]))
    offset = ", which others offset in part" if abs(own[first]) > abs(total) else ""
    if what == "risk":
        words = f"{labels[at]} moved furthest from its benchmark, {fmt.basis_points(total)} a year"
        return f"{words}: {amount} from {cause}{offset}."
    did = "cost" if total < 0 else "helped"
    stands = standing(total, fmt.basis_points(abs(total)))
    return f"{labels[at]} was {stands} its benchmark; {cause} {did} most, {amount}{offset}."
