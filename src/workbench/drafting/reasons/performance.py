"""The reasons that a performance commentary may give, each with the rule on facts that allows it."""

from __future__ import annotations

from workbench.drafting.claims import Claim, Rule, collected, figure
from workbench.drafting.facts import FactSheet

#: Differences below this, as a fraction, are nobody's doing.
SLIGHT = 0.0005
#: A weight is another than the policy's from this on, as a fraction of the model.
OTHER_WEIGHT = 0.005


def _parts(sheet: FactSheet, prefix: str) -> tuple[float, float, float]:
    """The quarter's difference to the benchmark, and its parts by the model and by how it was carried out."""
    stem = f"performance.returns.{prefix.split('.')[1]}"
    excess, choice, rest = (figure(sheet, f"{stem}.{name}.quarter") for name in ("excess", "choice", "implementation"))
    return excess, choice, rest


def _by_model(sign: int) -> Rule:
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


def _weighed(sign: int, did: int) -> Rule:
    """A sleeve weighs more (1) or less (-1) than the policy has it, and its own benchmark did better (1) or worse (-1)
    than the whole one. Said only where the effect of allocation agrees: an average can hide how weights moved.
    """

    def holds(sheet: FactSheet, prefix: str) -> bool:
        _, model, period, *_ = prefix.split(".")
        whole = f"performance.returns.{model}.benchmark.{period}"
        if not sheet.has(f"{prefix}.benchmark", whole):
            return False
        apart = figure(sheet, f"{prefix}.weight") - figure(sheet, f"{prefix}.policy")
        ahead = figure(sheet, f"{prefix}.benchmark") - figure(sheet, whole)
        brought = figure(sheet, f"{prefix}.allocation")
        return apart * sign >= OTHER_WEIGHT and ahead * did > 0 and brought * sign * did >= SLIGHT / 10

    return holds


def _chosen(sign: int) -> Rule:
    """What a sleeve holds did better (1) or worse (-1) than its own benchmark, and its selection says so too."""

    def holds(sheet: FactSheet, prefix: str) -> bool:
        if not sheet.has(f"{prefix}.earned", f"{prefix}.benchmark"):
            return False
        apart = figure(sheet, f"{prefix}.earned") - figure(sheet, f"{prefix}.benchmark")
        return apart * sign >= SLIGHT and figure(sheet, f"{prefix}.selection") * sign >= SLIGHT / 10

    return holds


#: Share against the policy, what it did against the whole benchmark, and the sentence: each by its sign.
_WEIGHED = (
    ("more", 1, "better", 1, "The model held more of it than the policy, and it did better than the whole benchmark."),
    ("more", 1, "worse", -1, "The model held more of it than the policy, and it did worse than the whole benchmark."),
    ("less", -1, "better", 1, "The model held less of it than the policy, and it did better than the whole benchmark."),
    ("less", -1, "worse", -1, "The model held less of it than the policy, and it did worse than the whole benchmark."),
)

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
        *(
            Claim(f"sleeve.{share}_of_{what}", _weighed(sign, did), sentence)
            for share, sign, what, did, sentence in _WEIGHED
        ),
        Claim(
            "sleeve.chosen_well",
            _chosen(1),
            "What the model holds in it did better than its own benchmark, and that brought a part.",
        ),
        Claim(
            "sleeve.chosen_badly",
            _chosen(-1),
            "What the model holds in it did worse than its own benchmark, and that cost a part.",
        ),
    )
)
