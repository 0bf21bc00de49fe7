"""Eligibility: is this model for this account, may this registration hold it, and is each purchase of the model."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.compliance.checks.series import history
from workbench.compliance.context import Context
from workbench.compliance.firm_view import FirmView
from workbench.compliance.judgement import judge
from workbench.compliance.outcome import Outcome
from workbench.compliance.rule import Rule
from workbench.compliance.wording import counted
from workbench.compliance.words import dollars, quoted

Ints = NDArray[np.int64]


def model_eligible(context: Context, rule: Rule) -> Outcome:
    """Accounts that buy: their model has a version in force, and the rule does not bar it from their registration."""
    view, orders = context.view, context.orders
    rows = np.flatnonzero(context.known & ~orders.sell)
    n_accounts = max(len(view.account_household), 1)
    whose, account = np.divmod(np.unique(orders.proposal[rows] * n_accounts + context.account[rows]), n_accounts)
    registrations, code, _, place = _mandates(view)
    registration, unknown = registrations[code[account]], place[account] < 0
    model = view.accounts["model_id"].iloc[account].astype("object").to_numpy(object)
    barred = {str(name): set(models) for name, models in rule.parameters["not_for"].items()}
    fails = np.array([str(m) in barred.get(r, ()) for m, r in zip(model, registration, strict=True)], bool)

    def reason(row: int) -> str:
        name = view.account_ids[account[row]]
        if pd.isna(model[row]):
            return f"{name} would buy and has no model, so nothing says what it may buy."
        if unknown[row]:
            return f"{name} would buy, and its model {quoted(model[row])} has no version in force."
        verb = "is not for" if fails[row] else "may be used in"
        return f"Model {quoted(model[row])} of {name} {verb} a {_spoken(registration[row])} account."

    return judge(
        rule, len(context), whose, value=fails.astype(np.float64), limit=0.0, fails=fails, unknown=unknown,
        subject=lambda row: str(view.account_ids[account[row]]), reason=reason,
        otherwise="No account buys.",
    )  # fmt: skip


def registration_menu(context: Context, rule: Rule) -> Outcome:
    """Dollars bought of an asset class or kind that the account's registration may not, or should not, hold."""
    view, orders = context.view, context.orders
    rows = np.flatnonzero(context.known & ~orders.sell)
    registrations, code, _, _ = _mandates(view)
    kind, asset_class = (view.securities[name].astype(str).to_numpy(object) for name in ("kind", "asset_class"))
    off = np.zeros((len(registrations), len(kind)), bool)
    for place, registration in enumerate(registrations):
        names = set(rule.parameters["not_for"].get(str(registration), ()))
        off[place] = [k in names or c in names for k, c in zip(kind, asset_class, strict=True)]
    account, security = context.account[rows], context.security[rows]
    fails = off[code[account], security]
    amount = orders.shares[rows] * orders.price[rows]

    def reason(row: int) -> str:
        s, registration = security[row], registrations[code[account[row]]]
        said = "is not on the menu of" if fails[row] else "may be bought in"
        return (
            f"{view.security_ids[s]} ({kind[s]}, {quoted(asset_class[s])}) {said} a {_spoken(registration)} account; "
            f"{view.account_ids[account[row]]} would buy {dollars(float(amount[row]))} of it."
        )

    return judge(
        rule, len(context), orders.proposal[rows], value=np.where(fails, amount, 0.0), limit=0.0, fails=fails,
        subject=lambda row: context.trade_name(int(rows[row])), reason=reason, otherwise="Nothing is bought.",
    )  # fmt: skip


def in_mandate(context: Context, rule: Rule) -> Outcome:
    """Dollars bought of what the account's model does not target and no substitute allowed for its registration is."""
    view, orders = context.view, context.orders
    rows = np.flatnonzero(context.known & ~orders.sell)
    registrations, code, models, model = _mandates(view)
    permitted = _permitted(context, models, registrations)
    account, security = context.account[rows], context.security[rows]
    unknown = model[account] < 0
    inside = permitted[code[account], model[account], security] & ~unknown
    amount = orders.shares[rows] * orders.price[rows]

    def reason(row: int) -> str:
        name, bought = view.account_ids[account[row]], view.security_ids[security[row]]
        if unknown[row]:
            return f"{name} would buy {bought}, and no version of its model is in force that could ask for it."
        held = (
            "is a target or a permitted substitute" if inside[row] else "is neither a target nor a permitted substitute"
        )
        return (
            f"{name} would buy {dollars(float(amount[row]))} of {bought}, which {held} of its model "
            f"{quoted(models[model[account[row]]])}."
        )

    return judge(
        rule, len(context), orders.proposal[rows], value=np.where(inside, 0.0, amount), limit=0.0, fails=~inside,
        unknown=unknown, subject=lambda row: context.trade_name(int(rows[row])), reason=reason,
        otherwise="Nothing is bought.",
    )  # fmt: skip


def investment_changes(context: Context, rule: Rule) -> Outcome:
    """Days of the calendar year on which an account of the registrations named was rearranged, this proposal included.

    A day counts on which the account sold by decision of the firm (`rebalance` or `manual`); new money that is only
    invested is no change.
    """
    view, orders = context.view, context.orders
    rows = np.flatnonzero(context.known & orders.sell)
    registrations, code, _, _ = _mandates(view)
    rows = rows[np.isin(registrations, list(rule.parameters["registrations"]))[code[context.account[rows]]]]
    n_accounts = max(len(view.account_household), 1)
    whose, account = np.divmod(np.unique(orders.proposal[rows] * n_accounts + context.account[rows]), n_accounts)
    year = view.as_of.astype("datetime64[Y]").astype("datetime64[D]")
    made = history(view).occasions(year, sales_only=True)[account]
    most = float(rule.parameters["most"])

    def reason(row: int) -> str:
        return (
            f"{view.account_ids[account[row]]} was rearranged on {counted(made[row], 'day', 'days')} of "
            f"{str(year)[:4]} and would be once more; {most:.0f} a calendar year are allowed."
        )

    return judge(
        rule, len(context), whose, value=made + 1.0, limit=most, before=made,
        subject=lambda row: str(view.account_ids[account[row]]), reason=reason,
        otherwise="No account that the rule is about is rearranged.",
    )  # fmt: skip


@functools.lru_cache(maxsize=2)
def _mandates(view: FirmView) -> tuple[NDArray[np.object_], Ints, pd.Index, Ints]:
    """Registrations by name with each account's code, models in force by name with each account's code (-1: none)."""
    code, registrations = pd.factorize(view.accounts["registration"].astype("object"), sort=True)
    models = pd.Index(view.models["model_id"].astype(str))
    model = models.get_indexer(view.accounts["model_id"].astype("object"))
    return np.asarray(registrations, object), code.astype(np.int64), models, model.astype(np.int64)


def _permitted(context: Context, models: pd.Index, registrations: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Flags by registration, model and security: targets above zero, and substitutes of these where allowed."""
    view = context.view
    targets = view.targets[view.targets["target"] > 0.0]
    aimed = np.zeros((len(models) + 1, len(view.price)), bool)  # the last: no model in force, which targets nothing
    aimed[
        models.get_indexer(targets["model_id"].astype("object")),
        pd.Index(view.security_ids).get_indexer(targets["security_id"].astype("object")),
    ] = True
    found = np.repeat(aimed[None], len(registrations), axis=0)
    place = {str(name): at for at, name in enumerate(registrations)}
    for row in view.substitutes.itertuples():
        for registration in row.registrations:
            if str(registration) in place:
                found[place[str(registration)], :, int(row.substitute)] |= aimed[:, int(row.security)]
    return found


def _spoken(registration: str) -> str:
    return {"traditional_ira": "traditional IRA", "roth_ira": "Roth IRA", "inherited_ira": "inherited IRA"}.get(
        registration, registration
    )
