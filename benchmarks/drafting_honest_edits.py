"""Edits of a draft as an honest advisor makes them: none of them changes what is said, so each should pass."""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Iterator
from datetime import date

from benchmarks.drafting_attacks_figures import _cell, counts, dollars, rates, worded
from benchmarks.drafting_mutations import Marked
from workbench.report.format import long_date

Edited = Iterator[str]


def _ours(marked: Marked, found: re.Match[str]) -> bool:
    """Whether a stretch is the draft's own words: an honest editor leaves a quotation as it is."""
    line = marked.text[marked.text.rfind("\n", 0, found.start()) + 1 :]
    return not line.startswith(">")


def greeting(marked: Marked, chosen: random.Random) -> Edited:
    """Another greeting."""
    for said in ("Good morning,", "Hello,", "Dear all,", "Dear friends,"):
        found = re.match(r"Dear .*,\n", marked.text)
        yield marked.with_((found.start(), found.end() - 1, said)) if found else f"{said}\n\n{marked.text}"


def closing(marked: Marked, chosen: random.Random) -> Edited:
    """Another closing."""
    for said in ("Best regards,", "Warm regards,", "Sincerely,", "With best wishes,", "Yours,", "All the best,"):
        if "Kind regards," in marked.text:
            yield marked.text.replace("Kind regards,", said)
        else:
            yield marked.text.rstrip() + f"\n\n{said}\n"


def deletion(marked: Marked, chosen: random.Random) -> Edited:
    """A bullet, or the last sentence of a paragraph, taken out."""
    for one in re.finditer(r"^- .*\n", marked.text, re.MULTILINE):
        yield marked.with_((one.start(), one.end(), ""))
    for one in re.finditer(r"(?<=[a-z]\.) [A-Z][^.\n|>#]*\.(?=\n)", marked.text):
        if _ours(marked, one):
            yield marked.with_((one.start(), one.end(), ""))


def reordered(marked: Marked, chosen: random.Random) -> Edited:
    """Two bullets exchanged, or whole sections."""
    for one in re.finditer(r"^(- .*\n)(- .*\n)", marked.text, re.MULTILINE):
        yield marked.with_((one.start(), one.end(), one[2] + one[1]))
    parts = re.split(r"^(?=# )", marked.text, flags=re.MULTILINE)
    if len(parts) > 3:
        i = chosen.randrange(1, len(parts) - 1)
        parts[i], parts[i + 1] = parts[i + 1].rstrip() + "\n\n", parts[i].rstrip() + "\n\n"
        yield "".join(parts)


def small_talk(marked: Marked, chosen: random.Random) -> Edited:
    """A sentence that says nothing of the book."""
    said = (
        "I hope you are both well.",
        "Thank you for your trust.",
        "Please let me know if you have any questions.",
        "It was good to talk with you.",
        "Happy holidays to you and your family.",
        "As always, I am glad to help.",
        "Let us discuss this when we next meet.",
        "I look forward to hearing from you.",
        "Please read this carefully.",
        "We can go through it together on the phone.",
        "I know this is a lot to take in.",
        "Happy New Year!",
        "Congratulations on the new grandchild.",
        "Give my best to your daughter.",
        "Just reply to this e-mail.",
    )
    places = [one.end() for one in re.finditer(r"(?<=[a-z]\.)(?=\n\n[A-Z])", marked.text) if _ours(marked, one)]
    for sentence in said:
        if places:
            place = chosen.choice(places)
            yield marked.with_((place, place, f" {sentence}"))
            yield marked.with_((place, place, f"\n\n{sentence}"))


def synonym(marked: Marked, chosen: random.Random) -> Edited:
    """An everyday word for another."""
    said = (
        ("Buy", "Purchase"),
        ("We propose", "We recommend"),
        ("We propose", "We suggest"),
        ("would like to", "want to"),
        ("In all,", "Altogether,"),
        ("In all,", "In total,"),
        ("largest", "biggest"),
        ("By our estimate", "We estimate that"),
        ("took effect", "came into force"),
        ("Please call me", "Give me a call"),
        ("We reviewed", "We have reviewed"),
        ("is overdue", "is late"),
        ("are out of band now", "are out of band today"),
        ("Kind regards", "Many thanks"),
        ("brought", "added"),
        ("Over the quarter to date", "For the quarter to date"),
        ("The cost of trading", "The trading cost"),
        ("a net gain", "net gains"),
        ("follow the", "are on the"),
    )
    for old, new in said:
        for one in [each for each in re.finditer(rf"\b{old}\b", marked.text) if _ours(marked, each)][:1]:
            yield marked.with_((one.start(), one.end(), new))


def rounded(marked: Marked, chosen: random.Random) -> Edited:
    """A figure rounded further, with "about"."""
    for place in dollars(marked):
        value = round(place.fact.magnitude)
        if value >= 1000 and not marked.text[: place.start].endswith("about "):
            step = 10 ** (len(str(value)) - 2)
            word = chosen.choice(("about", "roughly", "around", "approximately"))
            yield marked.with_((place.start, place.end, f"{word} ${round(value / step) * step:,}"))
    for place in rates(marked):
        if place.fact.magnitude > 0.02 and not _cell(marked, place):
            word = chosen.choice(("about", "roughly", "around"))
            yield marked.with_((place.start, place.end, f"{word} {place.fact.magnitude * 100:.0f}%"))


def in_thousands(marked: Marked, chosen: random.Random) -> Edited:
    """Thousands instead of dollars."""
    for place in dollars(marked):
        value = place.fact.magnitude
        if 1000 <= value < 900_000:
            form = chosen.choice(("${:.1f} k", "${:.1f}k", "${:.1f}K", "${:.1f} thousand"))
            yield marked.with_((place.start, place.end, form.format(value / 1000)))


def dollars_spelled(marked: Marked, chosen: random.Random) -> Edited:
    """Dollars spelled otherwise."""
    for place in dollars(marked):
        digits = marked.shown(place)[1:]
        form = chosen.choice((f"{digits} dollars", f"USD {digits}", f"$ {digits}", f"${digits.replace(',', '')}"))
        yield marked.with_((place.start, place.end, form))


def per_cent_spelled(marked: Marked, chosen: random.Random) -> Edited:
    """Per cent spelled otherwise."""
    for place in rates(marked):
        digits = marked.shown(place)[:-1]
        form = chosen.choice((f"{digits} percent", f"{digits} %", f"{digits} per cent", f"{digits}\u00a0%"))
        yield marked.with_((place.start, place.end, form))


def count_in_words(marked: Marked, chosen: random.Random) -> Edited:
    """A small count in words, as style books have it."""
    for place in counts(marked):
        if place.fact.magnitude <= 40:
            said = worded(int(place.fact.magnitude))
            begins = marked.text[: place.start].endswith((". ", "\n", "- "))
            yield marked.with_((place.start, place.end, said.capitalize() if begins else said))


def date_written_otherwise(marked: Marked, chosen: random.Random) -> Edited:
    """A day in another of the forms in use."""
    for place in marked.places:
        if place.fact.kind == "date" and marked.shown(place) == long_date(str(place.fact.value)):
            day = date.fromisoformat(str(place.fact.value))
            forms = (
                f"{day:%B} {day.day}, {day.year}",
                f"{day:%b} {day.day}, {day.year}",
                f"{day.month}/{day.day}/{day.year}",
                f"{day.day} {day:%b} {day.year}",
                day.isoformat(),
                f"{day:%A}, {long_date(day)}",
                f"{day:%B} {day.day}",
            )
            form = chosen.choice(forms[:6])
            yield marked.with_((place.start, place.end, form))


def typographic(marked: Marked, chosen: random.Random) -> Edited:
    """What a word processor does by itself: curly apostrophes, long dashes, hard spaces, other line ends."""
    yield marked.text.replace("'", "\u2019")
    yield re.sub(r"(?<=\d) (?=k|m|bp|%)", "\u00a0", marked.text)
    yield marked.text.replace("\n", "\r\n")
    yield re.sub(r"^- ", "* ", marked.text, flags=re.MULTILINE)
    yield re.sub(r"^- ", "\u2022 ", marked.text, flags=re.MULTILINE)
    yield marked.text + "\n\n\n"
    yield re.sub(r"(?<=\.) (?=[A-Z])", "  ", marked.text)
    yield "\n".join(line + "  " if line and line[0] not in "|#" else line for line in marked.text.split("\n"))


def wrapped(marked: Marked, chosen: random.Random) -> Edited:
    """Lines broken as a mail program does, a figure of several words left whole or not."""
    for width in (72, 60):
        lines = []
        for line in marked.text.split("\n"):
            plain = line[:1].isalpha()
            lines += (
                textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""] if plain else [line]
            )
        yield "\n".join(lines)


def bold(marked: Marked, chosen: random.Random) -> Edited:
    """A figure, name or sentence in bold."""
    for place in marked.places:
        if place.fact.kind != "quote" and "*" not in marked.shown(place):
            yield marked.with_((place.start, place.end, f"**{marked.shown(place)}**"))


def ending_dropped(marked: Marked, chosen: random.Random) -> Edited:
    """The account's ending left out, where the household has one account of the kind."""
    kinds = [one.names[0].split(" ending ")[0] for one in marked.sheet.entities if one.kind == "account"]
    for place in marked.places:
        kind = marked.shown(place).split(" ending ")[0]
        if place.fact.kind == "name" and " ending " in marked.shown(place) and kinds.count(kind) == 1:
            yield marked.with_((place.start, place.end, kind))


def symbol_dropped(marked: Marked, chosen: random.Random) -> Edited:
    """The symbol in brackets left out, or the name."""
    for one in re.finditer(r"(?<= of )([^()\n]{3,40}(?: \(simulated\))?) \(([A-Z]{1,5})\)", marked.text):
        yield marked.with_((one.end(1), one.end(), ""))
        yield marked.with_((one.start(1), one.end(), one[2]))


def sentence_split(marked: Marked, chosen: random.Random) -> Edited:
    """A sentence made two."""
    for one in re.finditer(r"; (?=[a-z$])", marked.text):
        if not _ours(marked, one):
            continue
        rest = marked.text[one.end() :]
        yield marked.text[: one.start()] + ". " + rest[:1].upper() + rest[1:]
    for one in re.finditer(r", and (?=we |the |it )", marked.text):
        if not _ours(marked, one):
            continue
        rest = marked.text[one.end() :]
        yield marked.text[: one.start()] + ". " + rest[:1].upper() + rest[1:]


def sentences_merged(marked: Marked, chosen: random.Random) -> Edited:
    """Two sentences made one with "and"."""
    for one in re.finditer(r"(?<=[a-z])\. (?=(?:We|The|They|Your|In|It|That) )", marked.text):
        if not _ours(marked, one):
            continue
        rest = marked.text[one.end() :]
        yield marked.text[: one.start()] + ", and " + rest[:1].lower() + rest[1:]


def opened(marked: Marked, chosen: random.Random) -> Edited:
    """A word or two ahead of a sentence."""
    said = (
        "In short, ",
        "As you know, ",
        "To sum up, ",
        "Happily, ",
        "For your information: ",
        "Please note that ",
        "So ",
    )
    for one in re.finditer(r"(?:^|(?<=\. ))(?=(?:We|The|They|Your|All) )", marked.text, re.MULTILINE):
        if not _ours(marked, one):
            continue
        rest = marked.text[one.end() :]
        yield marked.text[: one.start()] + chosen.choice(said) + rest[:1].lower() + rest[1:]


def bullet_as_sentence(marked: Marked, chosen: random.Random) -> Edited:
    """A bullet written out as a sentence, or all of a list's marks taken off."""
    for one in re.finditer(r"^- (Buy|Sell) (.*)$", marked.text, re.MULTILINE):
        yield marked.with_((one.start(), one.end(), f"- We {one[1].lower()} {one[2]}."))
        yield marked.with_((one.start(), one.end(), f"- We would like to {one[1].lower()} {one[2]}"))


KINDS: dict[str, Callable[[Marked, random.Random], Edited]] = {
    make.__name__: make
    for make in (
        greeting,
        closing,
        deletion,
        reordered,
        small_talk,
        synonym,
        rounded,
        in_thousands,
        dollars_spelled,
        per_cent_spelled,
        count_in_words,
        date_written_otherwise,
        typographic,
        wrapped,
        bold,
        ending_dropped,
        symbol_dropped,
        sentence_split,
        sentences_merged,
        opened,
        bullet_as_sentence,
    )
}
