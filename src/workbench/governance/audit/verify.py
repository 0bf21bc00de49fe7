"""Verify a trail against its checkpoints: what was changed, what it looks like, and what nothing covers yet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, func, select

from workbench.errors import AuditError
from workbench.governance.audit import chain
from workbench.governance.audit.chain import Findings, Row, TrailFinding
from workbench.governance.audit.checkpoint import Checkpoint, Reading
from workbench.governance.audit.merkle import Frontier
from workbench.governance.audit.reconcile import check_rows
from workbench.governance.audit.record import START
from workbench.governance.audit.surroundings import check_documents, check_guards
from workbench.governance.audit.trusted import ELSEWHERE, trusted
from workbench.governance.tables import audit

_BATCH = 8192
_LONGEST_LINE = 4_000_000


@dataclass(frozen=True)
class TrailReport:
    """What a verification found. `covered` records are vouched for by a signed checkpoint, the later ones by the chain.

    `found` counts every finding, `findings` holds the first hundred; `first` is 1 but for an excerpt. `head` is the
    hash of the last record read, `root` the Merkle root of all (empty for an excerpt). `objects` is how many signals,
    people and settings were held against their last records; 0 where only the trail was read.
    """

    first: int
    records: int
    covered: int
    covered_at: str
    checkpoints: int
    head: str
    root: str
    findings: tuple[TrailFinding, ...]
    found: int
    objects: int = 0

    @property
    def whole(self) -> bool:
        """True where nothing was found."""
        return not self.found

    @property
    def sentences(self) -> tuple[str, ...]:
        """The report in words: what was read, what vouches for it, what does not."""
        said = [f"{self.records:,} records and {self.checkpoints:,} checkpoints were read."]
        last = self.first + self.records - 1
        if self.covered >= self.first:
            said.append(f"Records {self.first:,} to {self.covered:,} are those that were signed on {self.covered_at}.")
        else:
            said.append("No checkpoint vouches for these records: only the chain was checked.")
        bare = f"{max(self.covered + 1, self.first):,} to {last:,}"
        if self.records and last > self.covered and self.whole:
            said.append(
                f"Records {bare} are not covered: whoever can write to the database could cut them off or rewrite them "
                "unseen. Take a checkpoint."
            )
        elif self.records and last > self.covered:
            said.append(f"No checkpoint vouches for records {bare}.")
        if self.objects:
            said.append(f"{self.objects:,} signals, people and settings were compared with their last records.")
        if self.whole:
            said.append("Nothing was found that is not as it was written.")
        for finding in self.findings:
            said.append(f"{finding.problem[:1].upper()}{finding.problem[1:]}. Remedy: {finding.remedy}.")
        if self.found > len(self.findings):
            said.append(f"{self.found - len(self.findings):,} more findings are not shown.")
        return tuple(said)

    def check(self) -> None:
        """Raise `AuditError` with the first finding, if there is one."""
        if self.found:
            first = self.findings[0]
            raise AuditError(f"{first.problem} ({self.found} findings in all); {first.remedy}", first.sequence)


def verify_store(reading: Reading, folders: Path | Sequence[Path], public_keys: Sequence[str]) -> TrailReport:
    """Verify a database of decisions: its trail as `verify_trail` does, its triggers, documents, and other rows.

    `reading` opens a consistent view (`Store.reading`). Raises what `verify_trail` raises.
    """
    with reading() as connection:
        report = verify_trail(connection, folders, public_keys)
        around = Findings([])
        check_guards(connection, around)
        check_documents(connection, around)
        objects = check_rows(connection, around)
    kept = (*report.findings, *around.kept)[: chain.KEPT]
    return replace(report, findings=kept, found=report.found + around.total, objects=objects)


def verify_trail(
    source: Connection | Path,
    folders: Path | Sequence[Path],
    public_keys: Sequence[str],
    *,
    through: int | None = None,
) -> TrailReport:
    """Verify a trail, in a database or in an export (JSON lines), against checkpoints.

    `folders` hold checkpoints, all of which are read and compared (the working folder, a git tree, saved attachments);
    none checks the chain alone. `public_keys` are the keys (hex) that may have signed. `through` is the last record of
    a source that ends early on purpose. Raises `ParameterError` for a key that is none, `StoreError` for a folder that
    cannot be read, `AuditError` for an export that cannot.
    """
    findings = Findings([])
    places = [folders] if isinstance(folders, Path) else list(folders)
    signed = trusted(places, public_keys, findings)
    if isinstance(source, Path):
        first, records = first_of(source), exported(source)
    else:
        first, records = 1, chain.rows(source, upto=through)
    followed = chain.follow(records, findings, sequence=first - 1, previous=START if first == 1 else None)
    read = _compare(followed, first, signed, findings)
    if places and not signed and read.last:
        findings.add(None, "checkpoint_missing", "no checkpoint that can be trusted lies in the folder", ELSEWHERE)
    if isinstance(source, Connection) and through is None:
        _all_read(source, read.count, findings)
    _whole_length(read.last, signed, through, findings)
    return TrailReport(
        first=first,
        records=read.count,
        covered=read.covering.size if read.covering else 0,
        covered_at=read.covering.at if read.covering else "",
        checkpoints=len(signed),
        head=read.head.hex(),
        root=read.root.hex(),
        findings=tuple(findings.kept),
        found=findings.total,
    )


@dataclass(frozen=True)
class _Read:
    count: int
    last: int
    head: bytes
    root: bytes
    covering: Checkpoint | None


def _compare(
    followed: Iterator[tuple[int, bytes, str]], first: int, signed: Sequence[Checkpoint], findings: Findings
) -> _Read:
    """Hold head and root against every checkpoint as the records go by; the first that differs is a finding."""
    waiting = [one for one in signed if one.size >= first]
    waiting.reverse()
    tree, pending, count, sequence, digest = Frontier(), list[bytes](), 0, first - 1, b""
    covering: Checkpoint | None = None
    differs = False
    for sequence, digest, _ in followed:
        count += 1
        pending.append(digest)
        if count == 1 and first == 1 and signed and signed[0].trail != digest.hex():
            problem = "the first record is not that of the trail that was signed: it is another trail, or rewritten"
            findings.add(1, "another_trail", problem, chain.KEEP)
        reached = bool(waiting) and sequence >= waiting[-1].size
        if reached or len(pending) == _BATCH:
            tree = tree.extended(pending)
            pending.clear()
        while waiting and sequence >= waiting[-1].size:
            one = waiting.pop()
            same = sequence == one.size and digest.hex() == one.head
            same = same and (tree.root.hex() == one.root if first == 1 else not findings.total)
            if same and not differs:
                covering = one
            elif not differs:
                differs = True
                since = covering.size + 1 if covering else first
                problem = f"records {since} to {one.size} are not those that checkpoint {one.number} was signed over"
                findings.add(one.size, "rewrite", f"{problem}: they were rewritten", chain.KEEP)
    return _Read(count, sequence, digest, tree.extended(pending).root if first == 1 else b"", covering)


def _all_read(connection: Connection, count: int, findings: Findings) -> None:
    """A table rebuilt without its primary key may hold two records of one number; pages would show one of them."""
    held = connection.execute(select(func.count()).select_from(audit)).scalar() or 0
    if held != count:
        findings.add(None, "insert", f"the table holds {held} records, {count} of them in order", chain.KEEP)


def _whole_length(last: int, signed: Sequence[Checkpoint], through: int | None, findings: Findings) -> None:
    """The trail must reach as far as the newest checkpoint, or as far as an excerpt says."""
    beyond = [one for one in signed if one.size > last and (through is None or one.size <= through)]
    if beyond:
        newest = beyond[-1]
        problem = f"records {last + 1} to {newest.size} are missing: checkpoint {newest.number} was signed over them"
        findings.add(last + 1, "cut", f"{problem}, the tail was cut", chain.KEEP)
    elif through is not None and last < through:
        findings.add(last + 1, "cut", f"the records end at {last}, not at {through} as said", chain.KEEP)


def first_of(export: Path) -> int:
    """The number of an export's first record; 1 where it has none that can be read. Raises `AuditError`."""
    for line in _lines(export):
        return _number(line, 1)
    return 1


def exported(export: Path) -> Iterator[Row]:
    """Yield an export's records; each line is one body, which gives its number and its hash. Raises `AuditError`."""
    place = 0
    for line in _lines(export):
        place = _number(line, place + 1)
        yield Row(place, line, "", None)


def _lines(export: Path) -> Iterator[str]:
    try:
        with export.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                yield line.removesuffix(b"\n").decode("utf-8", "surrogateescape")
    except OSError as error:
        raise AuditError(f"{export} cannot be read ({error.strerror}); copy the export anew") from error


def _number(line: str, otherwise: int) -> int:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return otherwise
    number = said.get("sequence") if isinstance(said, dict) else None
    return number if type(number) is int else otherwise
