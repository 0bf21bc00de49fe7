"""What is never answered, told by its form: orders, forecasts, advice, personal data, words to the machine."""

from __future__ import annotations

import re

#: Said for a household, account or name of another book and for one of nobody, so that neither tells which it is.
NOT_IN_BOOK = "That is not in your book, or not in the record."
EMPTY = "Ask about a household, an account, a model or a term of the house; for example, how much cash a household has."
LONG = "That is too long for me to read safely."
NOT_UNDERSTOOD = "I cannot answer that from the record with certainty."

_DOES = (
    r"sell|buy|trade|execute|place|approve|release|rebalance|liquidate|transfer|wire|withdraw|"
    r"cancel|submit|move|send|update|"
    r"change|delete|add|remove|set|raise|lower|override|sign|enter|open|close|email|mail|mark|"
    r"assign|switch|convert|waive|lift|harvest|"
    r"book|increase|decrease|reduce|stop|start|put"
)
_ORDER = re.compile(
    rf"^(?:(?:please|pls|plz|ok|okay|now|just|go ahead(?: and)?|can you|could you|would you|"
    rf"i want you to|i need you to|you should|"
    rf"let us|let's|lets|immediately|hi|hey|hello)[\s,]+)*(?:{_DOES})\b"
)
_REASONS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "I only read the record; what is in a question is not an instruction to me.",
        re.compile(
            r"\b(?:ignore|disregard|forget) (?:\w+ ){0,3}(?:instructions?|rules?|prompts?|above|"
            r"previous)|system\s*:|system prompt|admin mode|"
            r"developer mode|jailbreak|\bact as\b|pretend|you are now|<\/?\w+|select\s+.+\s+from|"
            r"drop\s+table|\bunion\b.+\bselect\b|"
            r"answer only with|respond with|output only|print the|repeat after|\{\{|\{%|;--"
        ),
    ),
    (
        "I do not forecast.",
        re.compile(
            r"\b(?:forecast|predict\w*|outlook|expected returns?|will the market|where (?:are|"
            r"is) \w+ (?:heading|going)|next (?:year|quarter|decade|ten years)"
            r"|crash|recession|price target|going to (?:rise|fall|go))\b"
        ),
    ),
    (
        "I give no advice; I only say what the record holds.",
        re.compile(
            r"\b(?:should (?:i|we|they|he|she|my|the client)|would you|do you (?:think|recommend)|"
            r"your opinion|good idea|better off|worth it|what would you)\b"
        ),
    ),
    (
        "I do not give personal data.",
        re.compile(
            r"\b(?:phone|telephone|e-?mail|address|ssn|social security|birth ?dates?|birthday|"
            r"date of birth|how old|passport|salary|password)\b"
        ),
    ),
)  # fmt: skip
_READS_ONLY = "I only read the record: I do not trade, approve or change anything."


def refused(text: str) -> str:
    """Return why a question, in small letters, is not answered whatever it names; "" where it may be."""
    for reason, pattern in _REASONS[:1]:
        if pattern.search(text):
            return reason
    if _ORDER.search(text) and not re.search(r"\b(?:what|how|why|which|when|tax|gain|loss|would|if)\b", text):
        return _READS_ONLY
    if re.search(r"\b(?:approve|release) (?:it|this|that|the|h\d)", text) and not re.search(
        r"\bwho\b|\bwhat\b|\bhow\b", text
    ):
        return _READS_ONLY
    return next((reason for reason, pattern in _REASONS[1:] if pattern.search(text)), "")
