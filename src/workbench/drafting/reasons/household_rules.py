"""Rules on a household's facts that its claims stand on: what is there, which way round, how much."""

from __future__ import annotations

from datetime import date

from workbench.drafting.claims import Rule
from workbench.drafting.facts import FactSheet

#: Days after which a client is due for a review.
REVIEW_DAYS = 365
#: Trades that a letter lists.
LISTED = 3
#: A change of a weight that a client would notice.
VISIBLE = 0.005

#: A share of what a household holds from which a deposit or withdrawal is worth a question.
NOTABLE = 0.01
#: Dollars below which two amounts print alike.
HALF_DOLLAR = 0.5


def has(*names: str) -> Rule:
    """Return the rule that all these facts are there: ".amount" below the prefix, "tax.year" of the whole sheet."""
    return lambda sheet, prefix: all(sheet.has(prefix + name if name.startswith(".") else name) for name in names)


def lacks(*names: str) -> Rule:
    """Return the rule that none of these facts is there."""
    return lambda sheet, prefix: not any(sheet.has(prefix + name if name.startswith(".") else name) for name in names)


def both(*rules: Rule) -> Rule:
    """Return the rule that all of these hold."""
    return lambda sheet, prefix: all(rule(sheet, prefix) for rule in rules)


def way(name: str, direction: str) -> Rule:
    """Return the rule that a fact is there and goes this way round."""

    def rule(sheet: FactSheet, prefix: str) -> bool:
        id = prefix + name if name.startswith(".") else name
        return sheet.has(id) and direction in sheet.fact(id).direction

    return rule


def single(name: str) -> Rule:
    """Return the rule that a count is of a single thing."""
    return lambda sheet, prefix: has(name)(sheet, prefix) and sheet.fact(name).value == 1


def several(name: str) -> Rule:
    """Return the rule that a count is of more than a single thing."""
    return lambda sheet, prefix: has(name)(sheet, prefix) and float(sheet.fact(name).value) > 1


def first_cause(cause: str) -> Rule:
    """Return the rule that more dollars are traded for this cause than for any other."""
    return lambda sheet, prefix: sheet.groups("why")[:1] == (f"why.{cause}",)


def first_gap(direction: str) -> Rule:
    """Return the rule that the weight furthest from its target is off this way, and the trades bring it closer."""
    row = "model.1.drift.1"
    return lambda sheet, prefix: way(f"{row}.off", direction)(sheet, "") and closer(sheet, row)


def unless(rule: Rule) -> Rule:
    """Return the rule that another does not hold."""
    return lambda sheet, prefix: not rule(sheet, prefix)


def only(sheet: FactSheet, causes: tuple[str, ...]) -> bool:
    """Say whether all trades are made for these causes."""
    found = {group.split(".")[1] for group in sheet.groups("why")}
    return bool(found) and found <= set(causes)


def one_account(sheet: FactSheet, prefix: str) -> bool:
    """Say whether there are several trades, and all of them in one account."""
    return several("trades.count")(sheet, prefix) and single("trades.accounts")(sheet, prefix)


def first_row(sheet: FactSheet, prefix: str) -> bool:
    """Say whether no weight told before this one is of the same model."""
    return prefix.endswith(".drift.1")


def all_losses(sheet: FactSheet, prefix: str) -> bool:
    """Say whether the net loss is the losses harvested and nothing else."""
    return sheet.has("tax.net", "tax.harvested") and _same(sheet, "tax.net", "tax.harvested")


def saves_losses(sheet: FactSheet, prefix: str) -> bool:
    """Say whether losses are harvested, and more is carried into later years than came from earlier ones."""
    if not sheet.has("tax.harvested", "tax.carried_on"):
        return False
    came = sheet.fact("tax.carried").magnitude if sheet.has("tax.carried") else 0.0
    return sheet.fact("tax.carried_on").magnitude - came >= HALF_DOLLAR


def no_budget(sheet: FactSheet, prefix: str) -> bool:
    """Say whether the gain budget on file is nothing: gains are realized only where losses cover them."""
    return sheet.has("budget.limit") and sheet.fact("budget.limit").magnitude < HALF_DOLLAR


def unspent(sheet: FactSheet, prefix: str) -> bool:
    """Say whether the gain budget is left as it was."""
    return sheet.has("budget.left") and _same(sheet, "budget.left", "budget.limit")


def passed_before(sheet: FactSheet, prefix: str) -> bool:
    """Say whether gains realized before the trades had used up the gain budget."""
    if not sheet.has("tax.realized", "budget.limit"):
        return False
    return float(sheet.fact("tax.realized").value) >= sheet.fact("budget.limit").magnitude


def notable(sheet: FactSheet, prefix: str) -> bool:
    """Say whether a deposit or withdrawal is a visible part of what the household holds."""
    if not sheet.has("accounts.value"):
        return False
    return sheet.fact(f"{prefix}.amount").magnitude >= NOTABLE * sheet.fact("accounts.value").magnitude


def repeated(sheet: FactSheet, prefix: str) -> bool:
    """Say whether a newer note has the same words."""
    notes = sheet.groups("note")
    own = sheet.fact(f"{prefix}.text").value
    return any(sheet.fact(f"{other}.text").value == own for other in notes[: notes.index(prefix)])


def overdue(sheet: FactSheet, prefix: str) -> bool:
    """Say whether the last meeting on file is longer ago than a review may wait."""
    if not sheet.has("met"):
        return False
    return (date.fromisoformat(sheet.as_of) - date.fromisoformat(str(sheet.fact("met").value))).days > REVIEW_DAYS


def closer(sheet: FactSheet, prefix: str) -> bool:
    """Say whether the trades bring a weight visibly closer to its target, and not visibly past it."""
    if not sheet.has(f"{prefix}.after"):
        return False
    target, now, after = (float(sheet.fact(f"{prefix}.{name}").value) for name in ("target", "now", "after"))
    if (now - target) * (after - target) < 0 and abs(after - target) >= VISIBLE:
        return False
    return _gap(sheet, prefix, "now") - _gap(sheet, prefix, "after") >= VISIBLE


def away(sheet: FactSheet, prefix: str) -> bool:
    """Say whether the trades take a weight further from its target."""
    return sheet.has(f"{prefix}.after") and _gap(sheet, prefix, "after") > _gap(sheet, prefix, "now")


def far(sheet: FactSheet, prefix: str) -> bool:
    """Say whether a weight is visibly off its target."""
    return sheet.has(f"{prefix}.off") and sheet.fact(f"{prefix}.off").magnitude >= VISIBLE


def some_far(sheet: FactSheet, prefix: str) -> bool:
    """Say whether a weight of this model's accounts is visibly off its target."""
    return any(far(sheet, row) for row in sheet.groups(f"{prefix}.drift"))


def returns(sheet: FactSheet, prefix: str) -> bool:
    """Say whether the trades close at least half of a visible gap to a target in any model."""
    rows = [row for model in sheet.groups("model") for row in sheet.groups(f"{model}.drift")]
    return any(
        far(sheet, row) and closer(sheet, row) and _gap(sheet, row, "after") <= _gap(sheet, row, "now") / 2
        for row in rows
    )


def moves(sheet: FactSheet, prefix: str) -> bool:
    """Say whether holdings are sold in an account and bought in another for their place."""
    return len(sheet.groups("why.location")) == 2


def harvest_only(sheet: FactSheet, prefix: str) -> bool:
    """Say whether all trades are made to use losses."""
    return only(sheet, ("harvest", "replacement"))


def close_everywhere(sheet: FactSheet, prefix: str) -> bool:
    """Say whether there are models, and no weight is visibly off its target in any."""
    rows = [row for model in sheet.groups("model") for row in sheet.groups(f"{model}.drift")]
    return bool(rows) and not any(far(sheet, row) for row in rows)


def listed_in_part(sheet: FactSheet, prefix: str) -> bool:
    """Say whether there are more trades than a letter lists."""
    return len(sheet.groups("trade")) > LISTED


def first_of_its_model(sheet: FactSheet, prefix: str) -> bool:
    """Say whether no larger group of accounts follows the same model."""
    groups = sheet.groups("model")
    name = sheet.fact(f"{prefix}.name").value
    return not any(sheet.fact(f"{other}.name").value == name for other in groups[: groups.index(prefix)])


def same_reasons(sheet: FactSheet, prefix: str) -> bool:
    """Say whether another model's version was approved for the reasons of the first model's newest one."""
    own, first = f"{prefix}.rationale", "model.1.version.1.rationale"
    told = not prefix.startswith("model.1.") and sheet.has(own, first)
    return told and sheet.fact(own).value == sheet.fact(first).value


def _gap(sheet: FactSheet, prefix: str, when: str) -> float:
    return abs(float(sheet.fact(f"{prefix}.{when}").value) - float(sheet.fact(f"{prefix}.target").value))


def _same(sheet: FactSheet, one: str, other: str) -> bool:
    return abs(sheet.fact(one).magnitude - sheet.fact(other).magnitude) < HALF_DOLLAR
