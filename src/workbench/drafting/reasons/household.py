"""Reasons that a household's papers may give, each tied to a rule on its facts.

The claims on why trades are made and why some are not are called as the facts they need: `why.harvest.sell`,
`undone.tax.sell`.
"""

from __future__ import annotations

from workbench.drafting.claims import Claim, collected
from workbench.drafting.reasons.household_rules import (
    all_losses,
    away,
    both,
    close_everywhere,
    closer,
    far,
    first_cause,
    first_gap,
    first_of_its_model,
    first_row,
    harvest_only,
    has,
    lacks,
    listed_in_part,
    moves,
    no_budget,
    notable,
    one_account,
    overdue,
    passed_before,
    repeated,
    returns,
    same_reasons,
    saves_losses,
    several,
    single,
    some_far,
    unless,
    unspent,
    way,
)

OPENINGS = (
    Claim("opening.nothing", lacks("trades.count"), "We reviewed your accounts as of {f:as_of} and propose no "
          "change. What a trade would improve today does not make up for its tax and its cost."),
    Claim("opening.distribution", has("need.rmd.1.amount"), "We reviewed your accounts as of {f:as_of}. "
          "Tax law requires you to take money out of some retirement accounts by a set day. This year's distribution "
          "is still to be paid, so its cash comes first."),
    Claim("opening.withdrawal", has("need.withdrawal.1.amount"), "We reviewed your accounts as of {f:as_of}. "
          "You plan to take money out, so its cash comes first."),
    Claim("opening.harvest", both(has("trades.count"), harvest_only), "We reviewed your accounts as of {f:as_of}. "
          "The trades we propose serve a single purpose: to use losses for your taxes."),
    Claim("opening.model", has("trades.count", "model.1.news"), "We reviewed your accounts as of {f:as_of}. A new "
          "version of the {f:model.1.name} model took effect on {f:model.1.news}, and we propose to bring your "
          "accounts in line with it."),
    Claim("opening.raise", first_cause("raise_cash"), "We reviewed your accounts as of {f:as_of}. They need more cash "
          "on hand, so we propose sales that raise it."),
    Claim("opening.invest", first_cause("invest_cash"), "We reviewed your accounts as of {f:as_of}. They hold cash "
          "that you do not need on hand, and we propose to invest it."),
    Claim("opening.location", both(first_cause("location"), moves), "We reviewed your accounts as of {f:as_of}. "
          "Some of your holdings are taxed less in another of your accounts, and we propose to place them there."),
    *(Claim(f"opening.drift.{word}", both(lacks("model.2.name"), returns, first_gap(word)),
            f"We reviewed your accounts as of {{f:as_of}}. You hold {much} in {{f:model.1.drift.1.name}} than your "
            "{f:model.1.name} model asks for, and we propose to bring your accounts back in line with it.")
      for word, much in (("over", "more"), ("under", "less"))),
    Claim("opening.drift", both(has("trades.count"), lacks("model.2.name"), returns), "We reviewed your accounts as of "
          "{f:as_of}. As prices move and money comes and goes, accounts drift away from the mix they should hold. "
          "We propose to bring yours back in line with your {f:model.1.name} model."),
    Claim("opening.models", both(has("trades.count", "model.2.name"), returns), "We reviewed your accounts as of "
          "{f:as_of}. As prices move and money comes and goes, accounts drift away from the mix they should hold. "
          "We propose to bring yours back in line with the models they follow."),
    Claim("opening.trades", has("trades.count"), "We reviewed your accounts as of {f:as_of}. Here is what we "
          "propose, and why."),
)  # fmt: skip

PROPOSALS = (
    Claim("propose.one", single("trades.count"), "We propose {f:trades.count|word} trade:"),
    Claim("propose.many", listed_in_part, "The largest are:"),
    Claim("propose.one.said", single("trades.count"), "We propose {f:trades.count|word} trade."),
    Claim("propose.one_account", one_account, "We propose {f:trades.count|word} trades in your {f:trade.1.account}."),
    Claim("propose.accounts", both(several("trades.count"), several("trades.accounts")),
          "We propose {f:trades.count|word} trades across {f:trades.accounts|word} accounts."),
    Claim("propose.both", has("trades.sell", "trades.buy"),
          "In all, they sell {f:trades.sell} and buy {f:trades.buy}."),
    Claim("propose.sell", both(has("trades.sell"), lacks("trades.buy"), several("trades.count")),
          "In all, they sell {f:trades.sell}."),
    Claim("propose.buy", both(has("trades.buy"), lacks("trades.sell"), several("trades.count")),
          "In all, they buy {f:trades.buy}."),
    Claim("propose.cost", has("trades.cost"), "The cost of trading is about {f:trades.cost}."),
    Claim("largest.here", one_account, "The largest trades in your {f:trade.1.account}:"),
    Claim("largest", both(several("trades.count"), several("trades.accounts")), "The largest trades:"),
    *(Claim(f"trade.{side}{symbol}{here}", both(way(".amount", side), told, where),
            f"{side.title()} {{f:.amount}} of {what}{place}")
      for side in ("sell", "buy")
      for symbol, told, what in (("", has(".name"), "{f:.name} ({f:.symbol})"),
                                 (".symbol", lacks(".name"), "{f:.symbol}"))
      for here, where, place in (("", unless(one_account), " in your {f:.account}"), (".here", one_account, ""))),
)  # fmt: skip

#: Weights in a letter, where a client reads that they hold more or less; in talking points, over and under.
DRIFT = (
    Claim("weight.closer", both(closer, lacks("model.2.name")), "Your target for {f:.name} is {f:.target}; you hold "
          "{f:.now} now, and the trades bring it to {f:.after}."),
    Claim("weight.closer.model", both(closer, has("model.2.name"), lacks(".account")), "In the {f:.model} model, your "
          "target for {f:.name} is {f:.target}; you hold {f:.now} now, and the trades bring it to {f:.after}."),
    Claim("weight.closer.account", both(closer, has(".account")), "In your {f:.account}, which follows the {f:.model} "
          "model, your target for {f:.name} is {f:.target}; you hold {f:.now} now, and the trades bring it to "
          "{f:.after}."),
    Claim("weight.closer.also", both(closer, lacks("model.2.name")), "For {f:.name} the target is {f:.target}; you "
          "hold {f:.now}, and the trades bring it to {f:.after}."),
    Claim("stands.account", both(has("model.2.name", ".account"), some_far), "Your {f:.account}, which follows the "
          "{f:.name} model:"),
    Claim("stands.model", both(has("model.2.name"), lacks(".account"), some_far), "Your accounts in the {f:.name} "
          "model:"),
    Claim("close.account", both(has("model.2.name", ".account"), unless(some_far)), "Your {f:.account}, which follows "
          "the {f:.name} model, is close to its targets."),
    Claim("close.model", both(has("model.2.name"), lacks(".account"), unless(some_far)), "Your accounts in the "
          "{f:.name} model are close to their targets."),
    *(Claim(f"drift.{word}.{whose}.{form}", both(way(".off", word), far, owner, rule),
            f"{subject} {{f:.off}} {word}weight in {{f:.name}}{against}{rest}")
      for word in ("over", "under")
      for whose, owner, subject, against in (
          ("first", both(first_row, lacks("model.2.name")), "Your portfolio is", " against the {f:.model} model"),
          ("further", both(unless(first_row), lacks("model.2.name")), "It is", ""),
          ("account", has("model.2.name", ".account"), "It is", ""),
          ("model", both(has("model.2.name"), lacks(".account")), "They are", ""),
      )
      for form, rule, rest in (
          ("away", away,
           "; trades made for other reasons take its share from {f:.before} to {f:.after}, against a target of "
           "{f:.target}."),
          ("moves", both(has(".after"), unless(away)),
           "; the trades take its share from {f:.before} to {f:.after}, against a target of {f:.target}."),
          ("stays", lacks(".after"), "; its share stays at {f:.now}, against a target of {f:.target}."),
      )),
    Claim("drift.none", close_everywhere, "Your portfolio is close to its targets throughout."),
)  # fmt: skip

WHY = tuple(
    Claim(f"why.{name}", has(".amount"), sentence)
    for name, sentence in {
        "overweight.sell": "We sell {f:.amount} of what is above its target.",
        "overweight.buy": "We buy {f:.amount} so that the rest of the mix keeps its balance.",
        "underweight.buy": "We buy {f:.amount} of what is below its target.",
        "underweight.sell": "We sell {f:.amount} to pay for what is below its target.",
        "off_model.sell": "We sell {f:.amount} of holdings outside the model.",
        "off_model.buy": "We buy {f:.amount} in place of holdings outside the model.",
        "harvest.sell": "We sell {f:.amount} of holdings that are worth less than they cost, for the tax loss.",
        "harvest.buy": "We buy {f:.amount} that stands in for what is harvested for tax.",
        "replacement.buy": "We buy {f:.amount} of holdings that also take the place of what is sold for tax.",
        "replacement.sell": "We sell {f:.amount} that stood in for what was harvested for tax.",
        "raise_cash.sell": "We sell {f:.amount} to have the cash on hand that your accounts need.",
        "raise_cash.buy": "We buy {f:.amount} that serves as cash.",
        "invest_cash.buy": "We buy {f:.amount} with cash beyond what your accounts need.",
        "invest_cash.sell": "We sell {f:.amount} so that idle cash is put to work in the right place.",
        "location.sell": "We sell {f:.amount} of holdings that are better kept in another of your accounts, for tax.",
        "location.buy": "We buy {f:.amount} of holdings in the account where they are better kept, for tax.",
        "restriction.sell": "We sell {f:.amount} because a restriction on file requires it.",
        "restriction.buy": "We buy {f:.amount} because a restriction on file requires it.",
        "transition.sell": "We sell {f:.amount} as this year's step of your transition.",
        "transition.buy": "We buy {f:.amount} as this year's step of your transition.",
    }.items()
)

TAX = (
    Claim("tax.sheltered", both(lacks("tax.year"), has("trades.count")),
          "These trades are in accounts that are not taxed as they trade, so they cause no tax today."),
    Claim("tax.same", both(has("tax.year", "trades.count"), lacks("tax.change")),
          "By our estimate the trades leave your tax for {f:tax.year|year} as it is."),
    Claim("tax.owed", way("tax.change", "owed"),
          "By our estimate the trades add {f:tax.change} to your tax for {f:tax.year|year}."),
    Claim("tax.saved", way("tax.change", "saved"),
          "By our estimate the trades save {f:tax.change} of tax for {f:tax.year|year}."),
    Claim("tax.harvest", has("tax.harvested"),
          "Some holdings are worth less than you paid; selling them realizes losses of {f:tax.harvested}, which "
          "can offset gains."),
    Claim("tax.harvest.also", both(has("tax.harvested"), unless(all_losses)),
          "The sales include losses of {f:tax.harvested}."),
    *(Claim(f"tax.net.{net}", both(way("tax.net", net), lacks("tax.short", "tax.long")),
            f"The sales realize a net {net} of {{f:tax.net}}.") for net in ("gain", "loss")),
    *(Claim(f"tax.net.{net}.{term}", both(way("tax.net", net), has(f"tax.{term}"), lacks(f"tax.{other}")),
            f"The sales realize a net {net} of {{f:tax.net}}, which is {term}-term.")
      for net in ("gain", "loss") for term, other in (("short", "long"), ("long", "short"))),
    *(Claim(f"tax.net.{net}.{short}.{long}", both(way("tax.net", net), way("tax.short", short), way("tax.long", long)),
            f"The sales realize a net {net} of {{f:tax.net}}, made up of a short-term {short} of {{f:tax.short}} and a "
            f"long-term {long} of {{f:tax.long}}.")
      for net in ("gain", "loss") for short in ("gain", "loss") for long in ("gain", "loss")),
    Claim("tax.realized.gain", way("tax.realized", "gain"),
          "Before these trades, the gains realized in {f:tax.year|year} come to {f:tax.realized}."),
    Claim("tax.realized.loss", way("tax.realized", "loss"),
          "Before these trades, the losses realized in {f:tax.year|year} come to {f:tax.realized}."),
    Claim("tax.carried.in", has("tax.carried"),
          "From earlier years you carried forward {f:tax.carried} of unused losses."),
    Claim("tax.carried", has("tax.carried_on"),
          "After this year, you carry forward {f:tax.carried_on} of unused losses for use in later years."),
    Claim("tax.carried.more", saves_losses,
          "After this year, you carry forward {f:tax.carried_on} of unused losses for use in later years."),
    Claim("tax.disallowed", has("tax.disallowed"),
          "Losses of {f:tax.disallowed} are disallowed for now, because the same holding was bought within the wash "
          "sale window."),
    Claim("tax.unknown", has("basis.unknown"),
          "The record lacks the cost of {f:basis.unknown|word} of the lots we sell; please send us any statement that "
          "shows what you paid, because the gain on them is not in these figures."),
    Claim("budget.zero", both(no_budget, lacks("budget.passed")),
          "On your instruction, we realize gains only as far as losses cover them."),
    Claim("budget.untouched", both(has("budget.left"), unspent),
          "Your gain budget of {f:budget.limit} for {f:tax.year|year} is untouched."),
    Claim("budget.left", both(has("budget.left"), unless(unspent)),
          "We keep to an agreed limit on gains in a year. Your gain budget for {f:tax.year|year} is {f:budget.limit}; "
          "{f:budget.left} of it is left."),
    Claim("budget.spent", both(has("budget.limit"), lacks("budget.left", "budget.passed"), unless(no_budget)),
          "We keep to an agreed limit on gains in a year. Your gain budget for {f:tax.year|year} is {f:budget.limit}, "
          "and it is used up."),
    Claim("budget.passed", both(has("budget.passed"), unless(passed_before)),
          "Your gain budget for {f:tax.year|year} is {f:budget.limit}; with these trades you have realized "
          "{f:budget.passed} of gains, which is past it."),
    Claim("budget.passed.before", both(has("budget.passed"), passed_before),
          "Your gain budget for {f:tax.year|year} is {f:budget.limit}, and it was used up before these trades."),
    Claim("budget.binding", has("budget.binding"),
          "For that reason some sales have to wait."),
)  # fmt: skip

DATES = (
    Claim("need.rmd", has(".amount", ".by"), "The required distribution of {f:.amount} from your {f:.account} is due "
          "by {f:.by}."),
    Claim("need.withdrawal", has(".amount", ".by"), "Your withdrawal of {f:.amount} from your {f:.account} is due by "
          "{f:.by}."),
    Claim("need.withdrawal.undated", both(has(".amount"), lacks(".by")), "You plan a withdrawal of {f:.amount} from "
          "your {f:.account}."),
    Claim("need.min_cash", has(".amount"), "By an instruction on file, we keep a reserve of {f:.amount} in your "
          "{f:.account}."),
    Claim("need.covered", lacks(".short"), "After these trades, the cash for it is there."),
    Claim("need.short", has(".short"), "After the trades, your {f:.account} is {f:.short} short of that cash; we will "
          "talk with you about where it should come from."),
)  # fmt: skip

STEPS = (
    Claim("inherited", has(".name"), "Your {f:.name} has payout rules of its own; these trades take nothing out of "
          "it."),
    Claim("moves", moves, "Some holdings are taxed less in another of your accounts; we sell them where they are "
          "and buy them there."),
    Claim("consent", has("consent.1.account"), "please reply to this message if you agree"),
    Claim("no_consent", lacks("consent.1.account"), "You do not need to do anything now."),
    Claim("conflict", has("conflict.1.text"), "Not all of your instructions can be met at the same time. I would like "
          "to talk them through with you before we act."),
    Claim("unmanaged", has("unmanaged.1.account"), "Your {f:unmanaged.1.account} follows no model at present, so we "
          "propose nothing for it."),
)  # fmt: skip

OBSTACLES = {
    "never_buy": "an instruction on file rules out this purchase",
    "never_sell": "an instruction on file rules out this sale",
    "never_hold": "an instruction on file rules out this holding",
    "screen": "it fails the screen that you asked for",
    "hold_lot": "it is held as you asked us",
    "max_weight": "it would pass the cap on its weight",
    "menu": "it is missing from the plan's menu",
    "wash_sale": "the wash sale rule would take a tax loss away",
    "gain_budget": "the gain would go past your gain budget",
    "tax": "its tax is more than it is worth",
    "cost": "its cost is more than it is worth",
    "band": "it is within the range that the policy allows",
    "minimum_trade": "it is smaller than the smallest trade we make",
    "cash_floor": "the account needs the cash",
    "unknown_basis": "what you paid for it is missing from the record",
    "no_price": "its current price is missing",
    "not_discretionary": "we need your consent for it",
    "mode": "it is outside the purpose of this proposal",
}  # fmt: skip

UNDONE = tuple(
    Claim(f"undone.{obstacle}.{side}", both(has(".name"), way(".amount", side)),
          f"{noun} of {{f:.amount}} of {{f:.name}} ({{f:.symbol}}) in your {{f:.account}}: {words}.")
    for obstacle, words in OBSTACLES.items()
    for side, noun in (("sell", "Sale"), ("buy", "Purchase"))
) + tuple(
    Claim(f"undone.{obstacle}.{side}.symbol", both(lacks(".name"), way(".amount", side)),
          f"{noun} of {{f:.amount}} of {{f:.symbol}} in your {{f:.account}}: {words}.")
    for obstacle, words in OBSTACLES.items()
    for side, noun in (("sell", "Sale"), ("buy", "Purchase"))
)  # fmt: skip

FILE = (
    Claim("consent.amount", has(".amount"), "{f:.amount} in your {f:.account}"),
    Claim("distance.account", has(".distance.before", ".account"), "In your {f:.account}, the expected difference "
          "from the {f:.name} model, the typical gap between their returns in a year, goes from {f:.distance.before} "
          "to {f:.distance.after}."),
    Claim("distance", both(has(".distance.before"), lacks(".account")), "The expected difference from the {f:.name} "
          "model, the typical gap between their returns in a year, goes from {f:.distance.before} to "
          "{f:.distance.after}."),
    Claim("model.first", first_of_its_model, "{f:.name}"),
    Claim("version", has(".number", ".effective", ".model"), "Version {f:.number} of the {f:.model} model took effect "
          "on {f:.effective}."),
    Claim("version.same", same_reasons, "The reasons as approved were the same."),
    Claim("note.first", unless(repeated), "{f:.day}"),
    Claim("note.author", has(".author", ".day"), "{f:.author} noted on {f:.day}:"),
    Claim("note.day", both(has(".day"), lacks(".author")), "A note of {f:.day}:"),
    Claim("flow.in", both(way(".amount", "in"), notable), "A deposit of {f:.amount} came into your "
          "{f:.account} on {f:.day}."),
    Claim("flow.out", both(way(".amount", "out"), notable), "A withdrawal of {f:.amount} was paid from your "
          "{f:.account} on {f:.day}."),
    Claim("restriction.never_buy", has(".key"), "An instruction bars purchases of {f:.key}"),
    Claim("restriction.never_sell", has(".key"), "An instruction bars sales of {f:.key}"),
    Claim("restriction.never_hold", has(".key"), "An instruction bars any holding of {f:.key}"),
    Claim("restriction.screen", has(".key"), "Screen: {f:.key}"),
    Claim("restriction.hold_lot", has(".key"), "Keep the lot {f:.key}"),
    Claim("restriction.max_weight", has(".key", ".cap"), "A cap of {f:.cap} on {f:.key}"),
    Claim("restriction.min_cash", has(".amount"), "A reserve to keep of {f:.amount}"),
    Claim("restriction.directive", has(".key"), "Directive: {f:.key}"),
    Claim("met.recent", both(has("met"), unless(overdue)),
          "The last meeting on file was on {f:met}."),
    Claim("met.overdue", overdue, "The last meeting on file was on {f:met}; the yearly review is overdue."),
    Claim("met.never", lacks("met"), "There is no meeting on file; the yearly review is overdue."),
)  # fmt: skip

CLAIMS = collected(OPENINGS, PROPOSALS, DRIFT, WHY, TAX, DATES, STEPS, UNDONE, FILE)
