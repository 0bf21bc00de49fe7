"""A made-up trade list: a sheet with everything a figure can be, and a draft that says all of it rightly."""

from workbench.drafting import Entity, Fact, FactSheet, Source
from workbench.drafting.draft import Draft, Writing
from workbench.drafting.placeholders import fill
from workbench.drafting.verifying.verify import verify

SOURCE = Source("made_up", ("accounts",), "A-101", "0123456789abcdef")
HOUSEHOLD, MODEL = "household:H1", "model:growth"
CLASSES = {"us": "US equity", "intl": "International equity", "bonds": "Bonds"}
TRADES = (
    ("VTI", "sell", 9358.0, 1204.0, "gain", "A-101"),
    ("SCHF", "buy", 4710.0, None, "", "A-101"),
    ("BND", "sell", 2215.0, -318.0, "loss", "A-202"),
    ("VXUS", "buy", 6133.0, None, "", "A-202"),
)
WEIGHTS = (("us", 0.532, 0.481, 0.50), ("intl", 0.214, 0.263, 0.27), ("bonds", 0.187, 0.192, 0.20))
NOTE = "Call me before you sell anything, I'm away until May 3."

SKELETON = """# What we propose for {f:who}

As of {f:as_of}, your portfolio holds assets of {f:assets} in {f:accounts|word} accounts.
We propose {f:trades|word} trades. Your tax rises by {f:tax}.

## Trades

{f:trade.1.symbol} is sold for {f:trade.1.amount} in account {f:trade.1.account};
this realizes a gain of {f:trade.1.gain}.
{f:trade.3.symbol} is sold for {f:trade.3.amount} in account {f:trade.3.account}, at a loss of {f:trade.3.gain}.

- Buy {f:trade.2.amount} of {f:trade.2.symbol} in account {f:trade.2.account}.
- Buy {f:trade.4.amount} of {f:trade.4.symbol} in account {f:trade.4.account},
and do not buy {f:trade.3.symbol} through {f:wash}.

## Weights

{f:us.name} goes from a weight of {f:us.before} to a weight of {f:us.after}, against a target of {f:us.target}.
It is {f:us.over} overweight in {f:us.name}. {f:intl.name} is {f:intl.over|pp} underweight.

| Asset class | Weight before | Weight after | Target |
|---|---:|---:|---:|
| {f:us.name} | {f:us.before} | {f:us.after} | {f:us.target} |
| {f:intl.name} | {f:intl.before} | {f:intl.after} | {f:intl.target} |
| {f:bonds.name} | {f:bonds.before} | {f:bonds.after} | {f:bonds.target} |

## On file

You wrote on {f:note.day}:

> {f:note}

Your losses carried forward are {f:carried|short}.
"""


def sheet() -> FactSheet:
    """Return the sheet of the trade list."""
    securities = [row[0] for row in TRADES]
    accounts = sorted({row[5] for row in TRADES})
    entities = (
        Entity(HOUSEHOLD, "household", ("Whitfield household", "your portfolio", "your accounts")),
        *(Entity(f"account:{id}", "account", (id,)) for id in accounts),
        *(Entity(f"security:{id}", "security", (id,)) for id in securities),
        *(Entity(f"asset_class:{key}", "asset_class", (name,)) for key, name in CLASSES.items()),
    )
    return FactSheet("trade_list", "H1", "2022-12-28", SOURCE.snapshot, (HOUSEHOLD,), entities, tuple(_facts()))


def draft(skeleton: str = SKELETON) -> Draft:
    """Return a draft of the sheet by a skeleton, verified."""
    made = sheet()
    text = fill(skeleton, made).text
    return Draft("trade_list", "H1", "Trades", skeleton, text, made, Writing("template", "-", "-"), verify(text, made))


def _facts():
    mine = (HOUSEHOLD,)
    yield _fact("who", "name", "Whitfield household", "named", mine)
    yield _fact("as_of", "date", "2022-12-28", "as_of", mine)
    yield _fact("assets", "money", 1_284_310.0, "household_assets", mine)
    yield _fact("accounts", "count", 2, "accounts_number", mine)
    yield _fact("trades", "count", 4, "trades_number", mine)
    yield _fact("tax", "money", 133.0, "household_tax", mine, "up")
    yield _fact("wash", "date", "2023-01-27", "no_purchase_until", ("security:BND",))
    yield _fact("note.day", "date", "2022-03-14", "note_written", mine)
    yield _fact("note", "quote", NOTE, "quoted", mine)
    yield _fact("carried", "money", 4210.0, "losses_carried", mine)
    for n, (symbol, side, amount, gain, way, account) in enumerate(TRADES, 1):
        of = (f"account:{account}", f"security:{symbol}")
        yield _fact(f"trade.{n}.symbol", "symbol", symbol, "named", of[1:])
        yield _fact(f"trade.{n}.account", "name", account, "named", of[:1])
        yield _fact(f"trade.{n}.amount", "money", amount, "traded_dollars", of, side)
        if gain is not None:
            yield _fact(f"trade.{n}.gain", "money", gain, "trade_gain", of, way)
    for key, before, after, target in WEIGHTS:
        of = (f"asset_class:{key}",)
        yield _fact(f"{key}.name", "name", CLASSES[key], "named", of)
        yield _fact(f"{key}.before", "percent", before, "class_weight", of, "before")
        yield _fact(f"{key}.after", "percent", after, "class_weight", of, "after")
        yield _fact(f"{key}.target", "percent", target, "class_target", of)
        drift = before - target
        yield _fact(f"{key}.over", "percent", drift, "class_drift", of, "over" if drift > 0 else "under")


def _fact(id, kind, value, metric, of, *way):
    return Fact(id, kind, value, metric, of, SOURCE, tuple(way))
