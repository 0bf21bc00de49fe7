"""What can be asked: each intent with the words that show it, what it must name and what it may.

A question is taken for an intent only where every one of its words is accounted for: by a cue, a name, or a word that
changes nothing. A word that is left over ("after inflation", "in 2019") may be a condition, and nothing is answered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from workbench.copilot.topics import drift, holdings, models, on_file, performance, tax, trades
from workbench.copilot.topics.asked import Topic

#: Words that change nothing about what is asked.
FILLER = frozenset(
    ["a", "an", "the", "of", "in", "on", "for", "to", "at", "with", "by", "from", "into", "as", "is", "are", "was", "were", "be", "been", "am", "it", "its", "they", "them", "their", "there", "this", "that", "these", "those", "we", "us", "our", "i", "me", "my", "you", "your", "he", "his", "she", "her", "has", "have", "do", "does", "did", "can", "could", "may", "please", "pls", "plz", "tell", "show", "give", "let", "know", "see", "check", "look", "up", "find", "out", "what", "whats", "which", "how", "hows", "much", "many", "big", "large", "any", "anything", "some", "s", "re", "ve", "m", "hi", "hello", "hey", "thanks", "thank", "ok", "okay", "and", "so", "then", "just", "quick", "quickly", "question", "right", "now", "today", "currently", "current", "presently", "client", "clients", "household", "households", "hh", "family", "account", "accounts", "acct", "accts", "portfolio", "portfolios", "position", "file", "record", "get", "got", "would", "like", "about", "exactly", "total", "overall", "amount", "figure", "number", "level", "e", "g", "i.e", "pct", "percent", "us", "again", "remind", "wats", "teh", "rn", "line", "whether", "large", "preparing", "review", "v", "asks", "ask", "asked", "asking", "says", "sitting", "hold", "holds", "held", "holding", "holdings", "own", "owns", "stock", "stocks", "fund", "etf", "shares", "share", "here"]
)  # fmt: skip


@dataclass(frozen=True)
class Intent:
    """`cues` must all be found (regular expressions over small letters and slots); `also` are further words it explains.

    `needs` are slots of which each must be filled ("household|account" means either), `takes` further ones it may have.
    """

    name: str
    topic: Topic
    cues: tuple[str, ...]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    also: str = ""
    bonus: int = 0

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """The cues, compiled."""
        return tuple(re.compile(rf"(?<!\S)(?:{cue})(?!\S)") for cue in self.cues)

    @cached_property
    def also_pattern(self) -> re.Pattern[str] | None:
        """Further words it explains, compiled."""
        return re.compile(rf"(?<!\S)(?:{self.also})(?!\S)") if self.also else None


_OFF = (
    r"over|under|over ?-?weight\w*|under ?-?weight\w*|far|off|drift\w*|exceeds?|exceeding|above|below|against|vs|versus|"
    r"deviat\w*|out of (?:line|whack|band|tolerance|range)|outside|inside|within|band|bands|tolerance|heavy|light|too "
    r"(?:much|little|high|low)|away|relative|compared?|distance|gap|shortfall|breach\w*|long on|short on"
)
_OFF_ALSO = (
    rf"{_OFF}|target|targets|weight|weights|weighting|stand|stands|standing|model|out of|or|most|furthest|biggest|largest|where|than|"
    r"more|less|still|position|class|allocation|allocated|exposure|sector|sectors|equity|equities|asset|classes|stock|points"
)
_WHY = r"why|how come|what (?:explains|caused|causes|drove|drives|made)|reasons?|causes?|caused|explain|drivers?|what is behind|behind"
_PROPOSAL = (
    r"propos\w+|package|trades?|trading|rebalance|rebalancing|plan|recommend\w*|suggest\w*|ticket|orders?|signal"
)
_BUYSELL = (
    r"buy|buys|buying|bought|sell|sells|selling|sold|purchas\w+|sales?|trad(?:e|es|ed|ing)|trim\w*|add(?:s|ed|ing)?"
)
_NOT = r"not|can t|cannot|cant|no|aren t|isn t|don t|didn t|doesn t|won t|arent|isnt|dont|didnt|doesnt|refused|left alone|stops?|stopped|stood against|blocks?|blocked|against|prevents?|undone|skipped|untouched|keeping us"
_WHO = "household|account"

INTENTS: tuple[Intent, ...] = (
    Intent("drift_key", drift.drift_of_key, (_OFF,), (_WHO, "key|security"), ("registration",), _OFF_ALSO),
    Intent("drift_key", drift.drift_of_key, (r"weight|weighting|exposure|allocation|allocated|percentage|share of",), (_WHO, "key|security"), ("registration",), _OFF_ALSO),
    Intent("drift", drift.drift_overall, (_OFF + r"|out of (?:tolerance|band|line)",), (_WHO,), ("registration",), _OFF_ALSO),
    Intent("drift_why", drift.drift_why, (_WHY, _OFF), (_WHO,), ("key", "security", "registration"), _OFF_ALSO + "|so|high|low|much|little", bonus=2),
    Intent("drift_cash", drift.drift_of_cash, (_OFF + "|target|weight", r"cash"), (_WHO,), ("registration",), _OFF_ALSO + "|cash|so", bonus=2),
    Intent("drift_why_cash", drift.drift_why_cash, (_WHY, _OFF + "|so (?:much|high|low)", r"cash"), (_WHO,), ("registration",), _OFF_ALSO + "|cash|so|high|low", bonus=4),
    Intent(
        "drift_since", drift.drift_since,
        (r"last|latest|since when|when",
         r"rebalanced?|rebalancing|(?:on|at) (?:its|the|their|his|her)? ?(?:model|target)|stood|drift\w*"),
        (_WHO,), ("registration",), r"date|day|time|when|since|last|stood|drift\w*|model|target|stand|latest|been", bonus=2,
    ),
    Intent("tracking_error", drift.tracking_error, (r"tracking error|te|tracking risk",), (_WHO,), ("registration",), r"model|against|vs|to|ex ante", bonus=1),
    Intent(
        "out_of_band", drift.out_of_band,
        (r"out of (?:tolerance|band|bands|line|range|whack)|outside (?:tolerance|band|bands|their bands?|the bands?|its bands?)|off (?:model|target)|breach\w*|drifted|most drift\w*|drifting",),
        (), (), r"list|book|all|furthest|worst|most|breaches|their|bands?|first|need|attention|i|anyone|where",
    ),
    Intent("largest", holdings.largest, (r"largest|biggest|top|main|concentrated|concentration|heaviest",), (_WHO,), ("registration",),
           r"positions?|holdings?|single|stocks?|names?|most|security|securities|five|value|by"),
    Intent("cash", holdings.cash, (r"cash|uninvested|liquidity|money market",), (_WHO,), ("registration",), r"balance|position|level|share|weight|sits?|as|percentage"),
    Intent("active_share", drift.active_share, (r"active share",), (_WHO,), ("registration",), r"high|model|against|vs", bonus=4),
    Intent("harvested", trades.harvested, (r"harvest\w*",), ("household",), (), _PROPOSAL + r"|loss(?:es)?|tax|being|in|tax-loss", bonus=4),
    Intent("following", models.following, (r"how many|number of|count of", r"accounts?|clients?|households?"), ("model",), (), r"how many|number|across|firm|book|follow|follows|following|model|strategy|use|run|are|assigned", bonus=4),
    Intent("value", holdings.value, (r"worth|value|aum|assets|market value|size|balance|total value|how big",), (_WHO,), ("registration",), r"market|under management|manage|management|of|total"),
    Intent("position", holdings.position, (r"hold|holds|holding|own|owns|owned|held|have|has|shares?|position|how many|how much|own any",), (_WHO, "security"), ("registration",), r"still|stock|worth|value|weight"),
    Intent("unrealised", holdings.unrealised, (r"unreali[sz]ed|embedded|paper|open|latent|built in", r"gains?|loss(?:es)?"), (_WHO,), ("registration",), r"or|taxable|capital"),
    Intent("book", holdings.book, (r"how many (?:households?|clients?|accounts?|families)|aum|assets under management|size of (?:my|the|our) book|how big is (?:my|the|our) book",), (), (), r"book|manage|look after|total|under management|assets"),
    Intent("proposed", trades.proposed, (_PROPOSAL + "|" + _BUYSELL,), (_WHO,), ("security", "registration"),
           _PROPOSAL + "|" + _BUYSELL + r"|list|being|doing|go|going|proposing|changes?|made|make|pending|happening|if any|summary|summarise|summarize|next|through|new|planned|or"),
    Intent("cost", trades.cost, (_PROPOSAL, r"cost|costs|costing|tax|taxes|taxable|save|saves|owe|owes|spreads?|tickets?|fees?|expensive|bill|realise|realize|capital gains?"), ("household",), (),
           _PROPOSAL + r"|effect|impact|bill|save|saves|saved|owe|owes|or|costs?|tax|taxes|spreads?|tickets?|transaction|trading|of|made|gains?|consequences?|if|go|through|happen|lead", bonus=2),
    Intent("why_trade", trades.why, (_WHY, _BUYSELL), (_WHO, "security"), ("registration",), _PROPOSAL + "|" + _BUYSELL + r"|being|want|there", bonus=3),
    Intent("why_not", trades.why_not, (_NOT, _BUYSELL + "|" + _PROPOSAL + "|shares|done|alone"), (_WHO,), ("security", "registration"),
           _NOT + "|" + _PROPOSAL + "|" + _BUYSELL + "|" + _WHY + r"|being|there|more|done|alone|what|left|where|stood", bonus=6),
    Intent("sale", tax.sale, (r"sell|sells|selling|sold|sale|sales|went|liquidat\w+|disposing|dispose", r"tax|taxes|taxable|gains?|loss(?:es)?|cost|costs|owe|owes|realise\w*|realize\w*|hit|consequences?|bill|proceeds|take"), ("account", "security"), ("shares", "registration", "household"),
           r"mean|means|for|completely|comes|come|fully|if|would|whole|all|entire|everything|every|bill|hypothetically|hypothetical|say|were|capital|or|effect|impact|be|unrealised|position|went|sold|short|long|term|short-term|long-term|consequence|out", bonus=4),
    Intent("gain_budget", tax.gain_budget, (r"budget\w*|room|gain limit|gains limit|gain allowance|headroom|gain cap",), ("household",), (),
           r"gains?|capital|left|remaining|remains|still|room|used|use|use up|go|went|over|year|realised?|realized?|within|limit|limited|tax|over|spent|spend|have|exceeded?|size|or|set"),
    Intent("realised", tax.realised, (r"reali[sz]ed|taken|took|booked|locked in|crystalli[sz]ed|reali[sz]e", r"gains?|loss(?:es)?|anything|gain"), ("household",), (),
           r"short|long|term|short-term|long-term|so far|to date|ytd|year|capital|yr|or|net|far|date|tax|both|2022"),
    Intent("carryforward", tax.carryforward, (r"carry ?-?forwards?|carried ?-?(?:forward|over|in)?|carry ?-?overs?|c f|cf|loss carry\w*|tax loss(?:es)? (?:left|on)|earlier years?|prior years?|previous years?",), ("household",), (),
           r"loss(?:es)?|tax|capital|short|long|term|short-term|long-term|still|offset|into|forward|over|prior|earlier|last year|years?|from|available|or|bank|remaining|left|use|unused", bonus=1),
    Intent("rates", tax.rates, (r"rate|rates|bracket|tax rate",), ("household",), (), r"tax|income|ordinary|long-term|short-term|long|short|term|state|federal|capital|gains?|niit|use|apply|applies|marginal|used"),
    Intent("wash", tax.wash, (r"wash\w*|(?:go|get) back into|buy\w* back|bought back|bought again|repurchas\w*|re-?buy\w*|(?:buy|bought|purchase|purchased) \S* ?again|blocked|30 days?|thirty days?|buy \S+ back",), ("household|account",), ("security",),
           r"into|at|go|get|sales?|window|windows|until|till|when|what date|date|first|earliest|day|after|proposed|proposal|once|if|make|made|harvest\w*|done|loss|losses|would|could|be|buy|buying|back|again|calendar|rule|open|blocked|repurchase\w*|sold|sell|selling|trades?|bought|washed|free", bonus=4),
    Intent("rmd", tax.rmd, (r"rmds?|required (?:minimum )?distributions?|min(?:imum)? distributions?|mandatory distributions?|required withdrawals?",), (_WHO,), ("registration",),
           r"need|needs|due|taken|take|took|year|left|outstanding|owe|owes|by when|when|required|already|remaining|still|done|amount|distribution|must|2022|will|deadline|date|yet|by|open|withdrawn|paid", bonus=1),
    Intent("restrictions", on_file.restrictions, (r"restrict\w*|screens?|esg|exclu\w*|constraints?|limits?|never|ban|banned|cap|capped|allowed|minimum cash|min cash|off limits|forbidden|sri|values|minimum cash instruction|in force",), (_WHO,), ("security", "registration"),
           r"sign|signed|trading|trade|ban|banned|still|reason|why|applicable|purchase|apply|applies|minimum|cash|instruction|instructions|buy|sell|hold|or|place|force|no-go|weight|max|maximum|screen|screens|list|on"),
    Intent("restrictions", on_file.restrictions, (r"can (?:i|we|you)|may (?:i|we)|allowed|permitted|ok to|possible", r"buy|sell|hold|trade|own|allowed|permitted"), (_WHO, "security"), ("registration",), r"still|be"),
    Intent("raise_cash", on_file.restrictions, (r"raise", r"cash"), (_WHO,), (), r"by|january|february|march|when|have to|must"),
    Intent("consent", on_file.consent, (r"discretion\w*|consent\w*|non-?discretionary|agree|agrees|sign off|sign-off|permission|client approval",), (_WHO,), ("registration",),
           r"before|require[sd]?|trades?|proposed|proposal|needs?|or|over|not|must|anyone|ask|first|i\.e|full|whether", bonus=3),
    Intent("accounts", on_file.accounts, (r"accounts?|registrations?|custodians?|custody|custodied|held at|account types?",), (_WHO,), (), r"list|all|where|type|types|kind|kinds|registered|registration|at|each", bonus=-1),
    Intent("custodian", on_file.accounts, (r"custodians?|custody|custodied|registration|registered|account type|type of account|kind of account",), (_WHO,), (), r"where|type|kind|at|as|"),
    Intent("model_of", on_file.model_of, (r"models?|strategy",), (_WHO,), ("registration",), r"follow|follows|following|assigned|managed|run|runs|use|uses|track|tracks"),
    Intent("advisor", on_file.advisor, (r"advis[eo]rs?|looks? after|relationship manager|covers?|in charge|responsible",), ("household",), (), r"who|is|looks|after"),
    Intent("notes", on_file.notes, (r"notes?|meetings?|last (?:note|meeting)|crm",), ("household",), (), r"latest|last|recent|most|newest|when|new|take|written"),
    Intent("profile", on_file.profile, (r"risk (?:tolerance|capacity|profile|score)|horizon|objective|suitability|profile",), ("household",), (), r"score|risk|tolerance|capacity|time|investment|profile"),
    Intent("targets", models.targets, (r"targets?|weights?|allocations?|made of|make ?up|composition|target weights?",), ("model",), ("key", "security", "version"),
           r"asset|class|classes|sleeve|sector|target|weight|weights|breakdown|mix|model|strategy"),
    Intent("targets_key", models.targets, (r"§(?:key|security)",), ("model", "key|security"), ("version",), r"targets?|weights?|model|sleeve|strategy|allocation|sector"),
    Intent("history", models.history, (r"history|versions?|effective|take effect|took effect|in force|came into|come into|been approved|approved|start(?:ed)?|introduced|adopted|live|go live|dates?",), ("model",), ("version",),
           r"new|come into|when|since|history|versions?|effective|effect|took|take|yet|force|dates?|would|will|become|did|came|model|strategy|live|go|list|all|changes?|last|changed|latest|approved|started?|introduced|adopted|draft|since when|or|status|been|go live|become"),
    Intent("rationale", models.rationale, (r"why|rationale|reason\w*|reasoning|committee|thinking|argument|justification",), ("model",), ("version",),
           r"versions?|changed?|change|changes|committee|given|adopted|adopt|approved?|decided?|decision|latest|last|model|behind|say|said|introduced|move[sd]?|strategy|rationale|why|reasons?", bonus=2),
    Intent("upcoming", models.upcoming, (r"upcoming|coming|next|new|draft|planned|pending|changing|change|proposed|§version",r"changes?|changing|coming|upcoming|version|next|new|draft|differ\w*|moves?|planned|pending|proposed"), ("model",), ("version", "key", "security"),
           r"do|to|main|changes?|change|version|model|when|material|biggest|largest|compared|against|going|different|old|weights?|targets?|bring|brings|would|will|strategy|next", bonus=1),
    Intent("effect", models.effect, (r"upcoming|coming|next|new|draft|planned|model change|version change|§version|model version", r"effect\w*|affect\w*|touch\w*|mean|means|impact\w*|do|does|change\w*|hit|happen\w*"), (_WHO,), ("version", "model"),
           r"model|version|change|changes|for|would|will|draft|gains?|trades?|to", bonus=3),
    Intent("benchmark", models.benchmark, (r"benchmarks?|benchmarked|measured against",), ("model",), (), r"model|against|strategy|what|use|uses", bonus=1),
    Intent("performance", performance.performance, (r"perf|performance|perform\w*|returns?|returned|did|do|doing|done|made|make|earned|earn|gain|gained|ahead|behind|beat|beaten|lag|lagged|lagging|up|down|excess|outperform\w*|underperform\w*|track record|§model (?:model )?(?:quarter|year|ytd)|quarter to date|year to date|ytd|qtd|since inception",), ("model|account|household",), (),
           r"composite|year to date|ytd|qtd|quarter to date|this|year|quarter|net|of|fees?|after fees|annuali[sz]ed|per year|per annum|p a|a year|over|(?:(?:last|past|trailing|over) )*(?:the )?(?:(?:last|past|trailing) )?(?:12 months|one year|1 year|three years?|3 years?|five years?|5 years?)|since inception|inception|since|benchmark|bm|vs|versus|against|its|relative|or|model|compared|gross|strategy|how|time|2022|to date|date|far|by|beat|excess|well"),
)  # fmt: skip
