"""Starting the desk: what is refused before anything listens."""

from click.testing import CliRunner

from workbench.cli import main
from workbench.governance import Checkpoints, bootstrap, open_store
from workbench.governance.audit import keys
from workbench.governance.audit.record import Entry

PORT = "postgresql+pg8000://desk@host:hush/d"


def run(*words):
    return CliRunner().invoke(main, ["desk", *words])


def test_the_demo_listens_on_this_machine_only():
    answer = run("--demo", "--host", "0.0.0.0")
    assert answer.exit_code == 2
    assert "127.0.0.1" in answer.output


def test_checkpoints_without_a_key_are_refused(tmp_path):
    answer = run("--database", f"sqlite:///{tmp_path}/d.db", "--checkpoints", str(tmp_path))
    assert answer.exit_code == 2
    assert "--key" in answer.output


def test_a_database_that_is_none_is_named(tmp_path):
    (tmp_path / "d.db").write_text("not a database")
    answer = run("--database", f"sqlite:///{tmp_path}/d.db")
    assert answer.exit_code == 2
    assert "database" in answer.output


def test_an_empty_database_gets_the_present_schema(tmp_path):
    answer = run("migrate", "--database", f"sqlite:///{tmp_path}/d.db")
    assert answer.exit_code == 0, answer.output


def test_a_url_that_is_none_is_not_repeated_for_it_may_hold_a_password():
    for url in (
        "postgres//desk:hush@host/d",
        "mysql://desk:hush@host/d",
        "postgresql+nodriver://desk:hush@host/d",
        PORT,
    ):
        answer = run("--database", url)
        assert answer.exit_code == 2, answer.output
        assert "hush" not in answer.output
        assert "hush" not in repr(answer.exception)


def test_a_database_is_for_its_owner_alone(tmp_path):
    assert run("migrate", "--database", f"sqlite:///{tmp_path}/d.db").exit_code == 0
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("d.db*")} == {0}


def test_people_do_not_act_by_name_alone(tmp_path):
    place = ["--database", f"sqlite:///{tmp_path}/d.db"]
    first = ["people", "first", *place, "ada", "Ada Lind", "ada@firm.example", "--password", "a sentence of mine"]
    assert CliRunner().invoke(main, first).exit_code == 0
    swept = CliRunner().invoke(main, ["signals", "sweep", *place, "--as", "ada"])
    assert swept.exit_code == 2
    assert "service account" in swept.output
    made = ["people", "service", *place, "scheduler", "Nightly", "--as", "ada@firm.example", "--password"]
    assert CliRunner().invoke(main, [*made, "a wrong sentence"]).exit_code == 2
    answer = CliRunner().invoke(main, [*made, "a sentence of mine"])
    assert answer.exit_code == 0, answer.output
    assert CliRunner().invoke(main, ["signals", "sweep", *place]).exit_code == 0


def test_rights_of_a_role_are_printed_as_sql():
    answer = run("grants", "--role", "desk")
    assert answer.exit_code == 0
    assert 'GRANT SELECT, INSERT ON "audit" TO "desk";' in answer.output
    assert run("grants", "--role", "desk; DROP").exit_code == 2


def test_a_database_set_back_to_before_its_last_checkpoint_is_not_written_to(tmp_path):
    """Whoever restores yesterday's file is told, before a new record takes the place of a lost one."""
    url, key = f"sqlite:///{tmp_path}/d.db", tmp_path / "audit.pem"
    (tmp_path / "checkpoints").mkdir()
    keys.new_key(key)
    store = open_store(url)
    bootstrap(store, "ada", "Ada Lindqvist", "ada@firm.example", "a fairly long password")
    with store.writing() as unit:
        unit.append(Entry("view", "done", "signal", "signal-1", 1, "ada", "person", ("administrator",)))
    Checkpoints(tmp_path / "checkpoints", key.read_bytes()).take(store.reading, "2026-11-21T20:00:00.000000Z")
    store.engine.dispose()
    (tmp_path / "d.db").unlink()
    for left in tmp_path.glob("d.db-*"):
        left.unlink()
    answer = run("--database", url, "--checkpoints", str(tmp_path / "checkpoints"), "--key", str(key))
    assert answer.exit_code == 6, answer.output
    assert "its tail was cut" in answer.output
