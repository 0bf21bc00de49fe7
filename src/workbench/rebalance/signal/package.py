"""The signal package: a proposal as one immutable document whose content is its identity.

A package is the canonical JSON (RFC 8785) of a proposal; its SHA-256 is its name, its idempotency key and the proof
that nothing in it was changed. No clock, run or machine is in it, so that the same proposal from two runs is the same
package: sent twice, it is executed once. Money is written as decimal text at full precision, so that no reader's
floating point touches it; everything reads back to the very same dataclasses.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.canonical import canonical
from workbench.errors import PackageError, ParameterError
from workbench.rebalance.proposal import LotSale, Proposal
from workbench.rebalance.signal.records import read_record, writer

FORMAT = "workbench signal package"
VERSION = 1
#: The list of a folder's packages.
INDEX = "index.json"


@dataclass(frozen=True)
class SignalPackage:
    """A proposal, its canonical bytes and their SHA-256, which is also the idempotency key of its release."""

    proposal: Proposal
    body: bytes
    content_hash: str

    @property
    def harvests(self) -> tuple[tuple[str, LotSale], ...]:
        """The harvest list: security and lot of every sale at a loss in a taxed account."""
        return tuple(
            (trade.security_id, lot)
            for trade in self.proposal.trades
            for lot in trade.lots
            if lot.gain is not None and lot.gain < 0 and lot.term != "untaxed"
        )


def package(proposal: Proposal) -> SignalPackage:
    """Seal a proposal. Raises `ParameterError` for a number that is not finite, a wrong type or broken text."""
    body = dumps(proposal)
    return SignalPackage(proposal, body, hashlib.sha256(body).hexdigest())


def content_hash(proposal: Proposal) -> str:
    """Return the SHA-256 of the proposal's canonical JSON, in hex: the identity and idempotency key of its package."""
    return hashlib.sha256(dumps(proposal)).hexdigest()


def dumps(proposal: Proposal) -> bytes:
    """Return the proposal as canonical JSON in UTF-8. Raises `ParameterError` as `package` does."""
    return canonical({"format": FORMAT, "version": VERSION, "proposal": writer(Proposal)(proposal, "proposal")})


def loads(body: bytes) -> Proposal:
    """Read what `dumps` wrote, to an equal proposal.

    Raises `PackageError` for anything else: no JSON, another format or version, a field missing, unknown or of a wrong
    type, or bytes that are not the canonical spelling of what they say.
    """
    try:
        document = json.loads(body.decode(), object_pairs_hook=_no_repeats, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PackageError(f"the package is not JSON ({error}); take it again from where it was written") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("version") != VERSION:
        raise PackageError(f"not a {FORMAT} of version {VERSION}; read it with the version that wrote it")
    proposal: Proposal = read_record(Proposal, document.get("proposal"), "proposal")
    if dumps(proposal) != body:
        raise PackageError("the package is not in canonical form: it was changed after writing; take the original")
    return proposal


def write_packages(folder: Path | str, proposals: Iterable[Proposal]) -> dict[str, str]:
    """Write one package a household, named by its hash, and the folder's index; return household to hash.

    Files are named by content only (a household's name never becomes a path), written aside and moved in whole; one
    that is there already is left alone. Raises `ParameterError` where a household comes twice.
    """
    folder = Path(folder)
    hashes: dict[str, str] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for proposal in proposals:
        if proposal.household_id in hashes:
            raise ParameterError(
                f"household {proposal.household_id} has two proposals; give one a household", "proposals"
            )
        made = package(proposal)
        hashes[proposal.household_id] = made.content_hash
        path = folder / f"{made.content_hash}.json"
        if not (path.is_file() and path.read_bytes() == made.body):
            _write_whole(path, made.body)
    _write_whole(folder / INDEX, canonical({"format": FORMAT, "version": VERSION, "packages": hashes}))
    return hashes


def read_package(path: Path | str, expected: str | None = None) -> SignalPackage:
    """Read and verify a package: its bytes must hash to its file's name, or to the `expected` hash where one is given.

    Raises `PackageError` where the file is missing, a byte was changed, or the content is not a package.
    """
    path = Path(path)
    try:
        body = path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path}: cannot be read ({error.strerror}); write the packages again") from error
    found = hashlib.sha256(body).hexdigest()
    wanted = expected or path.stem
    if found != wanted:
        raise PackageError(
            f"{path.name}: its content hashes to {found}, not to {wanted}: it was changed after it was written; "
            "do not release it, take the original or propose again"
        )
    try:
        return SignalPackage(loads(body), body, found)
    except PackageError as error:
        raise PackageError(f"{path.name}: {error}") from error


def read_index(folder: Path | str) -> dict[str, str]:
    """Return household to content hash of a folder's packages. Raises `PackageError` for an index that is not one."""
    path = Path(folder) / INDEX
    try:
        document = json.loads(path.read_bytes().decode(), object_pairs_hook=_no_repeats)
        return {str(household): str(name) for household, name in document["packages"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackageError(f"{path}: not an index of packages ({error}); write the packages again") from error


def _write_whole(path: Path, body: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(body)
    aside.replace(path)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key comes twice")
    return made


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")
