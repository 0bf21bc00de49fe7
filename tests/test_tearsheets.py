"""The comparison tearsheet through the command line: written from a composite's record, never without its benchmark."""

import pandas as pd
import pytest
from click.testing import CliRunner

from workbench.cli import main
from workbench.firm import open_firm, write_firm
from workbench.firm.demo import build_firm


def call(*arguments):
    return CliRunner().invoke(main, ["tearsheet", *map(str, arguments)])


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tearsheets") / "firm"
    build_firm(folder, seed=7, as_of="2022-12-28", accounts=24)
    return folder


def test_a_page_is_written_and_every_difference_has_its_reason(firm, tmp_path):
    result = call("--firm", firm, "--model", "BAL", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    (page,) = tmp_path.glob("tearsheet-BAL-2022-12-28-*.html")
    assert str(page) in result.stdout
    assert "not annualised" in result.stderr
    assert "not explained" not in result.stderr
    assert "against its benchmark" in page.read_text(encoding="utf-8")


def test_a_model_without_a_record_is_refused_with_those_that_have_one(firm, tmp_path):
    result = call("--firm", firm, "--model", "../../etc", "--out", tmp_path)
    assert result.exit_code == 2
    assert "has no record" in result.stderr
    assert "BAL" in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_firm_without_a_whole_month_is_refused(small, tmp_path):
    folder = tmp_path / "firm"
    write_firm(folder, small, "2022-12-28", name="Small firm")
    assert open_firm(folder).as_of == pd.Timestamp("2022-12-28")
    result = call("--firm", folder, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "has no record" in result.stderr
