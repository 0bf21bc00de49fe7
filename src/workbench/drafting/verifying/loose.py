"""Words that say something of figures or things without a figure: bounds, comparisons, denials, echoes, all and none.

No fact bears such words, so each is a fault, unless it stands as a template or claim of the papers has it: those are
said under rules on the facts.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources

from workbench.drafting.verifying.spans import MASK

_THINGS = (
    "accounts?|households?|trades?|positions?|holdings?|restrictions?|loss(?:es)?|gains?|tax(?:es)?|costs?|fees?|funds?"
    "|models?|sales?|purchases?|lots?|sleeves?|clients?|targets?|bands?|securit(?:y|ies)|instructions?|portfolios?"
)
_SPANS = "day|week|month|quarter|year"
#: A figure or name, as it is masked; read once from its start, however long.
_FIGURE = f"(?<!{MASK}){MASK}++"
#: What such words look like, what to do about them, and the words; a blank also stands for a hyphen.
_NEARLY = "(?:(?:about|roughly|around|approximately|some) )?"
_KINDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "comparison",
        "compares without a figure; give the figures or leave it out",
        (
            r"(?<!no )(?<!rather )(?<!other )(?:\w{2,}er|more|less|fewer|worse|better) than",
            r"(?:above|below|beyond|over|under) (?:the |its |our )?(?:average|usual|normal|norm|peers?|what|most)",
            r"(?:the )?(?:larger|greater|better|smaller|lesser|main|major|lion's) part",
            r"most (?:\w+ )?(?:accounts|households|clients|trades|positions|of)",
            r"on record|of all time|than ever|in excess of|as (?:much|many|high|low|large|small) as",
            r"compares? (?:favorably|well|poorly|badly)|beats?|beating|exceeds?|exceeded|tops|topped|lags?|lagged",
        ),
    ),
    (
        "bound",
        "bounds a figure by no figure; state the figure itself",
        (
            r"(?:well|far|much|way|slightly|a little|a bit) (?:over|under|above|below|beyond|more|less|short)",
            r"nowhere near|far from|north of|south of|upwards of|in the region of|a multiple of|multiples of",
            r"double|triple",
            rf"(?:under|below|over|above|beyond|up to|at least|at most|a (?:mini|maxi)mum of) (?:about )?{_FIGURE}",
            rf"{_FIGURE} times|{_FIGURE} or (?:more|less|fewer|so)|{_FIGURE}(?:/| out of (?:every )?){_FIGURE}",
            r"^a quarter$|(?:is|are|was|were|be|to|hold|about|by) a quarter(?! (?:of|ago|end))",
        ),
    ),
    (
        "denial",
        "takes back what a sentence says; state only what is so",
        (
            r"not (?:so|true|really|the case|correct|right|quite)|un ?true|incorrect|false|wrong|mistaken",
            r"in error|by mistake",
            rf"(?:nearly|almost|practically|virtually) (?!{MASK})[a-z]+",
            r"opposite|contrary to|the other way (?:a)?round|in ?stead of|no longer|any ?more|never ?mind",
            r"had we|were we",
            r"(?:do|did|does|would|can|could)(?: not|n't) (?:think|believe|expect|say|agree|mean|claim|suggest)",
            r"without (?:our|your|their|his|her) (?:consent|agreement|approval|knowledge)",
            r"disregard|ignore|cancell?ed|withdrew|retracted?|revoked?|deny|denies|denied|nobody|no one",
        ),
    ),
    (
        "rate",
        "makes a rate of a figure that is none; state the figure as it is",
        (
            rf"{_NEARLY}{_FIGURE},? (?:a|an|per|each|every) (?:{_SPANS}|account|share|household|trade|client|lot)",
            rf"{_FIGURE},? (?:each|apiece|annually|monthly|weekly|daily|yearly|quarterly|per annum)",
        ),
    ),
    (
        "echo",
        "points at what is named elsewhere; name it and give its own figure",
        (
            r"the same (?:holds|applies|goes|is true|amount|figure)|it is the same",
            r"so (?:do|does|did|is|are|has|have) (?!far)\S+",
            r"likewise|similarly|ditto|idem|as (?:much|many)(?=[.,;])|has as (?:much|many)",
            r"vice versa|respectively|in that order|in reverse|the (?:latter|former)(?: one)?|the other one",
            r"another (?:position|account|holding|fund)",
            r"the (?:remaining|other) (?:account|position|holding|fund|household)s?",
        ),
    ),
    (
        "qualifier",
        "is another measure than the fact's; leave it out",
        (
            r"gross|unreali[sz]ed|pre ?tax|(?:before|after) tax(?:es)?|nominal|annuali[sz]ed|hypothetical|projected",
            r"guaranteed?|certain to|average|median",
        ),
    ),
    (
        "all or none",
        "speaks of all or none without a figure; give the count",
        (
            r"(?:all|every(?: (?:one|single))?|each|neither|none|both|any|no|zero|without)(?: one)?(?: of)?"
            rf"(?: the| your| our| its| their| these| those)?(?: other| further| more| open| capital)? (?:{_THINGS})",
            r"(?:none|every(?:thing| one)|neither|each|all) of (?:it|them|these|those|the|your|our)",
            r"nothing (?:is|was|will|has|else|more|remains|to)|(?:not|n't) (?:a|one) single",
            r"(?:free of|tax ?free|at no) (?:tax|cost|charge|fee)s?|cost ?free",
        ),
    ),
    (
        "rank",
        "is a rank without a fact; leave it out",
        (
            r"next to last|last but one|second (?:largest|smallest|highest|lowest|best|worst)",
            r"a second (?:this|time|such)",
        ),
    ),
    (
        "reference",
        "is a number that leads nowhere; leave it out",
        (
            r"(?:table|figure|fig\.?|page|section|item|note|chart|exhibit|appendix|chapter|footnote|step)s?"
            rf" (?:{_FIGURE}|[ivxlc]+)",
            r"ii|iii|iv|vi|vii|viii|ix|xi|xii|xiv|xv|xx",
        ),
    ),
)
#: Words with a sign at one end, where no word's edge is.
_SIGNS: tuple[tuple[str, str, str], ...] = (
    ("reference", "is a number that leads nowhere; leave it out", rf"\[\^?(?:\d+|{_FIGURE})\]|\^(?:\d+|{_FIGURE})"),
    ("figure", "is no figure; write it with digits", r"\$[^\W\d_]\w*"),
    ("markup", "could be shown as something else; write the words themselves", r"~~|<!--|-->|```"),
    ("name", "is spelled letter by letter; write the name on the fact sheet", r"(?<![\w.])(?:\w[\x20.]){3,}\w?(?!\w)"),
)
_WHOLE = [rf"(?<![^\W_])(?:{'|'.join(words).replace(' ', '[ -]')})(?![^\W_])" for _, _, words in _KINDS]
_LOOSE = re.compile("|".join(f"(?P<k{n}>{one})" for n, one in enumerate([*_WHOLE, *(one for _, _, one in _SIGNS)])))
_SAID_OF = [(looks_like, why) for looks_like, why, _ in (*_KINDS, *_SIGNS)]
_MASKS = re.compile(f"{MASK}+")
_OF_WHAT = re.compile(f"{MASK} of ([a-z'-]+(?: [a-z'-]+)?)")
_BEFORE = re.compile(r"([a-z']+)[ -]$")
_BEHIND = re.compile(r"[ -]([a-z']+(?:[ -][a-z']+)?)")
_ABOUT = re.compile(r"^(?:about|roughly|around|approximately|some) ")
_MENTIONED = re.compile(r"\{\{ ?(?:f|listed)\(.*?\}\}|\{f:[^{}]*\}", re.DOTALL)
_CONTROL = re.compile(r"\{[%#].*?[%#]\}|\{\{.*?\}\}", re.DOTALL)


def loose(small: str, said: Wordings) -> Iterator[tuple[int, int, str, str]]:
    """Return (start, end, what it looks like, why it is a fault) of such words in a text of small letters.

    What was found to be a figure or name already is masked in it; `said` are the wordings that are allowed.
    """
    for one in _LOOSE.finditer(small):
        if not said.allows(small, one):
            yield one.start(), one.end(), *_SAID_OF[int(str(one.lastgroup)[1:])]


@dataclass(frozen=True)
class Wordings:
    """Such words as the papers' own templates and claims say them: with the words behind, else before, else alone;
    and the first words of what figures are said to be of.
    """

    with_next: frozenset[tuple[str, str]]
    with_last: frozenset[tuple[str, str]]
    alone: frozenset[str]
    wholes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Wordings:
        """Return the wordings of texts in small letters whose figures and names are masked."""
        with_next: set[tuple[str, str]] = set()
        with_last: set[tuple[str, str]] = set()
        alone: set[str] = set()
        wholes: set[str] = set()
        for small in texts:
            wholes.update(_two(one[1]) for one in _OF_WHAT.finditer(small))
            for one in _LOOSE.finditer(small):
                last, said, following = _around(small, one)
                if following:
                    with_next.add((said, following))
                elif last:
                    with_last.add((last, said))
                else:
                    alone.add(said)
        return cls(frozenset(with_next), frozenset(with_last), frozenset(alone), frozenset(wholes))

    def allows(self, small: str, found: re.Match[str]) -> bool:
        """Say whether such words stand as the papers say them."""
        last, said, following = _around(small, found)
        return (said, following) in self.with_next or (last, said) in self.with_last or said in self.alone

    def whole(self, said: str) -> bool:
        """Say whether the papers say of a figure that it is of this: "of the affected assets"."""
        return _two(said) in self.wholes


def _two(said: str) -> str:
    return " ".join(said.split()[:2])


def _around(small: str, found: re.Match[str]) -> tuple[str, str, str]:
    before = _BEFORE.search(small, max(0, found.start() - 24), found.start())
    behind = _BEHIND.match(small, found.end())
    said = _ABOUT.sub("", _MASKS.sub(MASK, found[0]).replace("-", " "))
    return before[1] if before else "", said, behind[1].replace("-", " ") if behind else ""


@functools.lru_cache(maxsize=64)
def wordings(skeleton: str) -> Wordings:
    """Return the wordings of one draft's skeleton: those whose rules held on its facts."""
    return Wordings.of([_plain(line) for line in skeleton.splitlines()])


@functools.cache
def own() -> Wordings:
    """Return the wordings of every template and claim of the papers."""
    from workbench.drafting.reasons import SUBJECTS

    texts = [claim.sentence for subject in SUBJECTS for claim in subject.CLAIMS.values()]
    texts += [
        file.read_text(encoding="utf-8")
        for file in resources.files("workbench.drafting").joinpath("templates").iterdir()
        if file.name.endswith(".md")
    ]
    return Wordings.of(_plain(text) for text in texts)


def _plain(text: str) -> str:
    """A template's words in small letters on one line, what it mentions masked, and what it decides parted."""
    return " ".join(_CONTROL.sub(" | ", _MENTIONED.sub(MASK, text)).lower().split())
