"""Claims: the closed list of reasons a draft may give, each a sentence with the rule on facts that allows it.

    Claim("tax.saved", has("tax.saved"), "By our estimate the trades save {f:tax.saved} of tax for {f:tax.year}.")

A template cannot give a reason that the facts do not bear: `say` refuses a claim whose rule does not hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workbench.drafting.facts import FactSheet
from workbench.errors import DraftError

_OWN = re.compile(r"\{f:\.")
#: What must hold on a sheet, for the facts below a prefix ("" for the whole sheet).
Rule = Callable[[FactSheet, str], bool]


@dataclass(frozen=True)
class Claim:
    """One reason: its name, the rule on the facts below a prefix, and its sentence.

    In the sentence `{f:.amount}` is the fact `amount` below the prefix, `{f:other.fact}` one of the whole sheet.
    """

    name: str
    holds: Rule
    sentence: str

    def skeleton(self, sheet: FactSheet, prefix: str) -> str:
        """Return the sentence for the facts below `prefix`. Raises `DraftError` where the rule does not hold."""
        if not self.holds(sheet, prefix):
            raise DraftError(
                f"claim {self.name!r} does not hold for {prefix!r} on the sheet of {sheet.kind} {sheet.key}; "
                "have the template ask `holds` first"
            )
        return _OWN.sub(f"{{f:{prefix}.", self.sentence)


def figure(sheet: FactSheet, id: str) -> float:
    """Return a figure of a sheet, zero where it has none: a rule that asks for more then does not hold."""
    return float(sheet.fact(id).value) if sheet.has(id) else 0.0


def collected(*lists: tuple[Claim, ...]) -> Mapping[str, Claim]:
    """Return claims by name. Raises `DraftError` where two have one name."""
    found: dict[str, Claim] = {}
    for claim in (claim for claims in lists for claim in claims):
        if claim.name in found:
            raise DraftError(f"two claims are called {claim.name!r}; rename one")
        found[claim.name] = claim
    return found
