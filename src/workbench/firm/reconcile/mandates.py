"""Is every account on a model that is in force, with targets that sum to 1 and bands to hold it to?"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from workbench.firm.models import models_in_force
from workbench.firm.reconcile.findings import Book, Finding, listed, plural
from workbench.firm.validation import TARGET_SUM_TOLERANCE


def versions_in_force(book: Book) -> pd.DataFrame:
    """The version of each model in force at the as-of date: model_id and version."""
    return models_in_force(book.table("models"), book.as_of)[["model_id", "version"]]


def accounts_have_a_model(book: Book) -> Iterator[Finding]:
    """Each account's model exists and has a version in force; accounts without a model are listed."""
    accounts = book.table("accounts")[["account_id", "registration", "model_id", "stated_value"]]
    without = accounts.loc[accounts["model_id"].isna()]
    if len(without):
        yield Finding(
            check="model_in_force",
            severity="info",
            table="accounts",
            title="Accounts without a model",
            detail=f"{plural(len(without), 'account')}: {listed(without['account_id'])}.",
            remedy="assign a model, or leave the account out on purpose; its drift is not measured",
            rows=without.drop(columns="model_id").reset_index(drop=True),
            money=float(without["stated_value"].sum()),
        )
    assigned = accounts.loc[accounts["model_id"].notna()]
    lost = assigned.loc[~assigned["model_id"].isin(versions_in_force(book)["model_id"])]
    if len(lost):
        yield Finding(
            check="model_in_force",
            severity="severe",
            table="accounts",
            title="Accounts on a model with no version in force",
            detail=f"{plural(len(lost), 'account')} on {listed(lost['model_id'])}: {listed(lost['account_id'])}.",
            remedy="activate a version of the model effective by the as-of date, or move the accounts",
            rows=lost.reset_index(drop=True),
            money=float(lost["stated_value"].sum()),
        )


def targets_sum_to_one(book: Book) -> Iterator[Finding]:
    """The targets of each version sum to 1: a version in force that does not rejects the snapshot."""
    models = book.table("models")[["model_id", "version", "status", "effective_date"]]
    sums = book.table("model_targets").groupby(["model_id", "version"], observed=True)["target"].sum()
    rows = models.merge(sums.rename("target_sum").reset_index(), on=["model_id", "version"], how="left")
    rows["target_sum"] = rows["target_sum"].fillna(0.0).astype("float64")
    rows = rows.loc[(rows["target_sum"] - 1.0).abs() > TARGET_SUM_TOLERANCE]
    force = versions_in_force(book).assign(in_force=True)
    rows = rows.merge(force, on=["model_id", "version"], how="left")
    rows["in_force"] = rows["in_force"].notna()
    for in_force, severity in ((True, "reject"), (False, "severe")):
        part = rows.loc[rows["in_force"] == in_force].reset_index(drop=True)
        if part.empty:
            continue
        each = [f"{r.model_id} version {r.version} ({r.status}) {r.target_sum:.4f}" for r in part.itertuples()]
        yield Finding(
            check="target_sum",
            severity=severity,
            table="model_targets",
            title="Targets do not sum to 1" + (" in a version in force" if in_force else ""),
            detail=f"{plural(len(part), 'model version')}: {listed(each)}.",
            remedy="have the committee correct the targets before the version takes effect"
            if not in_force
            else "correct the targets; no drift can be measured against them",
            rows=part,
        )


def models_have_tolerances(book: Book) -> Iterator[Finding]:
    """Each model that accounts are on has at least one tolerance band."""
    accounts = book.table("accounts")
    used = accounts.loc[accounts["model_id"].notna()].groupby("model_id", observed=True).size()
    rows = used.loc[~used.index.isin(book.table("tolerances")["model_id"])].rename("accounts").reset_index()
    if len(rows):
        yield Finding(
            check="tolerances",
            severity="warning",
            table="tolerances",
            title="Models in use without tolerance bands",
            detail=f"{plural(len(rows), 'model')}: {listed(rows['model_id'])}, "
            f"with {plural(int(rows['accounts'].sum()), 'account')}.",
            remedy="add a tolerance for the model, if only at level security with key *; nothing breaches until then",
            rows=rows,
        )
