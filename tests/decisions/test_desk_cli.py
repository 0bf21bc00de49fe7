"""Starting the desk: what is refused before anything listens."""

from click.testing import CliRunner

from workbench.cli import main


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
