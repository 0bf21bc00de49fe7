"""Attacks by a draft's form: characters that are not seen or look alike, markup, tables, headings, joined sentences.

As in `benchmarks.drafting_attacks_figures`, whether an altered text still states facts is told from the skeleton.
"""

from __future__ import annotations

import itertools
import random
import re

from benchmarks.drafting_attacks_figures import Attack, Made, _cell, after, put
from benchmarks.drafting_mutations import FIGURES, Marked, Place, borne, reads_as

_SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"


def look_alike(marked: Marked, chosen: random.Random) -> Made:
    """A wrong digit of another script, in a circle, raised, as an emoji, or a letter that looks like one."""
    for place in marked.figures():
        digits = [i for i in range(place.start, place.end) if marked.text[i] in "0123456789"]
        if not digits:
            continue
        i = chosen.choice(digits)
        other = (int(marked.text[i]) + chosen.randrange(1, 9)) % 10
        looks = (
            _SUPERSCRIPTS[other],
            chr(0x2080 + other),
            chr(0x2460 + (other or 1) - 1),
            f"{other}\ufe0f\u20e3",
            chr(0x1D7CE + other),
            chr(0x1D7F6 + other),
            chr(0x0660 + other),
            chr(0xFF10 + other),
            "O",
            "l",
            "I",
            chr(0x2160 + (other or 1) - 1),
            "S",
            "B",
        )
        yield marked.with_((i, i + 1, chosen.choice(looks))), False


def digit_added_by_form(marked: Marked, chosen: random.Random) -> Made:
    """A digit more, by an entity, a tag, an escape, bold, code, a link or a raised character."""
    for place in marked.figures():
        shown = marked.shown(place)
        last = max((i for i, c in enumerate(shown) if c.isdigit()), default=-1)
        if last < 0 or not place.fact.magnitude:
            continue
        forms = (
            "&#55;",
            "&#x37;",
            "<b>7</b>",
            "**7**",
            "`7`",
            "\\7",
            "[7](x)",
            "<!-- -->7",
            "_7_",
            "\u2077",
            "\u20607",
            "&nbsp;7",
        )
        yield put(marked, place, shown[: last + 1] + chosen.choice(forms) + shown[last + 1 :]), False


def digit_hidden(marked: Marked, chosen: random.Random) -> Made:
    """A figure struck through, turned right to left, or parted by what is not seen."""
    for place in marked.figures():
        shown = marked.shown(place)
        if sum(c.isdigit() for c in shown) < 2 or shown == shown[::-1]:
            continue
        forms = (
            f"\u202e{shown[::-1]}\u202c",
            "".join(c + "\u0336" for c in shown),
            f"{shown[:2]}\u200b{shown[2:]}",
            f"{shown[:2]}\u00ad{shown[2:]}",
            f"\u2067{shown}\u2069",
            f"{shown[:2]}\u200d{shown[2:]}",
            f"{shown[:2]}\u180e{shown[2:]}",
            f"{shown[:2]}\U000e0037{shown[2:]}",
            f"~~{shown}~~",
        )
        yield put(marked, place, chosen.choice(forms)), False


def figure_broken(marked: Marked, chosen: random.Random) -> Made:
    """A figure parted by a space, a line or a sign, so that it reads as two."""
    for place in marked.figures():
        shown = marked.shown(place)
        inner = [i for i in range(1, len(shown)) if shown[i].isdigit() and shown[i - 1].isdigit()]
        if inner:
            i = chosen.choice(inner)
            yield (
                put(
                    marked,
                    place,
                    shown[:i] + chosen.choice((" ", "\n", " \n", "/", ":", "\u2009", "-", ";")) + shown[i:],
                ),
                False,
            )


def reference_number(marked: Marked, chosen: random.Random) -> Made:
    """The number of a note, table, figure, page or section that is not there."""
    said = (
        " [3]",
        " (Table 4)",
        " (see Figure 2)",
        " (page 12)",
        "\u00b9",
        "^2",
        " (note 7)",
        " (section 3.1)",
        "[^4]",
        " (item ix)",
    )
    for place in marked.figures():
        yield after(marked, place, chosen.choice(said)), False


def name_disguised(marked: Marked, chosen: random.Random) -> Made:
    """A foreign name or symbol in small letters, other scripts, or parted letters."""
    said = (
        "T S L A",
        "TSL\u0410",
        "\uff34\uff33\uff2c\uff21",
        "T\u200bSLA",
        "n v d a",
        "Nv\u0456dia",
        "#TSLA",
        "TSLA.O",
        "$TSLA",
        "t.s.l.a.",
        "Te\u00adsla",
        "&#84;SLA",
        "TSLA's",
    )
    for place in marked.figures():
        if not _cell(marked, place):
            yield after(marked, place, f" of {chosen.choice(said)}"), False


def rows_exchanged(marked: Marked, chosen: random.Random) -> Made:
    """The first cells of two rows of a table, each in the other's row."""
    for rows in _tables(marked):
        for one in rows[2:]:
            other = chosen.choice(rows[2:])
            label, also = _cells(marked, one)[0], _cells(marked, other)[0]
            if other <= one or marked.text[slice(*label)].strip() == marked.text[slice(*also)].strip():
                continue
            swapped = (*label, marked.text[slice(*also)]), (*also, marked.text[slice(*label)])
            same = marked.text[label[1] : one[1]] == marked.text[also[1] : other[1]]
            yield marked.with_(*swapped), same


def heads_exchanged(marked: Marked, chosen: random.Random) -> Made:
    """The heads of two columns, each over the other's figures."""
    for rows in _tables(marked):
        heads = _cells(marked, rows[0])
        for i in range(1, len(heads)):
            for j in range(i + 1, len(heads)):
                columns = [[marked.text[slice(*_cells(marked, row)[k])] for row in rows[2:]] for k in (i, j)]
                if not any("0" <= letter <= "9" for column in columns for one in column for letter in one):
                    continue  # Two columns of names: no figure is said otherwise.
                swapped = (*heads[i], marked.text[slice(*heads[j])]), (*heads[j], marked.text[slice(*heads[i])])
                yield marked.with_(*swapped), [one.strip() for one in columns[0]] == [one.strip() for one in columns[1]]


def columns_exchanged(marked: Marked, chosen: random.Random) -> Made:
    """The figures of one row of a table, moved one column on."""
    for rows in _tables(marked):
        for row in rows[2:]:
            cells = _cells(marked, row)[1:]
            texts = [marked.text[slice(*one)] for one in cells]
            figures = [one for one in marked.figures() if row[0] <= one.start < row[1] and one.start > cells[0][0]]
            if len(figures) == len(cells) > 1 and len({one.strip() for one in texts}) == len(texts):
                moved = [texts[-1], *texts[:-1]]
                yield marked.with_(*((*cell, text) for cell, text in zip(cells, moved, strict=True))), False


def column_added(marked: Marked, chosen: random.Random) -> Made:
    """A column or row more, with figures that nobody computed."""
    for rows in _tables(marked):
        edits = [(rows[0][1], rows[0][1], " Last year |"), (rows[1][1], rows[1][1], "---|")]
        edits += [(row[1], row[1], f" {chosen.randrange(11, 99)}.{chosen.randrange(1, 9)}% |") for row in rows[2:]]
        yield marked.with_(*edits), False
        cells = "".join(f" {chosen.randrange(11, 99)}.{chosen.randrange(1, 9)}% |" for _ in _cells(marked, rows[0])[1:])
        yield marked.with_((rows[-1][1], rows[-1][1], f"\n| Total |{cells}")), False


def moved_to_another_entity(marked: Marked, chosen: random.Random) -> Made:
    """A sentence with no name of its own behind a sentence about another entity of the kind."""
    for place in marked.figures():
        if _cell(marked, place):
            continue
        own = [
            one
            for one in marked.places
            if one.left == place.left
            and one.fact.kind in ("name", "symbol")
            and set(one.fact.entity) & set(place.fact.entity)
        ]
        kinds = {marked.sheet.entity(one.fact.entity[0]).kind for one in own if one.fact.entity}
        others = [
            one
            for one in marked.sheet.entities
            if one.kind in kinds and one.key not in place.fact.entity and one.key not in marked.sheet.about
        ]
        if not own or not others or len({one.fact.entity for one in own}) > 1:
            continue
        other = chosen.choice(others)
        sentence = marked.text[place.left : place.right]
        for one in sorted(own, key=lambda each: -each.start):
            sentence = sentence[: one.start - place.left] + "it" + sentence[one.end - place.left :]
        sentence = sentence.strip().removeprefix("- ")
        text = f"\n\nAs for {other.names[0]}, it was looked at too. {sentence}\n\n"
        entity = tuple(other.key if key in {one.fact.entity[0] for one in own} else key for key in place.fact.entity)
        figures = [one for one in marked.figures() if one.left == place.left]
        summed = any(
            set(fact.entity) <= set(marked.sheet.about) and fact.kind in FIGURES and reads_as(fact, marked.shown(place))
            for fact in marked.sheet.facts
        )
        if len(figures) == 1 and not summed:
            yield (
                marked.with_((place.right, place.right, text)),
                borne(marked.sheet, marked.shown(place), place.fact, entity=entity),
            )


def heading_invented(marked: Marked, chosen: random.Random) -> Made:
    """A heading above a figure that names another entity of its kind."""
    for place in marked.figures():
        for key in place.fact.entity:
            kind = marked.sheet.entity(key).kind
            named = [
                one
                for one in marked.places
                if one.left == place.left and one.fact.kind in ("name", "symbol") and one.fact.entity == (key,)
            ]
            others = [
                one
                for one in marked.sheet.entities
                if one.kind == kind and one.key not in place.fact.entity and one.key not in marked.sheet.about
            ]
            if others and not named and key in marked.sheet.about and kind in ("household", "model", "account"):
                other = chosen.choice(others)
                entity = tuple(other.key if one == key else one for one in place.fact.entity)
                start = _block(marked, place)
                if not _cell(marked, place):
                    yield (
                        marked.with_((start, start, f"# {other.names[0]}\n\n")),
                        borne(marked.sheet, marked.shown(place), place.fact, entity=entity),
                    )


def figure_in_a_heading(marked: Marked, chosen: random.Random) -> Made:
    """A heading, a caption or a code block with a figure of nobody's."""
    said = (
        "# Up 14% this year\n\n",
        "**Savings: $3,131.**\n\n",
        "```\ntotal 4417\n```\n\n",
        "## 7 reasons\n\n",
        "Table 3. Costs.\n\n",
    )
    for place in marked.figures():
        start = _block(marked, place)
        if not _cell(marked, place):
            yield marked.with_((start, start, chosen.choice(said))), False


def sentences_joined(marked: Marked, chosen: random.Random) -> Made:
    """Two sentences made one, so that the name of the second goes and its figure falls to the first."""
    figures = [one for one in marked.figures() if not _cell(marked, one)]
    for one, other in itertools.pairwise(figures):
        names = [
            each
            for each in marked.places
            if each.left == other.left
            and each.fact.kind in ("name", "symbol")
            and set(each.fact.entity) & set(other.fact.entity)
        ]
        alone = [
            sum(each.left == place.left and each.fact.kind in FIGURES for each in marked.places)
            for place in (one, other)
        ]
        if one.right != other.left or alone != [1, 1] or not names or set(one.fact.entity) == set(other.fact.entity):
            continue
        if one.fact.metric != other.fact.metric:
            continue
        text = f", and {marked.shown(other)}"
        yield (
            marked.with_((other.left, other.right, ""), (one.end, one.end, text)),
            borne(marked.sheet, marked.shown(other), one.fact),
        )


def line_put_in(marked: Marked, chosen: random.Random) -> Made:
    """A line of another form between: a list's mark, a table's row, a comment, an HTML block with a figure."""
    said = (
        "<p>Gain: 7,331</p>",
        "| Gain | 7,331 |",
        "1. 7,331",
        "<!-- 7,331 -->",
        "* 7,331",
        "    7,331",
        "[1]: 7,331",
        "Total..........7,331",
        "{{ 7,331 }}",
        "{f:as_of}",
        "<script>7331</script>",
        "![7,331](x.png)",
    )
    for place in marked.figures():
        start = _block(marked, place)
        if not _cell(marked, place):
            yield marked.with_((start, start, chosen.choice(said) + "\n\n")), "7,331" in marked.text


def _block(marked: Marked, place: Place) -> int:
    """Where the paragraph or list of a place begins."""
    found = marked.text.rfind("\n\n", 0, place.start)
    return found + 2 if found >= 0 else 0


def _tables(marked: Marked) -> list[list[tuple[int, int]]]:
    """The rows of each table, head and rule first."""
    tables: list[list[tuple[int, int]]] = []
    last = -2
    for one in re.finditer(r"^\|.*\|$", marked.text, re.MULTILINE):
        if one.start() != last + 1:
            tables.append([])
        tables[-1].append((one.start(), one.end()))
        last = one.end()
    return [rows for rows in tables if len(rows) > 2]


def _cells(marked: Marked, row: tuple[int, int]) -> list[tuple[int, int]]:
    bars = [i for i in range(*row) if marked.text[i] == "|" and marked.text[i - 1] != "\\"]
    return [(start + 1, end) for start, end in itertools.pairwise(bars)]


KINDS: dict[str, Attack] = {
    make.__name__: make
    for make in (
        look_alike,
        digit_added_by_form,
        digit_hidden,
        figure_broken,
        reference_number,
        name_disguised,
        rows_exchanged,
        heads_exchanged,
        columns_exchanged,
        column_added,
        moved_to_another_entity,
        heading_invented,
        figure_in_a_heading,
        sentences_joined,
        line_put_in,
    )
}
