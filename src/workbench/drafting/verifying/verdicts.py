"""What a verification says: a verdict for each span of a text, and whether all of it may be sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property

from workbench.canonical import canonical


class Verdict(StrEnum):
    """How a span stands to the facts; only `SUPPORTED` may leave."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    MISBOUND = "misbound"
    WRONG_METRIC = "wrong metric"
    WRONG_DIRECTION = "wrong direction"


@dataclass(frozen=True)
class Span:
    """One thing a text states: `text[start:end]`, what it looks like, the verdict, the facts that bear it or come
    nearest, and, unless it is supported, the reason with what to do.
    """

    start: int
    end: int
    text: str
    looks_like: str
    verdict: Verdict
    facts: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Verification:
    """The verdicts of one text against one sheet, by the hashes of both; spans stand in reading order."""

    text_hash: str
    sheet_hash: str
    spans: tuple[Span, ...]

    @property
    def supported(self) -> bool:
        """Whether every span is; a text without spans is."""
        return not self.faults

    @cached_property
    def faults(self) -> tuple[Span, ...]:
        """The spans that block release."""
        return tuple(span for span in self.spans if span.verdict is not Verdict.SUPPORTED)

    def document(self) -> bytes:
        """Return the report as canonical JSON, to be kept with the draft."""
        return canonical({"version": 1, "supported": self.supported, **asdict(self)})


@dataclass(frozen=True)
class Fault:
    """What is wrong with saying a fact so: `but` goes on where the fact is described."""

    verdict: Verdict
    but: str
