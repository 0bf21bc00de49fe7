"""A firm's folder: written whole or not at all, opened lazily, and any later change noticed."""

import json

import numpy as np
import pandas as pd
import pytest

from workbench.errors import FirmDataError, NotAFirmError
from workbench.firm import at, open_firm, seal, write_firm

AS_OF = pd.Timestamp("2022-12-28")


@pytest.fixture
def firm(small, tmp_path):
    return write_firm(tmp_path / "firm", small, AS_OF, name="Small firm")


def test_round_trip_keeps_every_value(firm, small):
    for name, frame in small.items():
        read = firm.table(name)
        assert list(read.columns) == list(frame.columns)
        for column in frame:
            if column == "screens":
                assert [list(cell) for cell in read[column]] == [list(cell) for cell in frame[column]]
            else:
                same = read[column].eq(frame[column]) | (read[column].isna() & frame[column].isna())
                assert same.all(), (name, column)


def test_content_hash_is_of_the_content(small, tmp_path):
    one = write_firm(tmp_path / "one", small, AS_OF)
    two = write_firm(tmp_path / "two", small, AS_OF)
    assert one.content_hash == two.content_hash
    small["households"].loc[0, "state_rate"] = 0.06
    assert write_firm(tmp_path / "three", small, AS_OF).content_hash != one.content_hash


def test_a_broken_snapshot_writes_nothing_and_leaves_the_old_one(firm, small):
    before = firm.content_hash
    small["lots"]["quantity"] = -1.0
    with pytest.raises(FirmDataError, match="rejected whole, 2 rows fail"):
        write_firm(firm.folder, small, AS_OF)
    assert open_firm(firm.folder).content_hash == before
    assert [path.name for path in firm.folder.parent.iterdir()] == ["firm"]


def test_never_replaces_a_folder_that_is_not_a_firm(small, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(NotAFirmError, match="exists and is not a firm"):
        write_firm(tmp_path, small, AS_OF)


def test_opening_reads_no_table(firm, monkeypatch):
    monkeypatch.setattr("pyarrow.parquet.read_table", lambda *a, **k: pytest.fail("opening read a table"))
    opened = open_firm(firm.folder)
    assert opened.rows["positions"] == 4
    assert opened.name == "Small firm"


def test_missing_optional_table_has_its_columns(firm):
    notes = firm.table("client_notes")
    assert notes.empty
    assert "written_on" in notes
    assert str(notes["written_on"].dtype).startswith("datetime64")


def test_query_sees_every_table(firm):
    frame = firm.query("select sum(quantity * close) as value from positions join prices using (security_id) "
                       "where date = '2022-12-28' and account_id = 'A1'")  # fmt: skip
    assert frame["value"].item() == pytest.approx(60 * 12 + 10 * 49 + 60)


@pytest.mark.parametrize(
    ("folder", "text"),
    [("nowhere", "is not a folder"), ("empty", "is not a firm"), ("tables", "seal them: workbench seal")],
)
def test_not_a_firm(firm, tmp_path, folder, text):
    (tmp_path / "empty").mkdir()
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "prices.parquet").write_bytes((firm.folder / "prices.parquet").read_bytes())
    with pytest.raises(NotAFirmError, match=text):
        open_firm(tmp_path / folder)


def test_unreadable_file_and_record(firm):
    (firm.folder / "lots.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(FirmDataError, match=r"lots\.parquet cannot be read as Parquet"):
        open_firm(firm.folder)
    (firm.folder / "snapshot.json").write_text("{")
    with pytest.raises(FirmDataError, match=r"snapshot\.json cannot be read"):
        open_firm(firm.folder)


@pytest.mark.parametrize("table", ["../elsewhere", "prices; drop table accounts"])
def test_a_record_names_tables_of_a_firm_only(firm, table):
    record = json.loads((firm.folder / "snapshot.json").read_text())
    record["tables"][table] = "0"
    (firm.folder / "snapshot.json").write_text(json.dumps(record))
    with pytest.raises(FirmDataError, match="unknown tables"):
        open_firm(firm.folder)


def test_a_write_that_cannot_take_its_place_loses_no_snapshot(firm, small, monkeypatch):
    from pathlib import Path

    rename = Path.rename

    def killed(path, target):
        if path.name.endswith(".partial"):
            raise KeyboardInterrupt
        return rename(path, target)

    before = firm.content_hash
    monkeypatch.setattr(Path, "rename", killed)
    small["households"]["state_rate"] = 0.06
    with pytest.raises(KeyboardInterrupt):
        write_firm(firm.folder, small, AS_OF)
    kept = [path for path in firm.folder.parent.iterdir() if (path / "snapshot.json").is_file()]
    assert before in {open_firm(path).content_hash for path in kept}


def test_missing_file_is_named(firm):
    (firm.folder / "lots.parquet").unlink()
    with pytest.raises(FirmDataError, match=r"lots\.parquet is named in snapshot\.json but is not there"):
        open_firm(firm.folder)


def test_a_changed_file_is_noticed_and_checked_again(firm, small):
    assert firm.verify() == []
    path = firm.folder / "model_targets.parquet"
    small["model_targets"].to_parquet(path)
    assert open_firm(firm.folder).verify() == ["model_targets"]
    small["model_targets"].assign(target=[0.6, 0.36, 0.02]).to_parquet(path)
    with pytest.raises(FirmDataError, match=r"sum to 0\.980000, not 1"):
        open_firm(firm.folder).verify()


def test_hashes_are_of_what_is_read_on_every_day_it_is_seen(firm, small):
    assert firm.hashes == firm.sealed
    before = firm.content_hash
    small["households"].assign(state_rate=0.06).to_parquet(firm.folder / "households.parquet")
    small["households"].assign(t_bill=0.01, date=AS_OF)[["date", "t_bill"]].to_parquet(firm.folder / "rates.parquet")
    now = open_firm(firm.folder)
    assert now.verify() == ["households", "rates"]
    assert now.rows["rates"] == 1
    assert now.sealed == firm.sealed
    assert now.hashes["households"] != firm.hashes["households"]
    assert now.content_hash != before
    assert at(now, "2022-12-27").content_hash == now.content_hash
    sealed_again = seal(firm.folder, AS_OF, name=firm.name)
    assert sealed_again.content_hash == now.content_hash
    assert sealed_again.changed == []


def test_seal_makes_a_firm_of_parquet_files(small, tmp_path):
    for name, frame in small.items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    firm = seal(tmp_path, "2022-12-28", name="Sealed")
    assert firm.verify() == []
    assert json.loads((tmp_path / "snapshot.json").read_text())["as_of"] == "2022-12-28"


def test_another_schema_version_is_refused(firm):
    record = firm.folder / "snapshot.json"
    record.write_text(record.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(FirmDataError, match="schema version 99, this program reads 1"):
        open_firm(firm.folder)


def test_as_of_an_earlier_day_takes_back_what_came_later(firm):
    before = at(firm, "2022-12-27")
    held = before.table("positions").set_index(["account_id", "security_id"])["quantity"]
    assert held.to_dict() == {("A1", "AAA"): 70.0, ("A1", "BBB"): 10.0, ("A1", "CASH"): -50.0, ("A2", "CASH"): 100.0}
    lots = before.table("lots").set_index("lot_id")["quantity"]
    assert lots.to_dict() == {"L1": 70.0, "L2": 10.0}
    accounts = before.table("accounts").set_index("account_id")
    assert accounts.loc["A1", "stated_value"] == pytest.approx(70 * 11 + 10 * 50 - 50)
    assert np.isnan(before.table("households").loc[0, "realised_long"])
    assert before.arrow("positions").column("account_id").to_pylist() == ["A1", "A1", "A1", "A2"]
    assert len(before.query("select * from transactions")) == 4


@pytest.mark.parametrize("as_of", ["2022-12-29", "2019-01-02"])
def test_as_of_outside_the_data(firm, as_of):
    with pytest.raises(FirmDataError, match=f"as-of {as_of} is outside the data"):
        at(firm, as_of)
