"""The exception tree, by who must act.

    WorkbenchError
    ├── FirmDataError      the firm's data are wrong: fix the rows it names
    │   └── NotAFirmError  the folder holds no firm at all
    ├── ParameterError     a parameter, a params file or a command line is wrong: fix it
    ├── MarketDataError    prices, rates or calendars do not cover what is asked
    ├── MissingToolError   something must be installed first
    ├── PackageError       a signal package is not what was written: do not release it
    ├── PolicyError        a rebalancing policy, or the folder that keeps it, is not fit for use: fall back to its rule
    ├── DraftError         a draft cannot be written, or says what its facts do not: correct the text it names
    │   ├── FactError      a fact is missing, without source or not what it says: fix the sheet's maker
    │   └── EndpointError  a language model's endpoint failed or answered what cannot be used: the template serves
    ├── RunError           a notebook of a run failed: read its cell and error
    ├── AccessError        this person may not do this: ask somebody who may
    ├── DecisionError      what is asked cannot be done to this signal: read it again
    │   ├── StaleError     it is no longer what was shown: look at it anew, then decide
    │   └── RepeatError    one key was used for two different things: take a new key
    ├── StoreError         the database is gone, locked, full, or the clock went back: nothing was done
    └── AuditError         the audit trail is not what was written: keep everything, call compliance

Every error carries facts as attributes, and its message ends with what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Exit codes of the command line, by cause; 0 is success and 1 an unexpected fault of the program itself.
EXIT_BAD_INPUT = 2
EXIT_NOTEBOOK_FAILED = 3
EXIT_KERNEL_DIED = 4
EXIT_TIMED_OUT = 5
EXIT_NOT_VERIFIED = 6
EXIT_MISSING_TOOL = 7


@dataclass(frozen=True)
class BadRow:
    """One failing row of a firm's table: where it is, what is wrong with it, what to do.

    `row` is the zero-based position in the table's file, or None where the whole table is meant.
    """

    table: str
    row: int | None
    key: str
    column: str
    value: str
    problem: str
    remedy: str


class WorkbenchError(Exception):
    """Root of every error the workbench raises on purpose."""

    exit_code = EXIT_BAD_INPUT


class FirmDataError(WorkbenchError):
    """The firm's data fail a check; the snapshot is rejected whole.

    `rows` holds every failing row; the message shows the first few of each problem and says how many there are.
    """

    def __init__(self, message: str, rows: Sequence[BadRow] = ()) -> None:
        super().__init__(message)
        self.rows = tuple(rows)


class NotAFirmError(FirmDataError):
    """The folder is not a firm: it has no snapshot record or no tables."""


class ParameterError(WorkbenchError):
    """A parameter is unknown, misspelt, of the wrong type or out of range."""

    def __init__(self, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


class MarketDataError(WorkbenchError):
    """Prices, rates or the trading calendar do not cover what was asked."""


class MissingToolError(WorkbenchError):
    """A package or system library is not installed; the message holds the command that installs it."""

    exit_code = EXIT_MISSING_TOOL


class PackageError(WorkbenchError):
    """A signal package was changed, is broken, or is not one; nothing of it may be released."""

    exit_code = EXIT_NOT_VERIFIED


class PolicyError(WorkbenchError):
    """A policy raises or asks for weights that are not a portfolio, or its folder is changed, foreign or expired."""

    exit_code = EXIT_NOT_VERIFIED


class DraftError(WorkbenchError):
    """A draft cannot be written from its facts, or says something that they do not support; nothing may be sent."""

    exit_code = EXIT_NOT_VERIFIED


class FactError(DraftError):
    """A fact is missing, without a source, or not what it says; `fact` names it, or the entity or word at fault."""

    def __init__(self, message: str, fact: str = "") -> None:
        super().__init__(message)
        self.fact = fact


class EndpointError(DraftError):
    """A language model's endpoint is set up wrongly, does not answer in time, or answers what cannot be used."""


class RunError(WorkbenchError):
    """A notebook of a run failed; the exit code tells a failed cell, a dead kernel and a time-out apart."""

    def __init__(self, message: str, exit_code: int = EXIT_NOTEBOOK_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class AccessError(WorkbenchError):
    """A person may not do what they ask: role, book, state, or because they made what they would check.

    `rule` names what stands against it (`role`, `book`, `state`, `mode`, `maker`, `service`, `signed_out`,
    `throttled`, `break_glass`, `password`).
    """

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


class DecisionError(WorkbenchError):
    """A decision that the signal's state, its checks or its approvals do not allow."""


class StaleError(DecisionError):
    """The decision was made on a version or content that is no longer the signal's; nothing was done."""


class RepeatError(DecisionError):
    """An idempotency key came a second time with a different request; nothing was done."""


class StoreError(WorkbenchError):
    """The database cannot be reached, is locked, full or of another version, or the clock went back."""


class AuditError(WorkbenchError):
    """The audit trail does not verify: `sequence` is the first record that is not what was written (None: unknown)."""

    exit_code = EXIT_NOT_VERIFIED

    def __init__(self, message: str, sequence: int | None = None) -> None:
        super().__init__(message)
        self.sequence = sequence
