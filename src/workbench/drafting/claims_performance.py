"""The reasons that a performance commentary may give, each with the rule on facts that allows it."""

from __future__ import annotations

from collections.abc import Callable

from workbench.drafting.claims import Claim, collected
from workbench.drafting.facts import FactSheet

#: Differences below this, as a fraction, are nobody's doing.
SLIGHT = 0.0005


def _value(sheet: FactSheet, id: str) -> float:
    return float(sheet.fact(id).value) if sheet.has(id) else 0.0


def _parts(sheet: FactSheet, prefix: str) -> tuple[float, float, float]:
    """The quarter's difference to the benchmark, and its parts by the model and by how it was carried out."""
    stem = f"performance.returns.{prefix.split('.')[1]}"
    excess, choice, rest = (_value(sheet, f"{stem}.{name}.quarter") for name in ("excess", "choice", "implementation"))
    return excess, choice, rest


def _by_model(sign: int) -> Callable[[FactSheet, str], bool]:
    """The difference is no slight one, and most of it is the model's own, on this side."""

    def holds(sheet: FactSheet, prefix: str) -> bool:
        excess, choice, rest = _parts(sheet, prefix)
        return excess * sign >= SLIGHT and choice * sign > abs(rest)

    return holds


def _carried_out(sheet: FactSheet, prefix: str) -> bool:
    """The difference is no slight one, and most of it is how the model was carried out."""
    excess, choice, rest = _parts(sheet, prefix)
    return abs(excess) >= SLIGHT and rest * excess > 0 and abs(rest) > abs(choice)


def _offset(sheet: FactSheet, prefix: str) -> bool:
    """Model and implementation each made a difference, and together none."""
    excess, choice, rest = _parts(sheet, prefix)
    return abs(excess) < SLIGHT <= min(abs(choice), abs(rest))


def _sleeve(sign: int, by: str, other: str) -> Callable[[FactSheet, str], bool]:
    """A sleeve's whole effect has this sign, and the larger of its parts, of the same sign, is the one named."""

    def holds(sheet: FactSheet, prefix: str) -> bool:
        total, mine, rest = (_value(sheet, f"{prefix}.{name}") for name in ("total", by, other))
        return total * sign >= SLIGHT / 10 and mine * sign > 0 and mine * sign >= rest * sign

    return holds


CLAIMS = collected(
    (
        Claim(
            "commentary.model_ahead",
            _by_model(1),
            "Over the quarter the larger part lies with the model itself: on paper, without fees and costs, it is "
            "ahead.",
        ),
        Claim(
            "commentary.model_behind",
            _by_model(-1),
            "Over the quarter the larger part lies with the model itself: on paper, without fees and costs, it is "
            "behind.",
        ),
        Claim(
            "commentary.carried_out",
            _carried_out,
            "Over the quarter the larger part is how the model was carried out: fees, idle cash, and weights other "
            "than the model's.",
        ),
        Claim(
            "commentary.offset",
            _offset,
            "Over the quarter the model's own decisions and their implementation went opposite ways and left nothing "
            "between them.",
        ),
        Claim(
            "sleeve.cost_by_allocation",
            _sleeve(-1, "allocation", "selection"),
            "{f:.name} cost more than any other sleeve, and by allocation: the model held another weight of it than "
            "the policy does.",
        ),
        Claim(
            "sleeve.cost_by_selection",
            _sleeve(-1, "selection", "allocation"),
            "{f:.name} cost more than any other sleeve, and by selection: what it holds did worse than its own "
            "benchmark.",
        ),
        Claim(
            "sleeve.brought_by_allocation",
            _sleeve(1, "allocation", "selection"),
            "{f:.name} brought more than any other sleeve, and by allocation: the model held another weight of it than "
            "the policy does.",
        ),
        Claim(
            "sleeve.brought_by_selection",
            _sleeve(1, "selection", "allocation"),
            "{f:.name} brought more than any other sleeve, and by selection: what it holds did better than its own "
            "benchmark.",
        ),
    )
)
