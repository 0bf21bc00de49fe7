"""Every name an asker may use: households and accounts of the own book, securities, models, sectors and the like."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property

from workbench.copilot.answer import Scope
from workbench.copilot.record import Record

#: How advisors call what the tables spell out; a key is left out where a firm does not have it.
_KEY_WORDS = {
    ("sector", "Information Technology"): ("information technology", "technology", "tech", "it sector", "info tech"),
    ("sector", "Financials"): ("financials", "financial sector", "bank stocks", "banks"),
    ("sector", "Health Care"): ("health care", "healthcare", "health-care", "pharma"),
    ("sector", "Communication Services"): ("communication services", "communications", "comm services", "telecom"),
    ("sector", "Materials"): ("materials", "materials sector"),
    ("sector", "Utilities"): ("utilities", "utility stocks"),
    ("sector", "Real Estate"): ("real estate", "reits"),
    ("sector", "Consumer Staples"): ("consumer staples", "staples"),
    ("sector", "Consumer Discretionary"): ("consumer discretionary", "discretionary sector"),
    ("sector", "Energy"): ("energy stocks", "energy sector", "energy"),
    ("sector", "Industrials"): ("industrials", "industrial sector"),
    ("asset_class", "US equity"): (
        "us equities",
        "us equity",
        "u.s. equity",
        "us stocks",
        "domestic equity",
        "american equities",
        "american stocks",
        "domestic equities",
        "domestic stocks",
        "us shares",
    ),
    ("asset_class", "International equity"): (
        "international equities",
        "international equity",
        "international stocks",
        "international",
        "foreign equity",
        "foreign stocks",
        "non-us equity",
        "non-us stocks",
        "intl equity",
        "intl dev",
        "intl developed",
        "international developed",
        "developed international",
        "developed markets",
    ),
    ("asset_class", "Emerging equity"): (
        "emerging markets",
        "emerging market equity",
        "emerging equity",
        "emerging",
        "em equity",
        "em stocks",
        "emerging market stocks",
        "emerging market",
    ),
    ("asset_class", "Treasuries"): ("treasuries", "treasury bonds", "treasury", "bonds", "fixed income", "govvies"),
    ("sleeve", "CORE"): ("us large core", "core sleeve", "large core"),
    ("sleeve", "DIVI"): ("us dividend income", "dividend sleeve", "dividend income sleeve"),
    ("sleeve", "FACT"): ("us factors", "factor sleeve", "factors sleeve"),
}
_REGISTRATIONS = {
    "traditional_ira": ("traditional ira", "trad ira", "regular ira"),
    "roth_ira": ("roth ira", "roth"),
    "inherited_ira": ("inherited ira",),
    "trust": ("trust account", "trust"),
    "401k": ("401(k)", "401k"),
    "529": ("529 plan", "529"),
    "taxable": ("taxable account", "brokerage account", "taxable"),
    "ira": ("ira",),
}
_NICKNAMES = {
    "AAPL": ("appl",),
    "KO": ("coke",),
    "MSFT": ("microsoft",),
    "JNJ": ("j&j", "j & j"),
    "JPM": ("jp morgan", "jpmorgan", "chase"),
    "BAC": ("bofa", "b of a"),
    "PG": ("p&g", "procter"),
    "XOM": ("exxon",),
    "LLY": ("lilly",),
    "GE": ("general electric",),
}
_TAILS = re.compile(
    r"\b(?:inc|corp|co|company|companies|group|fund|etf|ltd|plc)\b\.?|\(simulated\)|[.,]|&\s*$", re.IGNORECASE
)


class Directory:
    """What one asker may name; households and accounts of the asker's book only."""

    abbreviations = frozenset(
        [
            "BM",
            "RMD",
            "RMDS",
            "NIIT",
            "ESG",
            "SRI",
            "TLH",
            "FIFO",
            "HIFO",
            "LIFO",
            "ITD",
            "NAV",
            "IPS",
            "QCD",
            "CPA",
            "ETFS",
            "LTCG",
            "STCG",
            "IRA",
            "IRAS",
            "YTD",
            "QTD",
            "MTD",
            "TE",
            "US",
            "USD",
            "HH",
            "ID",
            "IRS",
            "ETF",
            "AUM",
            "PM",
            "CRM",
            "FAQ",
            "OK",
            "SO",
            "IS",
            "IT",
            "IN",
            "OF",
            "TO",
            "MY",
            "THE",
            "AND",
            "WHY",
            "HOW",
            "A",
            "I",
        ]
    )

    def __init__(self, record: Record, scope: Scope) -> None:
        self._record = record
        table = record.households
        mine = table if scope.advisor_id is None else table[table["advisor_id"] == scope.advisor_id]
        self.households: dict[str, str] = {str(one): str(name) for one, name in mine["name"].items()}
        accounts = record.accounts
        accounts = accounts[accounts["household_id"].isin(self.households)]
        self.accounts: dict[str, str] = {str(one): str(home) for one, home in accounts["household_id"].items()}
        self.tickers = frozenset(map(str, record.securities.index)) - {"CASH"}
        #: Models by their bare name: read as models only with a capital letter.
        self.model_names = {str(row.name): str(row.model_id) for row in record.models.itertuples()}
        self.models = frozenset(map(str, record.models["model_id"]))
        #: Tickers that are words, too: read as tickers only in capitals.
        self.wordlike = frozenset(
            {"SIZE", "CASH", "CORE", "ALL", "ON", "IT", "SO", "ARE", "A", "INTL", "EMRG", "HD", "GE", "PG"}
        )

    @cached_property
    def day_words(self) -> re.Pattern[str]:
        """The record's own day, written out: naming it narrows nothing."""
        day = self._record.as_of
        month = f"(?:{day.strftime('%B').lower()}|{day.strftime('%b').lower()}\\.?)"
        forms = (
            rf"{day.day}(?:st|nd|rd|th)?(?: of)? {month},? {day.year}",
            rf"{month} {day.day}(?:st|nd|rd|th)?,? {day.year}",
            rf"{day:%Y-%m-%d}",
            rf"{day.month}/{day.day}/(?:{day.year}|{day:%y})",
        )
        return re.compile(rf"(?:\b(?:as (?:of|at)|on|at|per) )?\b(?:{'|'.join(forms)})\b")

    @cached_property
    def quarter_words(self) -> re.Pattern[str]:
        """The running quarter of the record's day by its number."""
        day = self._record.as_of
        ordinal = ("first", "second", "third", "fourth")[day.quarter - 1]
        year = rf"(?: (?:of )?(?:{day.year}|this year))?"
        return re.compile(
            rf"\b(?:the )?(?:{ordinal} quarter|q{day.quarter}|{day.quarter}q){year}(?! (?:of )?(?:19|20)\d\d)\b"
        )

    def surname(self, found: str) -> str:
        """Return the surname that a matched form is of ("langfords" is "langford")."""
        if found in self.surnames:
            return found
        return found[:-2] if found.endswith("es") and found[:-2] in self.surnames else found[:-1]

    @cached_property
    def surnames(self) -> dict[str, list[str]]:
        """Households by what they are called without "The" and "household"."""
        found: dict[str, list[str]] = defaultdict(list)
        for household, name in self.households.items():
            short = re.sub(r"^the\s+|\s+(?:household|family|trust)$", "", name.lower().strip())
            if len(short) > 2:
                found[short].append(household)
        return dict(found)

    @cached_property
    def surname_pattern(self) -> re.Pattern[str] | None:
        """A surname in any form: "the Langfords", "Langford household", "Mr Langford's"."""
        if not self.surnames:
            return None
        names = "|".join(re.escape(name) for name in sorted(self.surnames, key=len, reverse=True))
        return re.compile(
            rf"\b(?:the\s+|mr\.?\s+|mrs\.?\s+|ms\.?\s+)?((?:{names})(?:es|"
            rf"s)?)(?:'s?)?(?:\s+(?:household|family))?(?!\w)"
        )

    @cached_property
    def phrases(self) -> dict[str, dict[str, str]]:
        """Names of several kinds by how they may be written in small letters."""
        record = self._record
        models: dict[str, str] = {}
        for row in record.models.drop_duplicates("model_id", keep="last").itertuples():
            name, id = str(row.name).lower(), str(row.model_id)
            for form in (
                f"{name} model",
                f"{name} portfolio model",
                f"{id.lower()} model",
                f"model {id.lower()}",
                f"{name} strategy",
                f"model {name}",
                f"{name} composite",
                f"{id.lower()} composite",
            ):
                models[form] = id
            if name not in ("income", "growth", "balanced", "conservative"):
                models[name] = id
        securities: dict[str, str] = {}
        for id, name in record.securities["name"].items():
            if id == "CASH":
                continue
            short = (
                " ".join(_TAILS.sub(" ", str(name)).replace("&", " & ").split())
                .strip(" &")
                .lower()
                .removesuffix(" and")
            )
            for form in (str(name).lower(), short, *_NICKNAMES.get(str(id), ())):
                if len(form) > 2:
                    securities[form] = str(id)
            first = short.split()[0]
            if (
                record.securities.loc[id, "kind"] == "stock"
                and len(first) > 4
                and first not in ("general", "advanced", "range")
            ):
                securities.setdefault(first, str(id))
        registrations = {form: kind for kind, forms in _REGISTRATIONS.items() for form in forms}
        return {"model": models, "security": securities, "registration": registrations}

    @cached_property
    def keys(self) -> dict[str, tuple[str, str]]:
        """Asset classes, sectors and sleeves of this firm by how they may be written."""
        table = self._record.securities
        there = {("sector", str(one)) for one in table["sector"]} | {
            ("asset_class", str(one)) for one in table["asset_class"]
        }
        there |= {("sleeve", str(one)) for one in self._record.sleeves.index}
        found = {form: key for key, forms in _KEY_WORDS.items() if key in there for form in forms}
        return found | {
            key.lower(): (level, key)
            for level, key in there
            if level != "sleeve" and key not in ("Cash", "Diversified") and key.lower() not in found
        }

    @cached_property
    def key_pattern(self) -> re.Pattern[str]:
        """Any of the keys."""
        return _any(self.keys)

    def pattern(self, kind: str) -> re.Pattern[str]:
        """Any name of a kind."""
        return _any(self.phrases[kind])


def _any(forms: dict[str, object] | dict[str, str] | dict[str, tuple[str, str]]) -> re.Pattern[str]:
    longest = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return re.compile(rf"(?<![\w§])({longest})(?:'s|s')?(?![\w-])")
