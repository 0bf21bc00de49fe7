"""The text of the doctor: names of a firm cannot rewrite a terminal, rows cannot run in a spreadsheet."""

import csv
import re
import tomllib
from pathlib import Path

import pytest

from workbench import diagnosis
from workbench.errors import BadRow, ParameterError
from workbench.firm import write_firm


def test_control_characters_of_names_are_spelled_out(small, tmp_path):
    firm = write_firm(tmp_path / "firm", small, "2022-12-28", name="\x1b[2JRed\u202e")
    text = diagnosis.firm_report(str(firm.folder))
    assert "\\x1b[2JRed\\u202e" in text
    assert all(c.isprintable() or c == "\n" for c in text)


def test_a_finding_reads_as_sentences(small, tmp_path):
    small["positions"].loc[2, "quantity"] = -200.0
    firm = write_firm(tmp_path / "firm", small, "2022-12-28")
    assert "warning  Accounts are overdrawn. 1 account: A1;" in diagnosis.firm_report(str(firm.folder))


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_formulas_are_inert_in_the_csv(tmp_path, value):
    row = BadRow("accounts", 0, value, "name", value, "is wrong", "mend it")
    diagnosis.write_rows([row], tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        line = list(csv.reader(file))[1]
    assert [line[2], line[4]] == [f"'{value}"] * 2


def test_a_csv_without_a_folder_is_a_clear_error(tmp_path):
    with pytest.raises(ParameterError, match="create it first"):
        diagnosis.write_rows([], tmp_path / "nowhere" / "rows.csv")


def test_every_part_is_an_extra_that_can_be_installed():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for extra, (_, packages) in diagnosis._PARTS.items():
        assert {name.lower() for name in packages} <= {re.match(r"[\w-]+", line)[0].lower() for line in extras[extra]}
