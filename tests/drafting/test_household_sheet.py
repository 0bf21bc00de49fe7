"""A household's sheet: every figure of its proposal with source, metric, entity and direction, and nothing besides."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.drafting.verifying import verify
from workbench.errors import FactError

_spec = importlib.util.spec_from_file_location(
    "household_samples_sheet", Path(__file__).parent / "household_samples.py"
)
samples = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(samples)
proposals, sheet_of = samples.proposals, samples.sheet_of


def test_the_same_household_gives_the_same_sheet():
    assert sheet_of().hash == sheet_of().hash


def test_a_trade_is_of_its_account_and_security_and_goes_its_way():
    made = sheet_of()
    sold = next(fact for fact in made.facts if fact.id.endswith(".amount") and fact.direction == ("sell",))
    assert sold.entity == ("account:A1", "security:VTI")
    assert "VTI" in sold.source.cell
    assert sold.source.tables


def test_a_part_of_the_trades_does_not_read_as_all_of_them():
    made = sheet_of()
    part = next(fact for fact in made.facts if fact.id.startswith("why.") and fact.direction[0] == "sell")
    shown = f"${part.magnitude / 2:,.0f}"
    made = replace(
        made, facts=tuple(replace(one, value=part.magnitude / 2) if one is part else one for one in made.facts)
    )
    assert verify(f"We sell {shown} of what is above its target.", made).supported
    assert not verify(f"In all, we sell {shown}.", made).supported
    assert not verify(f"We sell about {shown}.", made).supported


def test_weights_are_of_class_and_model_and_read_before_and_after():
    made = sheet_of()
    before, after, off = (made.fact(f"model.1.drift.1.{name}") for name in ("before", "after", "off"))
    assert (before.value, after.value) == (0.437, 0.401)
    assert before.entity == ("asset_class:US equity", "model:BAL")
    assert (before.direction, after.direction, off.direction) == (("before",), ("after",), ("over",))


def test_a_security_that_is_only_washed_with_what_is_sold_is_not_named():
    made = sheet_of()
    names = [made.fact(f"{one}.symbol").value for one in made.groups("wash.1.security")]
    assert names == ["VTI"]
    assert made.fact("wash.1.until").value == "2023-01-27"


def test_a_distribution_that_cash_does_not_cover_says_what_is_missing():
    need = replace(proposals.make_proposal().cash_needs[0], available_after=1_000.0)
    made = sheet_of(cash_needs=(need,))
    assert made.fact("need.rmd.1.short").value == 3_000.0
    assert not sheet_of().has("need.rmd.1.short")


def test_amounts_that_print_as_nothing_are_no_facts():
    table = replace(proposals.make_tax_table(), tax=0.3, losses_harvested=0.0)
    made = sheet_of(tax_table=table)
    assert not made.has("tax.change")
    assert not made.has("tax.harvested")


def test_a_household_without_a_taxed_account_has_no_tax_year():
    accounts = tuple(replace(one, registration="roth_ira") for one in proposals.make_proposal().accounts)
    assert not sheet_of(accounts=accounts).has("tax.year")


def test_a_draft_version_is_not_told():
    named = replace(samples.NAMED, versions={"BAL": samples.NAMED.versions["BAL"]})
    assert [sheet_of(named=named).fact(f"{v}.number").value for v in sheet_of().groups("model.1.version")] == [4, 3]


def test_a_version_later_than_the_proposals_is_not_told():
    group = replace(proposals.make_proposal().groups[0], model_version=3)
    assert sheet_of(groups=(group,)).fact("model.1.version.1.number").value == 3


def test_an_account_kept_apart_owns_its_weights():
    first = proposals.make_proposal().groups[0]
    groups = (replace(first, accounts=("A1",)), replace(first, group="H1 A2", accounts=("A2",), value=1.0))
    made = sheet_of(groups=groups)
    assert made.fact("model.1.drift.1.before").entity == ("asset_class:US equity", "model:BAL", "account:A1")


def test_a_file_without_a_snapshot_is_refused():
    with pytest.raises(FactError, match="no source"):
        sheet_of(extras=replace(samples.FILE, snapshot=""))


def test_a_security_that_is_no_symbol_is_refused_by_name():
    trade = replace(proposals.make_proposal().trades[0], security_id="V TI")
    with pytest.raises(FactError, match="V TI"):
        sheet_of(trades=(trade,))


def test_a_figure_that_is_not_finite_is_refused():
    trade = replace(proposals.make_proposal().trades[0], amount=float("nan"))
    with pytest.raises(FactError, match="not a finite number"):
        sheet_of(trades=(trade,))
