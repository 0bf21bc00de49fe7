"""The reasons that a committee's memo may give, each with the rule on facts that allows it."""

from __future__ import annotations

from workbench.drafting.claims import Claim, collected, figure
from workbench.drafting.facts import FactSheet

#: A share of all drift from which one cause is called the main one.
MAIN = 0.4
_CAUSES = ("market", "corporate_actions", "flows", "trades", "overrides", "model_change", "residual")


def _mainly(cause: str) -> Claim:
    """The cause made up at least `MAIN` of all drift, and more than any other."""

    def holds(sheet: FactSheet, prefix: str) -> bool:
        shares = {name: figure(sheet, f"drift.cause.{name}") for name in _CAUSES}
        return shares[cause] == max(shares.values()) and shares[cause] >= MAIN

    return Claim(f"drift.mainly_{cause}", holds, _MAINLY[cause])


_MAINLY = {
    "market": "Market prices made {f:drift.cause.market} of all movement away from the models; the answer is to "
    "rebalance, not to change a model.",
    "corporate_actions": "Dividends and other corporate actions made {f:drift.cause.corporate_actions} of all movement "
    "away from the models; ask whether income is reinvested in time.",
    "flows": "Flows and fees made {f:drift.cause.flows} of all movement away from the models; ask whether new money is "
    "invested in time.",
    "trades": "Rebalancing trades themselves made {f:drift.cause.trades} of all movement away from the models; ask why "
    "trades miss their targets.",
    "overrides": "Manual trades made {f:drift.cause.overrides} of all movement away from the models; ask the advisors "
    "for their reasons.",
    "model_change": "Changes of the models made {f:drift.cause.model_change} of all movement; the accounts have yet to "
    "follow.",
    "residual": "Deviations that were there at the start made {f:drift.cause.residual} of all movement away from the "
    "models; these accounts want a rebalancing of their own, whatever the market does.",
}

_DRIFT = (
    *map(_mainly, _CAUSES),
    Claim(
        "drift.correction_saves",
        lambda sheet, prefix: figure(sheet, "drift.firm.tax_to_correct") <= -0.5,
        "With the least-taxed lots sold ahead of others, that saves {f:drift.firm.tax_to_correct} of tax.",
    ),
    Claim(
        "drift.correction_costs",
        lambda sheet, prefix: figure(sheet, "drift.firm.tax_to_correct") >= 0.5,
        "With the least-taxed lots sold ahead of others, that costs {f:drift.firm.tax_to_correct} of tax.",
    ),
    Claim(
        "drift.tax_incomplete",
        lambda sheet, prefix: figure(sheet, "drift.firm.tax_unknown") > 0,
        "Incomplete lots keep {f:drift.firm.tax_unknown} of the accounts out of that figure.",
    ),
)


def _quarters_flow(sheet: FactSheet) -> float:
    """What clients paid in or took out over the quarter; zero where the record is younger."""
    known = sheet.has("performance.all.flow") and "period:quarter" in sheet.fact("performance.all.flow").entity
    return figure(sheet, "performance.all.flow") if known else 0.0


_RECORD = (
    Claim(
        "flows.in",
        lambda sheet, prefix: _quarters_flow(sheet) > 0,
        "Clients paid in {f:performance.all.flow|short}, net, over {f:period.quarter.name}",
    ),
    Claim(
        "flows.out",
        lambda sheet, prefix: _quarters_flow(sheet) < 0,
        "Clients have taken out {f:performance.all.flow|short}, net, over {f:period.quarter.name}",
    ),
    Claim(
        "difference.models",
        lambda sheet, prefix: (
            abs(figure(sheet, "sleeves.firm.model")) > abs(figure(sheet, "sleeves.firm.implementation"))
        ),
        "The larger part is the committee's own: it lies with the models, before anybody carried them out.",
    ),
    Claim(
        "difference.implementation",
        lambda sheet, prefix: (
            abs(figure(sheet, "sleeves.firm.model")) < abs(figure(sheet, "sleeves.firm.implementation"))
        ),
        "The larger part is how the models were carried out, which a change of model would leave as it is.",
    ),
)


def _costliest(sheet: FactSheet, parts: tuple[str, ...]) -> str:
    """The part of the firm's difference that cost most."""
    return min(parts, key=lambda part: figure(sheet, f"sleeves.firm.{part}"))


#: What follows from the attribution, so that whoever answers for the larger part is asked. Slight costs ask nothing.
_ASKED = 0.0005
_ACTS = (
    Claim(
        "act.sleeve",
        lambda sheet, prefix: (
            figure(sheet, "sleeves.firm.model") <= -_ASKED
            and figure(sheet, f"{prefix}.total") < 0
            and prefix == next(iter(sheet.groups("sleeves.firm.sleeve")), "")
        ),
        "go over {f:.name}, the sleeve whose decisions cost most",
    ),
    Claim(
        "act.weights",
        lambda sheet, prefix: (
            figure(sheet, "sleeves.firm.timing") <= -_ASKED
            and _costliest(sheet, ("timing", "fees", "cash", "other_holdings", "trading", "residual")) == "timing"
        ),
        "explain why accounts held other weights than the model's, the costliest part of the implementation",
    ),
)

_IMPLEMENTATION = (
    Claim(
        "implementation.nobody",
        lambda sheet, prefix: not sheet.groups("implementation.blamed"),
        "Nobody stands out: no shortfall can be laid at a custodian or an advisor.",
    ),
    Claim(
        "implementation.tests",
        lambda sheet, prefix: sheet.has("implementation.tests"),
        "The study made {f:implementation.tests} tests, of {f:implementation.custodians} custodians and "
        "{f:implementation.advisors} advisors; the more tests, the stronger each finding had to be.",
    ),
    Claim(
        "implementation.by_chance",
        lambda sheet, prefix: sheet.has("implementation.chance.value"),
        "That could be chance: by itself it gives no reason to act.",
    ),
    Claim(
        "implementation.slight",
        lambda sheet, prefix: sheet.has("implementation.slight.value"),
        "That is too little to act on.",
    ),
    Claim(
        "implementation.systemic",
        lambda sheet, prefix: sheet.has("implementation.systemic.value"),
        "That is more than chance: whoever advises and holds them, accounts fall short of their models.",
    ),
)


def _gain(sheet: FactSheet, prefix: str) -> tuple[float, float, float]:
    return figure(sheet, f"{prefix}.gain.low"), figure(sheet, f"{prefix}.gain"), figure(sheet, f"{prefix}.gain.high")


def _passes(sheet: FactSheet, prefix: str) -> bool:
    return figure(sheet, f"{prefix}.passed") == figure(sheet, f"{prefix}.criteria")


_EVIDENCE = (
    Claim("evidence.passes", _passes, "It passes every criterion."),
    Claim(
        "evidence.loses",
        lambda sheet, prefix: not _passes(sheet, prefix) and _gain(sheet, prefix)[2] < 0,
        "It loses: the whole interval lies below zero.",
    ),
    Claim(
        "evidence.no_gain",
        lambda sheet, prefix: not _passes(sheet, prefix) and _gain(sheet, prefix)[1] <= 0 <= _gain(sheet, prefix)[2],
        "It did worse than the rule in the test years, though chance alone could have made the difference.",
    ),
    Claim(
        "evidence.not_enough",
        lambda sheet, prefix: not _passes(sheet, prefix) and _gain(sheet, prefix)[0] <= 0 < _gain(sheet, prefix)[1],
        "It did better than the rule in the test years, but chance alone could have made the difference.",
    ),
    Claim(
        "evidence.not_robust",
        lambda sheet, prefix: not _passes(sheet, prefix) and _gain(sheet, prefix)[0] > 0,
        "It did better than chance explains, but what else is asked of it is not shown.",
    ),
)

_RISK = (
    Claim(
        "risk.above",
        lambda sheet, prefix: figure(sheet, "stress.firm.above") > 0,
        "Of {f:stress.firm.assessed} households with a valid profile, {f:stress.firm.above} would lose more in their "
        "worst window than the profile tolerates.",
    ),
    Claim(
        "risk.unknown",
        lambda sheet, prefix: figure(sheet, "stress.firm.assessed") == 0,
        "Whether households tolerate such a loss is not known, for none of them has a valid profile.",
    ),
    Claim(
        "risk.within",
        lambda sheet, prefix: figure(sheet, "stress.firm.above") == 0 < figure(sheet, "stress.firm.assessed"),
        "All {f:stress.firm.assessed} households with a valid profile stay within what the profile tolerates.",
    ),
)

CLAIMS = collected(_DRIFT, _RECORD, _ACTS, _IMPLEMENTATION, _EVIDENCE, _RISK)
