"""A folder of proposals: named by its content, whole or not there, and every file of it verifiable."""

import csv
import hashlib
import json

import pytest
from click.testing import CliRunner

from workbench import rebalance
from workbench.cli import main
from workbench.firm import open_firm
from workbench.firm.demo import build_firm
from workbench.proposals import RECORD, propose


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("proposals") / "firm"
    build_firm(folder, seed=7, as_of="2022-12-28", accounts=24)
    return folder


@pytest.fixture(scope="module")
def made(firm, tmp_path_factory):
    return propose(firm, out=tmp_path_factory.mktemp("out"))


def call(*arguments):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_package_verifies_and_the_record_names_it(made):
    record = json.loads((made.folder / RECORD).read_text())
    assert record["packages"] == rebalance.read_index(made.folder / "packages")
    for household, name in record["packages"].items():
        package = rebalance.read_package(made.folder / "packages" / f"{name}.json", expected=name)
        assert package.proposal.household_id == household
        assert dict(package.proposal.lineage)
    for name, digest in record["files"].items():
        assert hashlib.sha256((made.folder / name).read_bytes()).hexdigest() == digest


def test_orders_and_blocks_add_up_to_the_packages(made):
    proposals = [
        rebalance.read_package(made.folder / "packages" / f"{name}.json").proposal
        for name in rebalance.read_index(made.folder / "packages").values()
    ]
    ordered = sum(trade.shares for proposal in proposals for trade in proposal.trades)
    assert made.orders == len(rows(made.folder / "orders.csv"))
    for name in ("orders.csv", "blocks.csv"):
        assert sum(float(row["shares"]) for row in rows(made.folder / name)) == pytest.approx(ordered, abs=1e-4)


def test_each_household_has_a_brief_and_the_index_names_it(made):
    index = made.index.read_text()
    for household in rebalance.read_index(made.folder / "packages"):
        assert f"{household}.html" in index
        assert (made.index.parent / f"{household}.pdf").read_bytes().startswith(b"%PDF")


def test_the_same_inputs_find_the_folder_and_write_nothing(firm, made):
    before = {path: path.stat().st_mtime_ns for path in made.folder.rglob("*")}
    again = propose(firm, out=made.folder.parent, workers=2)
    assert again.reused
    assert again.folder == made.folder
    assert {path: path.stat().st_mtime_ns for path in made.folder.rglob("*")} == before


def test_other_settings_are_another_folder(firm, made, tmp_path):
    settings = tmp_path / "settings.yml"
    settings.write_text("mode: invest_cash\n")
    other = propose(firm, settings=settings, out=made.folder.parent, briefs=False)
    assert other.folder != made.folder
    for name in rebalance.read_index(other.folder / "packages").values():
        package = rebalance.read_package(other.folder / "packages" / f"{name}.json")
        assert package.proposal.mode == "invest_cash"
        assert {trade.side for trade in package.proposal.trades} <= {"buy"}


def test_one_household_by_the_command_line(firm, tmp_path):
    household = rebalance.load(open_firm(firm)).household_ids[0]
    result = call("propose", "--firm", firm, "--household", household, "--out", tmp_path, "--jobs", 1)
    assert result.exit_code == 0
    [folder] = tmp_path.iterdir()
    assert list(rebalance.read_index(folder / "packages")) == [household]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("minimum_trade: -5", "minimum_trade must be a number from 0"),
        ("minimum_trad: 5", "no setting is called 'minimum_trad'"),
        ("mode: fast", "mode must be one of"),
        ("- a list", "must hold names and values"),
        ("mode: [", "cannot be read as YAML"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_read(firm, tmp_path, settings, message):
    path = tmp_path / "settings.yml"
    path.write_text(settings)
    result = call("propose", "--firm", firm, "--settings", path, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "out").exists()


def test_an_unknown_household_is_named(firm, tmp_path):
    result = call("propose", "--firm", firm, "--household", "NOBODY", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "no household 'NOBODY'" in result.output
    assert not (tmp_path / "out").exists()
