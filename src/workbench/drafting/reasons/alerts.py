"""What an alert may say of a night: quiet or not, how many accounts, how far out one is, and what put it there."""

from __future__ import annotations

from collections.abc import Callable

from workbench.drafting.claims import Claim, Rule, collected
from workbench.drafting.facts import FactSheet

#: Band use from which an account is far out.
FAR = 2.0

_CAUSES = {
    "market": "prices",
    "corporate_actions": "corporate actions",
    "flows": "deposits, withdrawals and fees",
    "trades": "rebalancing trades",
    "overrides": "manual trades",
    "model_change": "the change of the model",
    "residual": "what the last rebalance left",
    "start": "how it began, never rebalanced",
}


def _count(name: str, holds: Callable[[float], bool]) -> Rule:
    return lambda sheet, prefix: holds(sheet.fact(f"{prefix}.{name}").magnitude)


def _use(holds: Callable[[float], bool]) -> Rule:
    return lambda sheet, prefix: sheet.has(f"{prefix}.use") and holds(sheet.fact(f"{prefix}.use").magnitude)


def _cause(name: str) -> Rule:
    return lambda sheet, prefix: sheet.has(f"{prefix}.cause.{name}")


def _way(name: str) -> Rule:
    return lambda sheet, prefix: name in sheet.fact(f"{prefix}.deviation").direction


def _quiet(sheet: FactSheet, prefix: str) -> bool:
    return not sheet.fact(f"{prefix}.left").value and not sheet.fact(f"{prefix}.back").value


CLAIMS = collected(
    (
        Claim("alert.quiet", _quiet, "No account left its bands or came back since {f:since}."),
        Claim("alert.left_none", _count("left", lambda n: n == 0), "No account left its bands since {f:since}."),
        Claim("alert.left_one", _count("left", lambda n: n == 1), "{f:.left} account left its bands since {f:since}."),
        Claim(
            "alert.left_many", _count("left", lambda n: n > 1), "{f:.left} accounts left their bands since {f:since}."
        ),
        Claim("alert.back_none", _count("back", lambda n: n == 0), "None came back."),
        Claim("alert.back_some", _count("back", lambda n: n > 0), "{f:.back} came back."),
        Claim("alert.out_none", _count("out", lambda n: n == 0), "None is out of band, of {f:.measured} measured."),
        Claim(
            "alert.out_one",
            _count("out", lambda n: n == 1),
            "{f:.out} account is out of band now, of {f:.measured} measured.",
        ),
        Claim(
            "alert.out_many",
            _count("out", lambda n: n > 1),
            "{f:.out} accounts are out of band now, of {f:.measured} measured.",
        ),
        Claim("alert.over", _way("over"), "over target"),
        Claim("alert.under", _way("under"), "under target"),
        Claim("alert.far_out", _use(lambda use: use >= FAR), "far out"),
    ),
    tuple(Claim(f"alert.cause_{name}", _cause(name), words) for name, words in _CAUSES.items()),
)
