"""The command line on bad input: one clear report, exit code 2, nothing half-written."""

from datetime import date

import pandas as pd
import pytest
from click.testing import CliRunner

from workbench.cli import main
from workbench.firm import write_firm

ROOT_PARAMS = "params/quarterly.yml"


@pytest.fixture
def firm(small, tmp_path):
    return write_firm(tmp_path / "firm", small, "2022-12-28", name="Small firm").folder


@pytest.fixture
def call(tmp_path, request):
    params = request.config.rootpath / ROOT_PARAMS

    def invoke(*arguments):
        if arguments[0] == "run":
            arguments = ("run", str(params), *arguments[1:], "--out", str(tmp_path / "reports"))
        result = CliRunner().invoke(main, list(map(str, arguments)))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def spoil(firm, table, change):
    path = firm / f"{table}.parquet"
    frame = pd.read_parquet(path)
    changed = change(frame)
    (frame if changed is None else changed).to_parquet(path)


def put(column, row, value):
    def change(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value
        return frame.infer_objects()

    return change


@pytest.mark.parametrize(
    ("table", "change", "expected"),
    [
        ("positions", lambda f: f.drop(columns="quantity"), ["positions.quantity: the column is missing"]),
        (
            "lots",
            lambda f: f.assign(quantity="many"),
            ["lots.quantity", "row 0: lot_id L1, value many", "not a number"],
        ),
        ("model_targets", put("target", 0, -0.1), ["model_targets.target: must be at least 0", "security_id AAA"]),
        ("model_targets", put("target", 0, None), ["model_targets.target: missing value", "row 0"]),
        ("model_targets", put("target", 0, 0.58), ["model BAL version 1 sum to 0.980000, not 1"]),
        ("positions", put("security_id", 1, "ZZZ"), ["positions.security_id: unknown security", "row 1", "ZZZ"]),
        ("lots", lambda f: pd.concat([f, f.head(1)]), ["lots: the key is there twice", "row 2: lot_id L1"]),
        ("lots", put("acquired_on", 0, date(2023, 5, 1)), ["lots.acquired_on: is after", "2023-05-01"]),
        ("prices", lambda f: f[f["date"] < pd.Timestamp("2022-12-20").date()], ["prices: the table is empty"]),
        ("accounts", lambda f: f.head(0), ["accounts: the table is empty"]),
    ],
)
def test_a_broken_table_stops_the_run_with_its_rows_named(firm, call, tmp_path, table, change, expected):
    spoil(firm, table, change)
    result = call("run", "--firm", firm)
    assert result.exit_code == 2
    for text in expected:
        assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "reports").exists()


def test_a_price_gap_over_the_as_of_date(small, call, tmp_path):
    folder = tmp_path / "gap"
    for name, frame in small.items():
        folder.mkdir(exist_ok=True)
        frame.to_parquet(folder / f"{name}.parquet")
    result = call("seal", folder, "--as-of", "2023-01-31")
    assert result.exit_code == 2
    assert "prices end on 2022-12-28, 34 days before the as-of date 2023-01-31" in result.stderr
    assert not (folder / "snapshot.json").exists()


def test_not_a_firm_and_unreadable(firm, call, tmp_path):
    result = call("run", "--firm", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "is not a folder" in result.stderr
    (firm / "prices.parquet").write_bytes(b"\x00" * 100)
    result = call("run", "--firm", firm)
    assert result.exit_code == 2
    assert "prices.parquet cannot be read as Parquet" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("as_of", "text"),
    [
        ("2030-01-01", "as-of 2030-01-01 is outside the data of Small firm"),
        ("1999-01-01", "its prices begin on 2022-12-23"),
        ("28.12.2022x", "is not a date; write it as 2022-12-28"),
    ],
)
def test_as_of_outside_the_data(firm, call, tmp_path, as_of, text):
    result = call("run", "--firm", firm, "--as-of", as_of)
    assert result.exit_code == 2
    assert text in result.stderr
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("accounts_listd: 5", "did you mean 'accounts_listed'"),
        ('accounts_listed: "5"', "accounts_listed"),
        ("accounts_listed: 5000", "accounts_listed"),
        ("level: sectr", "did you mean 'sector'"),
        ("api_key: abc", "unknown parameter"),
    ],
)
def test_a_wrong_parameter_stops_before_a_kernel_starts(firm, tmp_path, request, monkeypatch, line, text):
    params = tmp_path / "book.yml"
    header = "book: b\ntitle: T\nfirm: demo\nas_of: latest\nchapters:\n  - chapter: drift\n    parameters:\n"
    params.write_text(f"{header}      {line}\n")
    monkeypatch.setattr("workbench.publish.project_root", lambda start=None: request.config.rootpath)
    arguments = ["run", str(params), "--firm", str(firm), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.output
    assert text in result.stderr
    assert not (tmp_path / "out").exists()


def test_doctor_says_what_is_installed_and_what_is_wrong(firm, call, tmp_path):
    result = call("doctor", "--firm", firm)
    assert result.exit_code == 0
    assert "python" in result.stdout
    assert "Findings: 0 reject, 0 severe" in result.stdout
    spoil(firm, "lots", lambda frame: frame.assign(lot_id="=cmd()", quantity=-1.0))
    rows = tmp_path / "bad.csv"
    result = call("doctor", "--firm", firm, "--rows", rows)
    assert result.exit_code == 2
    table = pd.read_csv(rows)
    assert len(table) >= 3
    assert not table["key"].astype(str).str.startswith("=").any()


def test_seal_and_demo_say_what_they_made(small, call, tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    for name, frame in small.items():
        frame.to_parquet(folder / f"{name}.parquet")
    assert "sealed, 2 accounts as of 2022-12-28" in call("seal", folder, "--as-of", "2022-12-28").stdout
    assert call("seal", folder, "--as-of", "soon").exit_code == 2
    result = call("demo", tmp_path / "demo", "--accounts", "5", "--as-of", "1980-01-01")
    assert result.exit_code == 2
    assert not (tmp_path / "demo").exists()
    assert call("demo", tmp_path / "demo", "--faults", "earthquake").exit_code == 2


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_and_option_has_help(command):
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    options = [parameter for parameter in main.commands[command].params if parameter.param_type_name == "option"]
    assert all(option.help for option in options if option.name != "help")
    assert main.commands[command].help
