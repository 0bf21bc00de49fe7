"""Where checkpoints go besides their folder, chosen in one file."""

import subprocess

import pytest
from click.testing import CliRunner

from workbench.cli import main
from workbench.decisions.signing import Signing
from workbench.errors import ParameterError
from workbench.governance import open_store
from workbench.governance.audit import keys
from workbench.governance.audit.record import Entry


@pytest.fixture
def place(tmp_path):
    """A trail of one record, a key, an empty folder and an empty repository."""
    store = open_store(f"sqlite:///{tmp_path}/d.db")
    with store.writing() as unit:
        unit.append(Entry("view", "done", "signal", "signal-1", 1, "ada", "person", ("administrator",)))
    store.engine.dispose()
    for name in ("checkpoints", "copies", "outgoing"):
        (tmp_path / name).mkdir()
    keys.new_key(tmp_path / "audit.pem")
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "copies")], check=True)
    return tmp_path


def written(place, text):
    path = place / "signing.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_checkpoint_goes_to_git_and_mail_too(place):
    path = written(
        place,
        f"git: {place}/copies\n"
        f"mail: {{outgoing: {place}/outgoing, sender: desk@firm.example, recipients: [auditor@firm.example]}}\n",
    )
    store = open_store(f"sqlite:///{place}/d.db")
    made = Signing.read(path).checkpoints(place / "checkpoints", place / "audit.pem").take(store.reading, "2026")
    assert (place / "copies" / made.name).read_bytes() == (place / "checkpoints" / made.name).read_bytes()
    assert b"To: auditor@firm.example" in next((place / "outgoing").glob("*.eml")).read_bytes()
    log = subprocess.run(["git", "-C", str(place / "copies"), "log", "--oneline"], capture_output=True, text=True)
    assert "Checkpoint 1: 1 records" in log.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gti: /srv", "gti"),
        ("stamp: {url: 'http://tsa.example', folder: /srv}", "stamp.url"),
        ("mail: {outgoing: /srv, sender: a@b.example, recipients: []}", "mail.recipients"),
        ("every: 0", "every"),
        ("- a list", "the page"),
        ("git: [", "not YAML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(place, text, said):
    with pytest.raises(ParameterError, match=said):
        Signing.read(written(place, text))


def test_the_command_names_the_file_that_is_missing(place):
    here = ["--database", f"sqlite:///{place}/d.db", "--checkpoints", str(place / "checkpoints")]
    words = ["audit", "checkpoint", *here, "--key", str(place / "audit.pem"), "--signing", str(place / "none.yml")]
    answer = CliRunner().invoke(main, words)
    assert answer.exit_code == 2
    assert "none.yml" in answer.output
