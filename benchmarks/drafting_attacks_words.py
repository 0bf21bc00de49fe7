"""Attacks on a draft's words: verbs turned round, denials, other metrics, other accounts, names, quotations, claims.

As in `benchmarks.drafting_attacks_figures`, whether an altered text still states facts is told from the skeleton.
"""

from __future__ import annotations

import random
import re

from benchmarks.drafting_attacks_figures import Attack, Made, _cell, after
from benchmarks.drafting_mutations import FIGURES, Marked, Place, borne
from workbench.drafting.lexicon import lexicon

#: Words for a direction that its lexicon may not have.
_ALSO = {
    "buy": ("acquire", "add to", "load up on", "build", "top up", "invest in", "scoop up"),
    "sell": ("offload", "unload", "trim", "exit", "dump", "liquidate", "divest", "reduce", "dispose of", "cash out"),
    "over": ("heavy", "in excess of", "overexposed", "too rich"),
    "under": ("light", "short of", "underexposed", "shy of"),
    "gain": ("profit", "windfall", "surplus", "appreciation"),
    "loss": ("deficit", "write-off", "shortfall", "depreciation"),
    "owed": ("increases the bill", "must be paid", "payable"),
    "saved": ("refunded", "avoided", "shaved off", "returned to you"),
    "up": ("climbed", "grew", "jumped", "surged"),
    "down": ("slipped", "shrank", "sank", "dropped"),
    "in": ("put in", "received", "added"),
    "out": ("drew", "took", "pulled out", "spent"),
    "added": ("joins", "comes in", "initiated"),
    "dropped": ("exits", "goes", "eliminated"),
    "ahead": ("beat", "topped", "better than", "exceeded"),
    "behind": ("lagged", "missed", "worse than", "short of"),
    "brought": ("earned", "contributed", "delivered"),
    "cost": ("lost", "detracted", "drained"),
    "most": ("maximum", "biggest", "greatest"),
    "least": ("minimum", "tiniest", "slightest"),
}
_TURNED = (
    ("realized", "unrealized"),
    ("unrealized", "realized"),
    ("after fees", "before fees"),
    ("before fees", "after fees"),
    ("short-term", "long-term"),
    ("long-term", "short-term"),
    ("quarter to date", "year to date"),
    ("target", "weight"),
    ("year to date", "quarter to date"),
    ("weight", "target"),
    ("tax", "cost"),
    ("gain", "tax"),
    ("net gain", "gross gain"),
    ("budget", "tax"),
    ("allocation", "selection"),
    ("selection", "allocation"),
    ("benchmark", "model"),
    ("sale", "gain"),
    ("withdrawal", "tax"),
    ("distribution", "gain"),
    ("turnover", "tracking error"),
    ("tracking error", "volatility"),
    ("volatility", "tracking error"),
    ("benchmark's", "model's"),
    ("losses", "fees"),
    ("fees", "taxes"),
    ("assets", "gains"),
    ("households", "accounts"),
    ("accounts", "households"),
    ("trades", "accounts"),
    ("budget", "loss"),
)


def opposite_synonym(marked: Marked, chosen: random.Random) -> Made:
    """The word for a side replaced by an everyday one for the other side."""
    for _place, way, start, end in _sides(marked):
        against = lexicon().directions[way].against
        if against in _ALSO:
            yield marked.with_((start, end, _as_written(marked.text[start:end], chosen.choice(_ALSO[against])))), False


def second_verb(marked: Marked, chosen: random.Random) -> Made:
    """The right word and the opposite one, both by the figure."""
    for place, way, start, end in _sides(marked):
        against = lexicon().directions[lexicon().directions[way].against]
        other = tuple(against.key if one == way else one for one in place.fact.direction)
        new = chosen.choice(tuple(map(str, against.words[:6])))
        said = marked.text[start:end]
        form = chosen.choice(
            (f"{said} and then {new}", f"{said} or {new}", f"{new} rather than {said}", f"{new}, not {said},")
        )
        # Where one cause has all the sales, they are its sales "or altogether".
        same = borne(marked.sheet, marked.shown(place), place.fact, direction=other)
        yield marked.with_((start, end, _as_written(said, form))), same


def denied(marked: Marked, chosen: random.Random) -> Made:
    """A sentence that denies what its figure says, in everyday ways."""
    said = (
        "do not ",
        "no longer ",
        "will not ",
        "never ",
        "did not ",
        "would rather not ",
        "cannot ",
        "refuse to ",
        "nearly ",
        "failed to ",
        "hardly ",
        "stop short of a plan to ",
        "decided against a plan to ",
    )
    for _place, way, start, _end in _sides(marked):
        if way not in ("before", "after", "most", "least", "short", "long"):
            new = chosen.choice(said)
            line = marked.text[max(0, start - 2) : start]
            yield marked.with_((start, start, new.capitalize() if line in ("- ", "") else new)), False


def denied_ahead(marked: Marked, chosen: random.Random) -> Made:
    """A sentence whose first words deny it."""
    said = (
        "It is not true that ",
        "Contrary to the record, it is false that ",
        "We do not think that ",
        "Nobody said that ",
        "Instead of the following: ",
        "It is wrong to say that ",
        "Had we not decided otherwise: ",
        "Without our consent, ",
        "We have cancelled this: ",
    )
    for place in marked.figures():
        if place.fact.direction and not _cell(marked, place):
            start = place.left + re.match(r"\s*(?:- )?", marked.text[place.left :]).end()  # type: ignore[union-attr]
            first = marked.text[start : start + 1]
            yield marked.with_((start, start + 1, chosen.choice(said) + first.lower())), False


def denied_behind(marked: Marked, chosen: random.Random) -> Made:
    """A sentence taken back by what follows."""
    said = (
        ", which is not so",
        ", or rather the opposite",
        ", which we no longer propose",
        " (cancelled)",
        ", which is wrong",
        ", but not really",
        " (disregard)",
        ", the other way round",
        ", which we deny",
    )
    for place in marked.figures():
        if not _cell(marked, place):
            yield after(marked, place, chosen.choice(said)), False


def metric_turned(marked: Marked, chosen: random.Random) -> Made:
    """The word for what a figure measures replaced by that for another measure."""
    metrics = lexicon().metrics
    for place in marked.figures():
        own = sorted({str(word) for word in metrics[place.fact.metric].words}, key=len, reverse=True)
        said = re.compile("|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in own) or "(?!)", re.IGNORECASE)
        found = [one for one in said.finditer(marked.text, place.left, place.right) if not _inside(marked, one)]
        for old, new in _TURNED:
            if len(found) == 1 and old in found[0][0].lower().split("  ") and _alone(marked, place):
                told = [one for one in metrics.values() if new in map(str, one.words)]
                text = marked.with_((found[0].start(), found[0].end(), _as_written(found[0][0], new)))
                yield text, any(borne(marked.sheet, marked.shown(place), place.fact, metric=one.key) for one in told)


def period_turned(marked: Marked, chosen: random.Random) -> Made:
    """A figure of one period told of another."""
    turned = {
        "quarter to date": "year to date",
        "year to date": "quarter to date",
        "Quarter to date": "Year to date",
        "Year to date": "Quarter to date",
        "3 years": "5 years",
        "1 year": "3 years",
        "5 years": "1 year",
        "this year": "this quarter",
        "a year": "a month",
        "a month": "a year",
        "this quarter": "this year",
    }
    names = sorted(turned, key=len, reverse=True)
    for place in marked.figures():
        line = _line(marked, place)
        for one in re.finditer("|".join(rf"\b{name}\b" for name in names), marked.text[line[0] : line[1]]):
            start, end = line[0] + one.start(), line[0] + one.end()
            inside = any(other is not place and other.left == place.left for other in marked.figures())
            if not inside or marked.text[line[0]] == "|":
                period = [key for key in place.fact.entity if key.startswith("period:")]
                others = [
                    key.key
                    for key in marked.sheet.entities
                    if key.kind == "period" and turned[one[0]].lower() in [name.lower() for name in key.names]
                ]
                same = bool(period and others) and borne(
                    marked.sheet,
                    marked.shown(place),
                    place.fact,
                    entity=tuple(others[0] if key == period[0] else key for key in place.fact.entity),
                )
                yield marked.with_((start, end, turned[one[0]])), same


def other_account(marked: Marked, chosen: random.Random) -> Made:
    """Another account of the same household, the registration of another, or an ending that is none."""
    accounts = [one for one in marked.sheet.entities if one.kind == "account"]
    for place in marked.places:
        own = [one for one in accounts if place.fact.kind == "name" and place.fact.entity == (one.key,)]
        if not own:
            continue
        figures = [one for one in marked.figures() if one.left == place.left and own[0].key in one.fact.entity]
        others = [one for one in accounts if one is not own[0]]
        shown = marked.shown(place)
        if figures and others:
            other = chosen.choice(others)
            entity = tuple(other.key if key == own[0].key else key for key in figures[0].fact.entity)
            same = borne(marked.sheet, marked.shown(figures[0]), figures[0].fact, entity=entity)
            yield marked.with_((place.start, place.end, other.names[0])), same
        kinds = ("Roth IRA", "traditional IRA", "taxable account", "401(k)", "joint account", "trust account")
        kind = next((one for one in kinds if shown.startswith(one)), "")
        if kind:
            new = chosen.choice([one for one in kinds if one != kind]) + shown[len(kind) :]
            yield marked.with_((place.start, place.end, new)), any(new == one.names[0] for one in accounts)
        if shown[-4:].isdigit():
            new = shown[:-4] + f"{(int(shown[-4:]) + chosen.randrange(1, 900)) % 10000:04d}"
            yield marked.with_((place.start, place.end, new)), any(new == one.names[0] for one in accounts)


def other_household(marked: Marked, chosen: random.Random) -> Made:
    """Another household, in the greeting or by the figure."""
    for place in marked.places:
        if place.fact.kind == "name" and place.fact.entity[:1] and place.fact.entity[0].startswith("household:"):
            new = chosen.choice(("Vandermeer household", "The Ashdown household", "H09913", "Mr. and Mrs. Oduya"))
            yield marked.with_((place.start, place.end, new)), False
    for place in marked.figures():
        if not _cell(marked, place):
            new = chosen.choice((" for the Vandermeer household", " of the Ashdown family", " in H09913"))
            yield after(marked, place, new), False


def foreign_name(marked: Marked, chosen: random.Random) -> Made:
    """A benchmark, company, ticker, authority or person who is not on the sheet."""
    said = (
        "the S&P 500",
        "MSCI World",
        "the Bloomberg Aggregate",
        "TSLA",
        "Nvidia",
        "Vanguard",
        "BlackRock",
        "Morningstar",
        "Warren Buffett",
        "Goldman",
        "BRK.B",
        "the Nasdaq",
        "Tesla",
        "$NVDA",
        "Dow Jones",
        "the Fed",
    )
    known = " ".join(name for one in marked.sheet.entities for name in one.names)
    for place in marked.places:
        new = chosen.choice(said)
        if not _cell(marked, place) and new.removeprefix("the ") not in known:
            yield after(marked, place, chosen.choice((f" against {new}", f" of {new}", f", like {new},"))), False


def name_and_symbol_apart(marked: Marked, chosen: random.Random) -> Made:
    """The name of one security with the symbol of another: Exxon Mobil Corp. (MSFT)."""
    symbols = [one for one in marked.places if one.fact.kind == "symbol"]
    known = sorted({one.fact.entity for one in symbols})
    for place in symbols:
        others = [one for one in marked.sheet.entities if one.kind == "security" and (one.key,) != place.fact.entity]
        if others and marked.text[place.start - 1] == "(" and len(known) > 1:
            other = chosen.choice(others)
            new = next((name for name in other.names if name.isupper() and " " not in name), "")
            if new:
                yield marked.with_((place.start, place.end, new)), False


def joined_entity(marked: Marked, chosen: random.Random) -> Made:
    """A figure of one thing told of two: "of Exxon Mobil and Apple", "both here and in the other account"."""
    for place, named, others in _named(marked):
        other = chosen.choice(others)
        form = chosen.choice((f" and {other.names[0]}", f", {other.names[0]},", f" as well as {other.names[0]}"))
        yield marked.with_((named.end, named.end, form)), _borne_by(marked, place, named, other)


def same_for_another(marked: Marked, chosen: random.Random) -> Made:
    """ "The same holds for" another, who has other figures."""
    for place, named, others in _named(marked):
        other = chosen.choice(others)
        if _cell(marked, place):
            continue
        form = chosen.choice(
            (
                f" The same holds for {other.names[0]}.",
                f" {other.names[0]} has as much.",
                f" So does {other.names[0]}.",
                f" For {other.names[0]} it is the same.",
                f" As for {other.names[0]}, likewise.",
            )
        )
        yield marked.with_((place.right, place.right, form)), _borne_by(marked, place, named, other)


def pointed_at(marked: Marked, chosen: random.Random) -> Made:
    """A name replaced by a pointer that leads elsewhere: the latter, the other one, it."""
    said = (
        "the latter",
        "the former",
        "the other one",
        "both",
        "the rest",
        "another position",
        "the remaining account",
    )
    for _place, named, _others in _named(marked):
        if marked.text[named.end : named.end + 2] == " (" or marked.text[named.start - 1] == "(":
            continue  # Its symbol or name still stands beside it.
        yield marked.with_((named.start, named.end, chosen.choice(said))), False


def respectively(marked: Marked, chosen: random.Random) -> Made:
    """Two figures told "respectively" of two things in the wrong order."""
    found = _named(marked)
    for i, (one, named, _) in enumerate(found):
        for other, also, _ in found[i + 1 :]:
            like = one.fact.metric == other.fact.metric and one.fact.direction == other.fact.direction
            if like and one.fact.kind == other.fact.kind and marked.shown(one) != marked.shown(other):
                a, b = (marked.shown(named), marked.shown(also)) if not _cell(marked, one) else ("", "")
                words = str(lexicon().metrics[one.fact.metric].words[0])
                if a and a != b:
                    text = f" The {words} of {b} and {a} is {marked.shown(one)} and {marked.shown(other)} respectively."
                    yield marked.with_((one.right, one.right, text)), False
                break


def quotation_rewritten(marked: Marked, chosen: random.Random) -> Made:
    """Words cut out of a quotation, added to it, or a second sentence put in a mouth."""
    for place in marked.places:
        if place.fact.kind != "quote":
            continue
        said = marked.shown(place)
        words = said.split(" ")
        if len(words) > 5:
            i = chosen.randrange(1, len(words) - 2)
            forms = (
                " ".join([*words[:i], *words[i + 2 :]]),
                f"{said} The client agreed.",
                " ".join([*words[:i], "...", *words[i + 2 :]]),
                said.replace(" and ", " but not ") if " and " in said else said.upper(),
                said.replace(".", " never.", 1),
                " ".join([*words[:i], words[i + 1], words[i], *words[i + 2 :]]),
            )
            new = chosen.choice(forms)
            cut = new in said and False
            yield marked.with_((place.start, place.end, new)), cut or new == said


def quotation_invented(marked: Marked, chosen: random.Random) -> Made:
    """Words that nobody said."""
    said = (
        "\n\n> We want to take more risk.\n\n",
        " You told us \u201cwe can bear any loss\u201d.",
        ' As you put it, "sell everything".',
        "\n\n> The committee approved this change unanimously.\n\n",
    )
    for place in marked.figures():
        if not _cell(marked, place) and marked.text[place.left : place.left + 2] != "- ":
            yield marked.with_((place.right, place.right, chosen.choice(said))), False


def trade_invented(marked: Marked, chosen: random.Random) -> Made:
    """A trade or a side without a figure, of a security that has none such."""
    for entity in marked.sheet.entities:
        if entity.kind != "security":
            continue
        ways = {way for fact in marked.sheet.facts if entity.key in fact.entity for way in fact.direction}
        for way, verb in (("sell", "sell"), ("buy", "buy")):
            places = [one for one in marked.figures() if not _cell(marked, one)]
            if way not in ways and places:
                place = chosen.choice(places)
                yield marked.with_((place.right, place.right, f" We also {verb} {entity.names[-1]}.")), False


def claim_of_nothing(marked: Marked, chosen: random.Random) -> Made:
    """A claim that there is none, or that all is, without a figure."""
    said = (
        " No account is out of band.",
        " All accounts are within their bands.",
        " There is no tax on any of it.",
        " This is free of cost.",
        " You have no losses left.",
        " Every position is at its target.",
        " Nothing is sold.",
        " No restriction applies.",
        " This was the best quarter on record.",
        " The larger part of it is cash.",
        " Most of it is in one account.",
        " Nothing else will be bought.",
        " Both accounts lost money.",
    )
    for place in marked.figures():
        if not _cell(marked, place):
            yield marked.with_((place.right, place.right, chosen.choice(said))), False


def names_exchanged(marked: Marked, chosen: random.Random) -> Made:
    """Two names of one kind, each in the other's sentence."""
    found = _named(marked)
    for i, (one, named, _) in enumerate(found):
        for other, also, _ in found[i + 1 :]:
            kind = [marked.sheet.entity(each.fact.entity[0]).kind for each in (named, also)]
            if kind[0] == kind[1] and named.fact.entity != also.fact.entity and named.fact.kind == also.fact.kind:
                swapped = ((named.start, named.end, marked.shown(also)), (also.start, also.end, marked.shown(named)))
                entities = marked.sheet.entity(also.fact.entity[0]), marked.sheet.entity(named.fact.entity[0])
                same = _borne_by(marked, one, named, entities[0]) and _borne_by(marked, other, also, entities[1])
                yield marked.with_(*swapped), same
                break


def _sides(marked: Marked) -> list[tuple[Place, str, int, int]]:
    """The word that says a side of a figure, where it stands once in the sentence."""
    found = []
    for place in marked.figures():
        for way in place.fact.direction:
            words = "|".join(
                re.escape(str(word)) for word in sorted(lexicon().directions[way].words, key=len, reverse=True)
            )
            said = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)
            hits = [one for one in said.finditer(marked.text, place.left, place.right) if not _inside(marked, one)]
            if len(hits) == 1:
                found.append((place, way, hits[0].start(), hits[0].end()))
    return found


def _named(marked: Marked) -> list[tuple[Place, Place, list]]:
    """A figure alone in its sentence, the one name of its entity there, and other entities of the kind."""
    found = []
    for place in marked.figures():
        if not _alone(marked, place):
            continue
        for key in place.fact.entity:
            kind = marked.sheet.entity(key).kind
            said = [
                one
                for one in marked.places
                if one.left == place.left and one.fact.kind in ("name", "symbol") and one.fact.entity == (key,)
            ]
            others = [
                one
                for one in marked.sheet.entities
                if one.kind == kind and one.key not in place.fact.entity and one.key not in marked.sheet.about
            ]
            if len(said) == 1 and others and key not in marked.sheet.about:
                found.append((place, said[0], others))
    return found


def _borne_by(marked: Marked, place: Place, named: Place, other: object) -> bool:
    key = named.fact.entity[0]
    entity = tuple(other.key if one == key else one for one in place.fact.entity)  # type: ignore[attr-defined]
    return borne(marked.sheet, marked.shown(place), place.fact, entity=entity)


def _alone(marked: Marked, place: Place) -> bool:
    return sum(one.left == place.left and one.fact.kind in FIGURES for one in marked.places) == 1


def _inside(marked: Marked, found: re.Match[str]) -> bool:
    return any(one.start < found.end() and found.start() < one.end for one in marked.places)


def _line(marked: Marked, place: Place) -> tuple[int, int]:
    start = marked.text.rfind("\n", 0, place.start) + 1
    end = marked.text.find("\n", place.end)
    return (start, len(marked.text) if end < 0 else end) if marked.text[start] == "|" else (place.left, place.right)


def _as_written(old: str, new: str) -> str:
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


KINDS: dict[str, Attack] = {
    make.__name__: make
    for make in (
        opposite_synonym,
        second_verb,
        denied,
        denied_ahead,
        denied_behind,
        metric_turned,
        period_turned,
        other_account,
        other_household,
        foreign_name,
        name_and_symbol_apart,
        joined_entity,
        same_for_another,
        pointed_at,
        respectively,
        quotation_rewritten,
        quotation_invented,
        trade_invented,
        claim_of_nothing,
        names_exchanged,
    )
}
