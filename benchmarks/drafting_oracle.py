# ruff: noqa: E501 (lists of words)
"""What may be wrong with a finished text, read without the verifier: figures outside facts, wrong spelling, holes.

Nothing here comes from `drafting.verify` or what it stands on: figures are found by plain patterns, values are read
back from what is shown, words around a figure are looked for in its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from workbench.drafting import Fact, FactSheet
from workbench.drafting.placeholders import Filled

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_OWN_FIGURE = re.compile(
    rf"\d|[$€£%]|\b(?:{_MONTHS})\b|\b(?:percent|bps?|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|dozen|hundred|thousand|million|half|third|quarter of|twice|double|triple|yesterday|tomorrow|Monday|Friday)\b"
)
#: Words of the templates in which a number word or "May" counts nothing.
_COUNTS_NOTHING = re.compile(
    r"\b(?:one by one|one another|this one|no one|any one|the one|each one|which one|one of|May (?:I|we)|one or more|a third party"
    r"|(?:tax|filed|form) one)\b|\bMay\b(?= )"
)
_NAMED = re.compile(r"(?<=[a-z,;] )[A-Z][A-Za-z]*\b")
#: Capitals inside a sentence that name nobody.
_CAPITALS = frozenset(
    ("I", "IRA", "IRAs", "Roth", "RMD", "IRS", "FAQ", "Treasury", "Treasuries", "Dear", "Draft", "ETF", "US")
)
_HOLES = (
    (re.compile(r"(?<=\S)[^\S\n]{2,}(?=\S)"), "two blanks"),
    (re.compile(r"\b(?:None(?! (?:is|are|came|of|has|have|left|was))|nan|NaN|inf|undefined|Undefined|null|True|False)\b"), "a value that is none"),
    (re.compile(r"\{[{%f]|[%}]\}"), "a placeholder"),
    (re.compile(r" [.,;:!?](?!\d)"), "a blank before a stop"),
    (re.compile(r"[,;:]\.|\.\.(?!\.)|,,|;;|\(\)|\( | \)"), "stops that meet"),
    (re.compile(r"^[-#>]+\s*$", re.MULTILINE), "an empty block"),
    (re.compile(r"[a-z]\.[A-Z][a-z]"), "sentences that touch"),
    (re.compile(r"\b(\w+) \1\b(?<!that that)(?<!had had)", re.IGNORECASE), "a word twice"),
    (re.compile(r"\b(?:of|the|a|an|and|or)[.;:](?!\w)", re.IGNORECASE), "a sentence that breaks off"),
)  # fmt: skip
_ONE_OF_MANY = re.compile(
    r"(?<![\d,.$])\b(?:1|[Oo]ne) (?:more )?(accounts|households|trades|models|advisors|custodians|lots|restrictions|findings|securities"
    r"|sleeves|versions|months|tests|shares|positions|notes|warnings|others|were|are|have)\b"
)
_MANY_OF_ONE = re.compile(
    r"(?<![\d,.$/-])\b(?!(?:19|20)\d\d )(?:0|[2-9]|\d{2,}|\d{1,3},\d{3}) (?:more )?(account|household|trade|model|advisor|custodian|lot|restriction|finding|security"
    r"|sleeve|month|test|share|position|note|warning|is|was|has)\b(?!-)"
)  # fmt: skip
#: Words by which a line says a fact's way round, and those of its opposite.
_WAYS = {
    "sell": "sell sells sold selling sale sales", "buy": "buy buys bought buying purchase purchases back",
    "over": "over above more overweight exceed exceeds past beyond too", "under": "under below less underweight short",
    "gain": "gain gains gained rose returned positive earned made profit up", "loss": "loss losses lost fell negative cost down lose",
    "ahead": "ahead outperformed beat above more", "behind": "behind trailed underperformed below less lagged",
    "saved": "save saves saved saving savings less lower lowers reduces falls fall", "owed": "owe owed owes cost costs tax more adds add raises pay",
    "brought": "brought added gained helped brings added", "cost": "cost took lost costs detracted",
    "in": "in added deposits deposited received came paid", "out": "out withdrew withdrawn withdrawals took left paid",
    "up": "up rises rose more raised added higher increase increases from to", "down": "down falls fell less cut lower lowered reduced decrease decreases from to",
    "short": "short short-term", "long": "long long-term",
}  # fmt: skip
_AGAINST = {
    "sell": "buy", "buy": "sell", "over": "under", "under": "over", "gain": "loss", "loss": "gain", "ahead": "behind",
    "behind": "ahead", "brought": "cost", "short": "long", "long": "short",
}  # fmt: skip
_TELLING = {
    "sell": "sell sells sold selling sale sales", "buy": "buy buys bought buying purchase purchases",
    "over": "overweight above over", "under": "underweight below under", "gain": "gain gains gained", "loss": "loss losses lost",
    "ahead": "ahead outperformed", "behind": "behind trailed underperformed", "brought": "brought added", "cost": "cost took",
    "short": "short-term short", "long": "long-term long",
}  # fmt: skip
_UNSEEN = re.compile(r"\\u[0-9a-f]{4}")
_DIGITS = {
    word: value
    for value, word in enumerate(("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
} | {"none": 0}


def faults_of_form(filled: Filled, sheet: FactSheet) -> Iterator[str]:
    """Yield what is wrong with a text by itself: what no fact says, values shown otherwise, holes, words around."""
    own, plain = _own_words(filled, sheet)
    names = {word for entity in sheet.entities for name in entity.names for word in re.findall(r"[A-Za-z]+", name)}
    for found in _OWN_FIGURE.finditer(_COUNTS_NOTHING.sub(lambda one: " " * len(one[0]), own)):
        yield f"{found[0]!r} stands outside a fact in {_around(own, found)!r}"
    for found in _NAMED.finditer(own):
        if found[0] not in _CAPITALS and found[0] not in names and found[0] != "Q":
            yield f"the name {found[0]!r} stands outside a fact in {_around(own, found)!r}"
    for start, end, id in filled.places:
        if reason := _shown_otherwise(sheet.fact(id), filled.text[start:end]):
            yield f"{id} is shown as {filled.text[start:end]!r}: {reason}"
        elif reason := _said_otherwise(filled, sheet.fact(id), start, end):
            yield reason
    for pattern, reason in (*_HOLES, (_ONE_OF_MANY, "a number and its noun"), (_MANY_OF_ONE, "a number and its noun")):
        if hole := pattern.search(plain):
            yield f"{reason}: {_around(plain, hole)!r}"
    for opening, closing in ("()", "[]", "“”"):
        if own.count(opening) != own.count(closing):
            yield f"unbalanced {opening}{closing}"
    if plain.count("**") % 2:
        yield "bold that does not end"


def _around(text: str, found: re.Match[str]) -> str:
    return text[max(0, found.start() - 50) : found.end() + 30]


def _own_words(filled: Filled, sheet: FactSheet) -> tuple[str, str]:
    """The text without any fact (a letter stands for each), and without other people's words only."""
    own, plain, read = [], [], 0
    for number, (start, end, id) in enumerate(filled.places):
        before = filled.text[read:start]
        textual = sheet.fact(id).kind in ("name", "symbol", "quote")
        own += [before, "Q"]
        # Two names that stand side by side are not one word twice.
        plain += [
            before,
            f"Q{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}" if textual else filled.text[start:end],
        ]
        read = end
    own.append(filled.text[read:])
    plain.append(filled.text[read:])
    return "".join(own), "".join(plain)


def _shown_otherwise(fact: Fact, shown: str) -> str:
    """Why what is shown is not the value of a fact, or "" where it is."""
    if fact.kind in ("name", "symbol", "quote"):
        letters = iter(_UNSEEN.sub("", shown.replace("\\\\", "\\")))
        kept = [one for one in _UNSEEN.sub("", str(fact.value)) if one.isalnum()]
        return "" if all(one in letters for one in kept) else "letters are missing"
    if fact.kind == "date":
        forms = ("%d %B %Y", "%d %b %Y", "%Y-%m-%d", "%B %Y", "%Y")
        day = datetime.fromisoformat(str(fact.value))
        return "" if any(day.strftime(form).lstrip("0") == shown for form in forms) else "another day"
    if shown.lower() in _DIGITS:
        return "" if _DIGITS[shown.lower()] == fact.value else "another number"
    found = re.fullmatch(r"([+\-−]?)\$?([\d,]+)(?:\.(\d+))?\s*(%|bp|basis points|percentage points|pp|k|m|bn)?", shown)
    if not found:
        return "not read as a figure"
    sign, whole, part, unit = found[1], found[2].replace(",", ""), found[3] or "", found[4] or ""
    scale = {
        "%": 100.0,
        "percentage points": 100.0,
        "pp": 100.0,
        "bp": 1e4,
        "basis points": 1e4,
        "k": 1e-3,
        "m": 1e-6,
        "bn": 1e-9,
    }.get(unit, 1.0)
    value = float(f"{whole}.{part or 0}")
    if sign and float(fact.value) and value and (sign == "+") != (float(fact.value) > 0):
        return "another sign"
    off = abs(value - abs(float(fact.value)) * scale)
    return "" if off <= 0.5 * 10.0 ** -len(part) * (1 + 1e-6) + 1e-9 else f"the value is {fact.value!r}"


def _said_otherwise(filled: Filled, fact: Fact, start: int, end: int) -> str:
    """Why the words of a figure's line say another way round, or "" where they do not."""
    if fact.kind not in ("money", "percent", "bps", "shares", "number") or not float(fact.value):
        return ""
    text = filled.text
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    line = text[first:last].lower()
    signed = text[start] in "+-−"
    for way in fact.direction:
        if way not in _WAYS or signed:
            continue
        if line.startswith("|"):
            line = _table_head(text, first).lower() + line
        words = set(re.findall(r"[a-z]+(?:-[a-z]+)?", f"{_heading(text, first)} {line}".lower()))
        if not words & set(_WAYS[way].split()):
            return f"{fact.id} is {way}, which its line does not say: {text[first:last]!r}"
        if way in _AGAINST and _clause_says(text, first, start, end, way):
            return f"{fact.id} is {way}, its clause says {_AGAINST[way]}: {text[first:last]!r}"
    return ""


def _clause_says(text: str, first: int, start: int, end: int, way: str) -> bool:
    """Whether the words between the stops around a figure say the opposite of its way round, and not it."""
    before = re.split(r"[.;,:|]\s|\band\b", text[first:start])[-1]
    after = re.split(r"[.;,:|](?:\s|$)|\band\b", text[end : text.find("\n", end)])[0]
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)?", f"{before} {after}".lower()))
    return bool(words & set(_TELLING[_AGAINST[way]].split())) and not words & set(_WAYS[way].split())


def _table_head(text: str, first: int) -> str:
    """The first row of the table that a row stands in."""
    while first > 1 and text[text.rfind("\n", 0, first - 1) + 1] == "|":
        first = text.rfind("\n", 0, first - 1) + 1
    return text[first : text.find("\n", first)]


def _heading(text: str, first: int) -> str:
    """The line that leads in: the last one above that is a heading or ends with a colon."""
    for line in reversed(text[:first].splitlines()):
        if line.startswith("#") or line.rstrip().endswith(":"):
            return line
    return ""
