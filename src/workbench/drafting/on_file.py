"""What is on file of a household beside its proposal: notes, recent cash, restrictions, who looks after it.

Notes and reasons are a client's or an adviser's own words: they are passed on as they are, and only ever quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Note:
    """A note on file: when, by whom, of which kind (meeting, instruction, life_event, preference), words, row."""

    written_on: date
    author: str
    kind: str
    text: str
    note_id: str = ""


@dataclass(frozen=True)
class Flow:
    """Cash a client paid in (positive) or took out (negative) of an account."""

    account_id: str
    on: date
    amount: float


@dataclass(frozen=True)
class Restriction:
    """A restriction in force on an account or on the household, in the words of the book of record."""

    restriction_id: str
    account_id: str | None
    kind: str
    key: str
    value: float | None
    reason: str
    expires_on: date | None


@dataclass(frozen=True)
class Extras:
    """All of it for one household; `snapshot` and `proposal_hash` are content hashes ("" where there is none yet),
    `rank` the household's place in the queue of its batch, `sleeves` the name of each sleeve by its identifier.
    """

    advisor: str
    notes: tuple[Note, ...] = ()
    flows: tuple[Flow, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    snapshot: str = ""
    proposal_hash: str = ""
    rank: int | None = None
    sleeves: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model that is or was in force: its name, first day, and the rationale as it was approved."""

    model_id: str
    version: int
    name: str
    effective: date
    rationale: str
    approved_by: str


@dataclass(frozen=True)
class Directory:
    """How a firm calls things, read once for all households: advisors and securities by identifier, models' versions.

    `versions` holds those in force by the as-of date, oldest first; drafts of models are not in it.
    """

    advisors: Mapping[str, str]
    securities: Mapping[str, str]
    versions: Mapping[str, tuple[ModelVersion, ...]]
