"""Warnings on what is held: companies over sleeves and accounts, few names, positions that take long to sell.

A company is an issuer of shares or bonds; its securities are added up by `issuer_id`. Funds are not looked through: a
company inside a fund is not counted, and the book keeps no holdings of funds to count it by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.firm import CASH
from workbench.market import PARTICIPATION
from workbench.risk._readings import PERSISTENCE, Reading
from workbench.risk.limits import Limit
from workbench.risk.watched import Flags, Floats, Ints, Watched, added_up

#: A company counts as large from this share of all assets on (UCITS Directive 2009/65/EC, Article 52).
LARGE = 0.05
#: Companies in the sum of the largest.
TOP = 10
#: A household's number of companies matters where they are at least this part of its assets.
COMPANY_PART = 0.25


@dataclass(frozen=True, eq=False)
class Exposures:
    """Companies in the firm, its models and households over D days; weights are of the whole, cash included.

    `firm` is D x I over issuers, `model` D x M x I, `held` the shares of each security in the firm (D x S).
    `household_key` sorts the pairs of household and issuer that any day knows (P, household x I + issuer);
    `household_weight` is D x P, `household_value` D x H.
    """

    days: pd.DatetimeIndex
    firm: Floats
    model: Floats
    held: Floats
    household_key: Ints
    household_weight: Floats
    household_value: Floats
    unpriced: tuple[str, ...]


def exposures(watched: Watched, days: Sequence[int]) -> Exposures:
    """Add up holdings at the close of each day; what never had a price is left out and named in `unpriced`."""
    issuer, names = watched.issuers
    issuers, households = len(names), len(watched.households)
    security, household = watched.holding_security, watched.holding_household
    model = watched.model[watched.holding_account]
    company = watched.is_company[security]
    pair = household * issuers + issuer[security]
    key, place = np.unique(pair[company], return_inverse=True)
    firm, models, held, weights, values = [], [], [], [], []
    unpriced = np.zeros(len(watched.securities), bool)
    for day in days:
        worth = watched.value_at(day)
        lost = np.isnan(worth)
        unpriced[security[lost]] = True
        worth = np.where(lost, 0.0, worth)
        long = np.where(company, np.maximum(worth, 0.0), 0.0)
        firm.append(_parts(added_up(long, issuer[security], issuers), worth.sum()))
        on = model >= 0
        by_model = added_up(
            long[on], model[on] * issuers + issuer[security[on]], len(watched.models) * issuers
        ).reshape(len(watched.models), issuers)
        total = added_up(worth[on], model[on], len(watched.models))
        models.append(_parts(by_model, total[:, None]))
        held.append(added_up(watched.quantity_at(day), security, len(watched.securities)))
        value = added_up(worth, household, households)
        values.append(value)
        weights.append(_parts(added_up(long[company], place, len(key)), value[key // issuers]))
    return Exposures(
        watched.sessions[list(days)],
        np.array(firm),
        np.array(models),
        np.array(held),
        key,
        np.array(weights),
        np.array(values),
        tuple(watched.securities["security_id"][unpriced]),
    )


def issuer_by_sleeve(watched: Watched) -> pd.DataFrame:
    """Dollars in each company by sleeve on the as-of date: a company may be in several sleeves of one account.

    Columns: issuer_id, name, sleeve_id ("" where no model in force names the holding), dollars, weight (of all
    assets), accounts, households. A holding that a model has in two sleeves is divided by their targets.
    """
    issuer, names = watched.issuers
    worth = np.nan_to_num(watched.value_at(watched.last))
    company = watched.is_company[watched.holding_security] & (worth > 0)
    frame = pd.DataFrame(
        {
            "account": watched.holding_account[company],
            "model": watched.model[watched.holding_account[company]],
            "security": watched.holding_security[company],
            "dollars": worth[company],
        }
    )
    targets = watched.sleeve_of_target.groupby(["model", "security", "sleeve_id"], as_index=False)["target"].sum()
    targets = targets[targets["target"] > 0]
    whole = targets.groupby(["model", "security"])["target"].transform("sum")
    targets = targets.assign(part=targets["target"] / whole).drop(columns="target")
    frame = frame.merge(targets, on=["model", "security"], how="left")
    frame["sleeve_id"] = frame["sleeve_id"].fillna("")
    frame["dollars"] = frame["dollars"] * frame["part"].fillna(1.0)
    frame["issuer_id"] = names.to_numpy()[issuer[frame["security"].to_numpy()]]
    frame["household"] = watched.household[frame["account"].to_numpy()]
    grouped = frame.groupby(["issuer_id", "sleeve_id"], as_index=False).agg(
        dollars=("dollars", "sum"), accounts=("account", "nunique"), households=("household", "nunique")
    )
    total = worth.sum()
    grouped["weight"] = grouped["dollars"] / total if total > 0 else np.nan
    named = watched.securities.assign(issuer_id=names.to_numpy()[issuer]).drop_duplicates("issuer_id")
    grouped["name"] = grouped["issuer_id"].map(named.set_index("issuer_id")["name"])
    order = grouped.groupby("issuer_id")["dollars"].transform("sum")
    grouped = grouped.assign(order=order).sort_values(
        ["order", "issuer_id", "dollars", "sleeve_id"], ascending=[False, True, False, True], ignore_index=True
    )
    return grouped[["issuer_id", "name", "sleeve_id", "dollars", "weight", "accounts", "households"]]


def _issuer_firm(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    if (reason := _nothing(found)) is not None:
        return reason
    worst, beyond = _worst(found.firm, limit.value)
    return Reading(
        pd.Series(found.firm[:, worst], index=found.days),
        str(watched.issuers[1][worst]),
        *_in_issuer(watched, beyond[watched.issuers[0][watched.holding_security]]),
        unknown=found.unpriced,
    )


def _issuer_model(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    if (reason := _nothing(found)) is not None:
        return reason
    if not len(watched.models) or np.isnan(found.model[-1]).all():
        return Reading.unmeasured("no account is on a model in force")
    place, past = _worst(found.model.reshape(len(found.days), -1), limit.value)
    model, worst = divmod(place, len(watched.issuers[1]))
    beyond = past.reshape(found.model.shape[1:])
    account_model = watched.model[watched.holding_account]
    issuer = watched.issuers[0][watched.holding_security]
    within = (account_model >= 0) & beyond[account_model, issuer]
    series = pd.Series(found.model[:, model, worst], index=found.days).fillna(0.0)
    subject = f"{watched.issuers[1][worst]} in {watched.models[model]}"
    return Reading(series, subject, *_in_issuer(watched, within), unknown=found.unpriced)


def _issuer_household(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    if (reason := _nothing(found)) is not None:
        return reason
    issuers = len(watched.issuers[1])
    worst, beyond = _worst(found.household_weight, limit.value)
    household, issuer = divmod(int(found.household_key[worst]), issuers)
    pair = watched.holding_household * issuers + watched.issuers[0][watched.holding_security]
    within = np.isin(pair, found.household_key[beyond]) & watched.is_company[watched.holding_security]
    series = pd.Series(found.household_weight[:, worst], index=found.days).fillna(0.0)
    subject = f"{watched.households['household_id'].iloc[household]}, {watched.issuers[1][issuer]}"
    return Reading(series, subject, *_in_issuer(watched, within), unknown=found.unpriced)


def _large_companies(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    if (reason := _nothing(found)) is not None:
        return reason
    large = found.firm > LARGE
    series = pd.Series(np.where(large, found.firm, 0.0).sum(axis=1), index=found.days)
    within = large[-1][watched.issuers[0][watched.holding_security]]
    count = int(large[-1].sum())
    subject = f"{count} {'company' if count == 1 else 'companies'}"
    return Reading(series, subject, *_in_issuer(watched, within), unknown=found.unpriced)


def _top_holdings(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    if (reason := _nothing(found)) is not None:
        return reason
    order = np.argsort(-found.firm, axis=1, kind="stable")[:, :TOP]
    series = pd.Series(np.take_along_axis(found.firm, order, axis=1).sum(axis=1), index=found.days)
    top = np.zeros(found.firm.shape[1], bool)
    top[order[-1]] = True
    return Reading(
        series,
        f"first {watched.issuers[1][order[-1, 0]]}",
        *_in_issuer(watched, top[watched.issuers[0][watched.holding_security]]),
        unknown=found.unpriced,
    )


def _effective_number(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    if (reason := _nothing(found)) is not None:
        return reason
    total, squares = found.firm.sum(axis=1), (found.firm**2).sum(axis=1)
    number = np.divide(total**2, squares, out=np.full(len(total), np.inf), where=squares > 0)
    held = np.isfinite(number)
    series = pd.Series(number[held], index=found.days[held])
    return Reading(
        series,
        f"{int((found.firm[-1] > 0).sum())} companies held",
        *_in_issuer(watched, np.ones(len(watched.quantity), bool)),
        unknown=found.unpriced,
    )


def _effective_number_household(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    if (reason := _nothing(found)) is not None:
        return reason
    owner = found.household_key // len(watched.issuers[1])
    number = np.full(found.household_value.shape, np.inf)
    for day, weight in enumerate(np.nan_to_num(found.household_weight)):
        total = added_up(weight, owner, len(watched.households))
        squares = added_up(weight**2, owner, len(watched.households))
        counts = total >= COMPANY_PART
        number[day, counts] = total[counts] ** 2 / squares[counts]
    if np.isinf(number[-1]).all():
        return Reading.unmeasured("no household holds a quarter of its assets in companies", found.unpriced)
    few = number[-PERSISTENCE:].max(axis=0) < limit.value
    worst = int(np.where(few, number[-1] - 1e6, number[-1]).argmin())
    series = pd.Series(number[:, worst], index=found.days)
    last_other = np.flatnonzero(np.isinf(number[:, worst]))
    series = series.iloc[last_other[-1] + 1 :] if len(last_other) else series
    within = few[watched.holding_household]
    subject = str(watched.households["household_id"].iloc[worst])
    return Reading(series, subject, *_in_issuer(watched, within), unknown=found.unpriced)


def _days_to_trade(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    adv = watched.securities["adv"].to_numpy(np.float64)
    ids = watched.securities["security_id"].to_numpy()
    traded = (found.held[-1] != 0.0) & (ids != CASH)
    unknown = tuple(ids[traded & np.isnan(adv)])
    known = traded & ~np.isnan(adv)
    if not known.any():
        why = "no average volume is known of anything held" if len(unknown) else "nothing but cash is held"
        return Reading.unmeasured(why, unknown)
    needed = np.abs(found.held[:, known]) / (PARTICIPATION * adv[known])
    worst, beyond = _worst(needed, limit.value)
    slow = np.zeros(len(ids), bool)
    slow[np.flatnonzero(known)[beyond]] = True
    touched, dollars = in_holdings(watched, slow[watched.holding_security])
    series = pd.Series(needed[:, worst], index=found.days)
    return Reading(series, str(ids[known][worst]), touched, dollars, unknown=unknown)


CONCENTRATION: Mapping[str, Callable[[Watched, Limit, Exposures], Reading]] = {
    "issuer_firm": _issuer_firm,
    "issuer_model": _issuer_model,
    "issuer_household": _issuer_household,
    "large_companies": _large_companies,
    "top_holdings": _top_holdings,
    "effective_number": _effective_number,
    "effective_number_household": _effective_number_household,
    "days_to_trade": _days_to_trade,
}


def in_holdings(watched: Watched, which: Flags) -> tuple[Flags, Floats]:
    """The accounts of some of today's holdings, and the dollars in them, by account (N)."""
    worth = np.where(which, np.nan_to_num(watched.value_at(watched.last)), 0.0)
    count = len(watched.accounts)
    held = which & (watched.quantity_at(watched.last) != 0.0)
    touched = np.bincount(watched.holding_account[held], minlength=count) > 0
    return touched, added_up(worth, watched.holding_account, count)


def _worst(values: Floats, limit: float) -> tuple[int, Flags]:
    """The largest of today's values (D x X), and which were above the limit at each of the last closes.

    Among those that stayed above first, so that one's noisy day does not hide another's five.
    """
    recent = np.nan_to_num(values[-PERSISTENCE:])
    beyond = recent.min(axis=0) > limit
    return int(np.where(beyond, recent[-1] + recent[-1].max(), recent[-1]).argmax()), beyond


def _in_issuer(watched: Watched, which: Flags) -> tuple[Flags, Floats]:
    return in_holdings(watched, which & watched.is_company[watched.holding_security])


def _nothing(found: Exposures) -> Reading | None:
    """Why companies cannot be measured at all, where that is so."""
    if not np.isfinite(found.firm[-1]).all():
        return Reading.unmeasured("the firm's assets are not above zero", found.unpriced)
    if not (found.firm[-1] > 0).any():
        return Reading.unmeasured("no company is held directly", found.unpriced)
    return None


def _parts(amounts: Floats, total: Floats | float) -> Floats:
    """Amounts as part of a total; missing where that is not above zero."""
    whole = np.broadcast_to(np.asarray(total, np.float64), amounts.shape)
    return np.divide(amounts, whole, out=np.full(amounts.shape, np.nan), where=whole > 0)
