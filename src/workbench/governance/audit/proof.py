"""One record, shown to be in the trail that was signed, without the others: some thirty hashes instead of the trail.

proof = prove(connection, 4711, checkpoint)        # a small JSON, for whoever asks about one decision
python verifier.py --proof proof.json --key HEX    # by them, with nothing of ours
"""

from __future__ import annotations

from sqlalchemy import Connection

from workbench.canonical import canonical
from workbench.errors import AuditError, ParameterError
from workbench.governance.audit import chain, merkle
from workbench.governance.audit.checkpoint import Checkpoint

FORMAT = "workbench audit proof 1"


def prove(connection: Connection, sequence: int, checkpoint: Checkpoint) -> bytes:
    """Return the proof (RFC 6962, audit path) that a record is among those a checkpoint was signed over.

    Reads all of those once; 32 bytes of memory each. Raises `ParameterError` for a record that the checkpoint does not
    cover, `AuditError` where the records are not those that were signed.
    """
    if not 1 <= sequence <= checkpoint.size:
        raise ParameterError(
            f"checkpoint {checkpoint.number} covers records 1 to {checkpoint.size:,}, not {sequence:,}; "
            "take a checkpoint first",
            "record",
        )
    findings = chain.Findings([])
    digests = [digest for _, digest, _ in chain.follow(chain.rows(connection, 0, checkpoint.size), findings)]
    if findings.total or len(digests) != checkpoint.size or merkle.root(digests).hex() != checkpoint.root:
        raise AuditError(f"the records are not those that checkpoint {checkpoint.number} was signed over; verify first")
    (row,) = chain.rows(connection, sequence - 1, sequence)
    said = {
        "format": FORMAT,
        "sequence": sequence,
        "record": row.body,
        "path": [one.hex() for one in merkle.inclusion(digests, sequence - 1)],
        "checkpoint": checkpoint.file.decode().strip(),
    }
    return canonical(said) + b"\n"
