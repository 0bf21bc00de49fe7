"""A question read: what of the record it names, and the words that are left, before anybody asks what it means.

Nothing is guessed. A name that two households bear is kept as ambiguous; an identifier or ticker that is not in the
asker's book is kept as unknown, whether it is somebody else's or nobody's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.copilot.directory import Directory

#: Characters of a question that is read; a longer one goes to a person.
LONGEST = 400

_HOUSEHOLD = re.compile(
    r"\b(?:(?:household|hh|client|family)\s*#?\s*)?h-?\s?0*(\d{1,6})\b|\b(?:household|hh)\s*#?\s*0*(\d{1,6})\b"
)
_ACCOUNT = re.compile(r"\b(?:(?:account|acct|acc)\.?\s*#?\s*)?a-?0*(\d{1,6})\b")
_ENDING = re.compile(
    r"\b(?:account|acct|acc|ira|roth|trust|401k|529)?\.?\s*(?:number|no\.?)?\s*(?:that ends|"
    r"which ends|ending|ends|ends in|"
    r"ending in|ending with)\s+(?:in\s+|with\s+)?\**(\d{2,6})\b|(?:\u00b7\u00b7|\.\.+|\u2026|\*+|x{2,})(\d{2,6})\b"
    r"|(?<!\u00a7)\b(?:account|acct|acc)\.?\s*#?\s*(\d{1,6})\b"
)
_SHARES = re.compile(r"(?<!-)\b(\d[\d,]*(?:\.\d+)?)\s*(?:shares|shs|sh|share)\b(?:\s+of)?")
_MONEY = re.compile(
    r"(?<!-)\$\s*(\d[\d,]*(?:\.\d+)?)\s*(k|m|mm|million|thousand)?\b"
    r"|(?<![-$])\b(\d[\d,]*(?:\.\d+)?)\s*(k|dollars|usd|bucks)\b"
)
_VERSION = re.compile(r"\b(?:version|v|ver)\.?\s*(\d{1,2})\b")
#: One word, name's slot or number of a question read.
WORD = re.compile(r"\u00a7\w+|[a-z]+(?:[-&][a-z]+)*|\d[\d,.]*%?")
#: Words that only say that somebody asks.
_LEAD_IN = re.compile(
    r"\b(?:i|we|(?:my|the) client|she|he)(?:'d| would)? (?:needs?|wants?|like)(?: to (?:know|"
    r"see|check|find out))?\b|\b(?:wants?|needs?) to know\b"
)
#: What is said around a question without being part of it: greetings, appointments, figures of speech.
_ASIDES = re.compile(
    r"^(?:(?:hi|hello|hey|morning|good (?:morning|afternoon|evening)|team|folks|there)\b[\s,!.:]*)+"
    r"|^(?:quick|one (?:more|quick)|another) (?:one|question|thing)\s*[:,-]+"
    r"|^(?:before|ahead of|prior to) (?:i|we|my|our|the|a|his|her|their) (?:call|meet|speak|talk|see|ring|review)\w*"
    r"(?: (?:with )?(?:them|him|her))?\s*[:,-]+"
    r"|\b(?:is|are|am|'s|'re|'m) (?:coming in|calling|on the phone|on the line|in my office|visiting)"
    r"(?: (?:at|on|in|later|tomorrow|today|this|next) ?(?:one|two|three|four|five|ten|noon|\d{1,2}(?:[:.]\d\d)?|"
    r"[a-z]+day|morning|afternoon|week)?)*\s*[.;:!]"
    r"|\b(?:on earth|in the world|the heck|in (?:plain|simple) (?:words|english|terms|language)|btw|by the way|fyi"
    r"|for the record|real quick|as of (?:now|today)|as (?:we speak|things stand)|at (?:this|the) (?:point|moment|time)"
    r"|at present|right now|just to (?:confirm|check|be (?:clear|sure))|when you get a (?:chance|minute|moment)"
    r"|if (?:i may(?: ask)?|you (?:can|could|don't mind)|possible)|off the top of your head|do you happen to know"
    r"|any idea|by any chance|or not(?=\s*[?.]?$)|the (?:client|family|household|people|person) behind)\b"
)
#: Shorthand of notes and chats, by what it stands for.
_SHORTHAND = {
    "tgt": "target",
    "tgts": "targets",
    "wt": "weight",
    "wts": "weights",
    "mkt": "market",
    "mkts": "markets",
    "fwd": "forward",
    "pos": "position",
    "alloc": "allocation",
    "accts": "accounts",
    "hhs": "households",
    "px": "price",
    "mv": "market value",
    "u/w": "underweight",
    "o/w": "overweight",
    "w/": "with",
    "p&l": "gains or losses",
    "p/l": "gains or losses",
    "pnl": "gains or losses",
    "yr": "year",
    "yrs": "years",
    "qtr": "quarter",
    "unrlzd": "unrealized",
    "rlzd": "realized",
    "distr": "distribution",
    "distrib": "distribution",
    "govt": "government",
    "dist": "distribution",
    "rebal": "rebalance",
    "bmk": "benchmark",
    "cfwd": "carryforward",
    "c/fwd": "carryforward",
    "wen": "when",
    "go first in a sale": "are sold first",
    "go first": "are sold first",
    "twelve months": "12 months",
    "twelve-month": "12-month",
    "since new year": "year to date",
    "since the new year": "year to date",
    "since january 1": "year to date",
    "share count": "number of shares",
}
_SHORT = re.compile(
    rf"(?<![\w-])(?:{'|'.join(re.escape(one) for one in sorted(_SHORTHAND, key=len, reverse=True))})(?![\w/&-])"
)
#: A per cent sign by itself asks for a weight; behind a figure it states one.
_PERCENT = re.compile(r"(?<![\d%])(?<!\d )%")
_SIZES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mm": 1e6, "million": 1e6}


@dataclass
class Reading:
    """What a question names. `text` is the question in small letters with a slot for each name ("§household").

    `keys` are (level, key) of asset classes, sectors, regions and sleeves; `unknown` what looks like an identifier but
    is none of this book; `ambiguous` the households that one name could mean.
    """

    text: str
    households: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    securities: list[str] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    registrations: list[str] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    money: list[float] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)

    @property
    def words(self) -> tuple[str, ...]:
        """Words and slots in order."""
        return tuple(WORD.findall(self.text))

    def take(self, pattern: re.Pattern[str], slot: str, found: Callable[[re.Match[str]], bool]) -> None:
        """Replace what a pattern matches by its slot, where `found` says that it names something."""
        self.text = pattern.sub(lambda one: f" \u00a7{slot} " if found(one) else one[0], self.text)


def plain(question: str) -> str:
    """Return a question in small letters, accents and curled quotes levelled, signs that say nothing as spaces."""
    text = unicodedata.normalize("NFKD", question)
    text = "".join(c for c in text if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    text = text.replace("\u2019", "'").replace("\u2018", "'").lower()
    text = _PERCENT.sub(" percent ", _SHORT.sub(lambda one: _SHORTHAND[one[0]], text))
    text = _LEAD_IN.sub(" ", _ASIDES.sub(" ", " ".join(text.split())))
    return " ".join(text.split())


def read(question: str, directory: Directory) -> Reading:
    """Read a question against what may be named in the asker's book."""
    reading = Reading(directory.day_words.sub(" ", plain(question)))
    reading.text = directory.quarter_words.sub(" quarter to date ", reading.text)
    _identifiers(reading, directory)
    _amounts(reading)
    _names(reading, directory)
    _tickers(reading, question, directory)
    reading.text = re.sub(r"'s\b|s'(?=\s|$)|'", " ", reading.text)
    reading.text = re.sub(r"(\u00a7security)\s+(?:stock|stocks|fund|etf)\b", r"\1", reading.text)
    reading.text = " ".join(reading.text.split())
    return reading


def _identifiers(reading: Reading, directory: Directory) -> None:
    def household(found: re.Match[str]) -> bool:
        return _known(reading, f"H{int(found[1] or found[2]):05d}", directory.households, reading.households)

    def account(found: re.Match[str]) -> bool:
        return _known(reading, f"A{int(found[1]):05d}", directory.accounts, reading.accounts)

    def ending(found: re.Match[str]) -> bool:
        digits = found[1] or found[2] or found[3]
        fits = [one for one in directory.accounts if one.endswith(digits)]
        if found[3]:
            fits = [one for one in fits if int(one[1:]) == int(digits)]
        if len(fits) == 1:
            reading.accounts.append(fits[0])
        elif fits:
            reading.ambiguous.extend(sorted({directory.accounts[one] for one in fits}))
        else:
            reading.unknown.append(digits)
        return True

    reading.take(_HOUSEHOLD, "household", household)
    reading.take(_ACCOUNT, "account", account)
    reading.take(_ENDING, "account", ending)


def _known(reading: Reading, name: str, known: object, into: list[str]) -> bool:
    if name not in known:  # type: ignore[operator]
        reading.unknown.append(name)
    elif name not in into:
        into.append(name)
    return True


def _amounts(reading: Reading) -> None:
    def shares(found: re.Match[str]) -> bool:
        reading.shares.append(float(found[1].replace(",", "")))
        return True

    def money(found: re.Match[str]) -> bool:
        size = _SIZES.get(found[2] or found[4] or "", 1.0)
        reading.money.append(float((found[1] or found[3]).replace(",", "")) * size)
        return True

    def version(found: re.Match[str]) -> bool:
        reading.versions.append(int(found[1]))
        return True

    reading.take(_SHARES, "shares", shares)
    reading.take(_VERSION, "version", version)
    reading.take(_MONEY, "money", money)


def _names(reading: Reading, directory: Directory) -> None:
    def household(found: re.Match[str]) -> bool:
        meant = directory.surnames[directory.surname(found[1])]
        if len(meant) == 1:
            if meant[0] not in reading.households:
                reading.households.append(meant[0])
        else:
            reading.ambiguous.extend(meant)
        return True

    def listed(kind: str, into: list[str]) -> Callable[[re.Match[str]], bool]:
        def take(found: re.Match[str]) -> bool:
            name = directory.phrases[kind][found[1]]
            if name not in into:
                into.append(name)
            return True

        return take

    def key(found: re.Match[str]) -> bool:
        if directory.keys[found[1]] not in reading.keys:
            reading.keys.append(directory.keys[found[1]])
        return True

    if directory.surname_pattern is not None:
        reading.take(directory.surname_pattern, "household", household)
    reading.take(directory.pattern("model"), "model", listed("model", reading.models))
    reading.take(directory.pattern("security"), "security", listed("security", reading.securities))
    reading.take(directory.key_pattern, "key", key)

    registered = listed("registration", reading.registrations)

    def registration(found: re.Match[str]) -> bool:
        # Beside an account's identifier, "taxable" asks what the sale costs; it does not say which account.
        return not (found[1] == "taxable" and reading.accounts) and registered(found)

    reading.take(directory.pattern("registration"), "registration", registration)


def _tickers(reading: Reading, question: str, directory: Directory) -> None:
    """Tickers in any case where they are no word, in capitals where they are; other capitals are unknown symbols."""
    capitals = set(re.findall(r"(?<![\w-])[A-Z][A-Z0-9]{1,5}(?![\w-])", question))
    shouted = question.upper() == question

    def model(found: re.Match[str]) -> bool:
        id = found[0].upper()
        if id not in directory.models or id not in capitals or shouted:
            return False
        if id not in reading.models:
            reading.models.append(id)
        return True

    bare = {
        name.lower(): id for name, id in directory.model_names.items() if re.search(rf"\b{re.escape(name)}\b", question)
    }

    if bare and not shouted:
        reading.take(
            re.compile("|".join(rf"\b{re.escape(name)}\b(?: model)?" for name in bare)), "model", lambda one: True
        )
        reading.models.extend(id for id in dict.fromkeys(bare.values()) if id not in reading.models)

    def ticker(found: re.Match[str]) -> bool:
        symbol = found[0].upper()
        if symbol in directory.tickers and ((symbol in capitals and not shouted) or symbol not in directory.wordlike):
            if symbol not in reading.securities:
                reading.securities.append(symbol)
            return True
        if symbol in capitals and not shouted and symbol not in directory.abbreviations:
            reading.unknown.append(symbol)
        return False

    word = re.compile(r"(?<![\u00a7\w])[a-z]{2,5}\b")
    reading.take(word, "model", model)
    reading.take(word, "security", ticker)
    _bare_models(reading, directory)

    def counted(found: re.Match[str]) -> bool:
        reading.shares.append(float(found[1].replace(",", "")))
        return True

    if not reading.shares:
        pattern = re.compile(r"(?<![\u00a7\w$-])(\d[\d,]*)(?=\s+(?:of\s+)?\u00a7security)")
        reading.take(pattern, "shares", counted)


def _bare_models(reading: Reading, directory: Directory) -> None:
    """Take "growth" for the model where nothing else is named that the word could be said of."""
    if reading.models or reading.households or reading.accounts or reading.ambiguous or reading.securities:
        return
    names = {name.lower(): id for name, id in directory.model_names.items()}

    def model(found: re.Match[str]) -> bool:
        if names[found[1]] not in reading.models:
            reading.models.append(names[found[1]])
        return True

    listed = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    # Behind an article or a preposition, or at either end: "in growth", "balanced: draft weights", "target, income".
    place = r"(?:^|(?<=, )|(?<=[:;] )|(?<=\bin )|(?<=\bfor )|(?<=\bof )|(?<=\bthe ))"
    reading.take(
        re.compile(rf"{place}({listed})(?=\s*(?:[,:;?.]|'s\b|$|\u00a7|targets?\b|versions?\b))"), "model", model
    )
