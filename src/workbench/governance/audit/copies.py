"""Where checkpoints go besides their folder: a git repository, a mail, a time stamp by somebody else (RFC 3161)."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from workbench.errors import MissingToolError, StoreError
from workbench.governance.audit.checkpoint import Checkpoint, Copy, write_whole

_PATIENCE = 60
_WHO = ("-c", "user.name=audit trail", "-c", "user.email=audit@localhost", "-c", "commit.gpgsign=false")
#: DER of `SEQUENCE { OBJECT IDENTIFIER sha256, NULL }` (RFC 5754, 2).
_SHA256 = bytes.fromhex("300d06096086480165030402010500")


def to_git(repository: Path) -> Copy:
    """Commit each checkpoint to a git repository; push it elsewhere and its history is out of this machine's hands."""

    def copy(checkpoint: Checkpoint) -> None:
        _write(repository, checkpoint.name, checkpoint.file)
        _git(repository, "add", "--", checkpoint.name)
        said = f"Checkpoint {checkpoint.number}: {checkpoint.size} records, root {checkpoint.root}"
        _git(repository, *_WHO, "commit", "--quiet", "--no-verify", "-m", said, "--", checkpoint.name)

    return copy


def to_mail(outgoing: Path, sender: str, recipients: Sequence[str]) -> Copy:
    """Write each checkpoint as a mail (.eml) into a folder from which delivery sends it."""

    def copy(checkpoint: Checkpoint) -> None:
        message = EmailMessage()
        message["From"], message["To"] = sender, ", ".join(recipients)
        message["Subject"] = f"Audit checkpoint {checkpoint.number}: {checkpoint.size} records"
        message["Message-ID"] = f"<checkpoint-{checkpoint.hash[:32]}@audit.localhost>"
        message.set_content(
            f"At {checkpoint.at} the audit trail had {checkpoint.size} records.\n\n"
            f"Root  {checkpoint.root}\nHead  {checkpoint.head}\nKey   {checkpoint.key}\n\n"
            "Keep this mail. The attached file shows later that none of these records was changed or taken away.\n"
        )
        message.add_attachment(checkpoint.file, maintype="application", subtype="json", filename=checkpoint.name)
        _write(outgoing, checkpoint.name.replace(".json", ".eml"), message.as_bytes(policy=SMTP))

    return copy


def to_stamp(folder: Path, ask: Callable[[bytes], bytes]) -> Copy:
    """Have each checkpoint stamped by a time stamping authority and keep query and answer beside it.

    `ask` takes the query (DER, RFC 3161) and returns the answer; it carries it to the authority in its own way, over
    HTTP or by `openssl ts`. What it answers is kept as it is: `openssl ts -verify` judges it.
    """

    def copy(checkpoint: Checkpoint) -> None:
        query = stamp_query(checkpoint.file)
        answer = ask(query)
        _write(folder, checkpoint.name.replace(".json", ".tsq"), query)
        _write(folder, checkpoint.name.replace(".json", ".tsr"), answer)

    return copy


def stamp_query(content: bytes) -> bytes:
    """Return the request for a time stamp on some bytes: version 1, SHA-256, with certificate (RFC 3161, 2.4.1)."""
    imprint = _der(0x30, _SHA256 + _der(0x04, hashlib.sha256(content).digest()))
    return _der(0x30, _der(0x02, b"\x01") + imprint + _der(0x01, b"\xff"))


def _der(tag: int, content: bytes) -> bytes:
    assert len(content) < 128  # one byte of length is enough for a query
    return bytes([tag, len(content)]) + content


def _write(folder: Path, name: str, content: bytes) -> None:
    try:
        write_whole(folder, name, content)
    except FileExistsError as error:
        raise StoreError(f"{folder / name} exists already; a checkpoint's copy is never written over") from error


def _git(repository: Path, *words: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        subprocess.run(
            ["git", "-C", str(repository), *words], check=True, capture_output=True, timeout=_PATIENCE, env=clean
        )
    except FileNotFoundError as error:
        raise MissingToolError("git is not installed; install it or keep checkpoints without a repository") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()[-300:]
        raise StoreError(f"the checkpoint was not committed in {repository}: {said}") from error
    except subprocess.TimeoutExpired as error:
        raise StoreError(
            f"git in {repository} did not end within {_PATIENCE} s; the checkpoint lies uncommitted"
        ) from error
