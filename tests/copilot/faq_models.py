"""Right answers about models and returns: targets, versions, who follows them, and what they and accounts earned."""

from __future__ import annotations

import pandas as pd

from tests.copilot.faq_reading import Day, Expected, Figure, Way, Words, must, says
from tests.copilot.faq_record import Record


def model_of(record: Record, account: str) -> Expected:
    """The model an account follows, by name; that it follows none."""
    model = record.accounts.loc[account, "model_id"]
    if pd.isna(model):
        return must(says("no model", "none", "not follow", "without a model", "unmanaged", "not managed"))
    names = record.table("models").drop_duplicates("model_id").set_index("model_id")["name"]
    others = tuple(f"follows {name}" for key, name in names.items() if key != model)
    return must(says(names[model]), forbidden=(Words(others),))


def affected(record: Record, household: str, model: str) -> Expected:
    """The accounts of a household that follow a model."""
    mine = {one: record.accounts.loc[one, "model_id"] == model for one in record.accounts_of(household)}
    return must(*(says(one) for one, follows in mine.items() if follows))


def target(record: Record, model: str, level: str, key: str, version: int = 0) -> Expected:
    """A model's target of a key, in the version in force unless another is named."""
    return must(Figure(record.targets(model, version or record.in_force(model), level)[key], "fraction"))


def target_change(record: Record, model: str, level: str, key: str) -> Expected:
    """What the draft version would change: the difference, or both targets."""
    old = record.targets(model, record.in_force(model), level)[key]
    new = record.targets(model, record.draft(model), level)[key]
    return Expected(((_change(new - old),), (Figure(old, "fraction"), Figure(new, "fraction"))))


def _change(value: float) -> Figure:
    """A change of a target with its side."""
    up = ("rise", "=up", "more", "add", "increas", "higher", "from", "+")
    down = ("fall", "=down", "less", "cut", "reduc", "trim", "lower", "decreas", "from", "-")
    beside, never = (up, down) if value > 0 else (down, up)
    return Figure(value, "fraction", beside, tuple(word for word in never if word != "from"))


def largest_changes(record: Record, model: str) -> Expected:
    """What the draft moves most, by asset class or sleeve: the two largest, each with its size or both targets."""
    ways: list[Way] = []
    for level in ("asset_class", "sleeve"):
        old = record.targets(model, record.in_force(model), level)
        new = record.targets(model, record.draft(model), level)
        moved = (new - old).abs().round(10).sort_values(ascending=False, kind="stable").index[:2]
        ways.append(tuple(item for key in moved for item in (says(key), _change(new[key] - old[key]))))
        ways.append(
            tuple(
                item
                for key in moved
                for item in (says(key), Figure(old[key], "fraction"), Figure(new[key], "fraction"))
            )
        )
    return Expected(tuple(ways))


def effective(record: Record, model: str, version: int = 0) -> Expected:
    """The day a version took effect, or would."""
    rows = record.table("models").set_index(["model_id", "version"])
    return must(Day(rows.loc[(model, version or record.in_force(model)), "effective_date"].date()))


def history(record: Record, model: str) -> Expected:
    """The days of every version that is or was in force."""
    rows = record.table("models")
    rows = rows[(rows["model_id"] == model) & (rows["status"] != "draft")]
    return must(*(Day(day.date()) for day in rows["effective_date"]))


def version_count(record: Record, model: str) -> Expected:
    """Which version is in force."""
    return must(Figure(record.in_force(model), "count", ("version",)))


def rationale(record: Record, model: str, words: list[str], version: int = 0) -> Expected:
    """The committee's words; `words` must stand in them."""
    rows = record.table("models").set_index(["model_id", "version"])
    text = rows.loc[(model, version or record.in_force(model)), "rationale"]
    missing = [word for word in words if word.lower() not in text.lower()]
    if missing:
        raise AssertionError(f"the rationale does not say {missing}")
    return must(*(says(word) for word in words))


def not_approved(record: Record, model: str) -> Expected:
    """That the draft version is a draft."""
    if record.draft(model) <= record.in_force(model):
        raise AssertionError(f"{model} has no draft")
    return must(
        says("draft", "not approved", "pending", "not in force", "proposal"),
        forbidden=(says("has been approved", "was approved on"),),
    )


def benchmark(record: Record, model: str) -> Expected:
    """What a model is measured against."""
    rows = record.table("models").set_index(["model_id", "version"])
    first, second = rows.loc[(model, record.in_force(model)), "benchmark"].replace(" %", "%").partition(",")[::2]
    words = [says(part.split("%")[1].strip()) for part in (first, second) if part]
    return must(*words, *(Figure(float(part.split("%")[0]) / 100, "fraction") for part in (first, second) if part))


def followers(record: Record, model: str, advisor: str = "") -> Expected:
    """How many accounts follow a model, of the firm or of an advisor's households; or how many households."""
    rows = record.accounts[record.accounts["model_id"] == model]
    if advisor:
        rows = rows[rows["household_id"].map(record.households["advisor_id"]) == advisor]
    return must(Figure(len(rows), "count", ("account",)))


def composite_return(record: Record, model: str, span: str, measure: str = "net") -> Expected:
    """A composite's return over a span: "quarter", "year", "years_1", "years_3", "years_5" or "since"."""
    track = next(one for one in record.performance.tracks if one.key == model)
    over = next(one for one in track.spans(record.performance.sessions) if one.name == span)
    if measure == "excess":
        net, against = over.returned(track.net), over.returned(track.benchmark)
        gross = over.returned(track.gross)
        return Expected(
            (
                (_ahead(net - against),),
                (_ahead(gross - against), says("gross", "before fees")),
                (Figure(net, "fraction"), Figure(against, "fraction")),
            )
        )
    return must(_return(over.returned(getattr(track, measure))))


def _ahead(value: float) -> Figure:
    better, worse = (
        ("ahead", "above", "beat", "outperform", "+", "better", "more"),
        ("behind", "below", "trail", "lag", "underperform", "-", "worse", "less"),
    )
    return Figure(value, "fraction", *((better, worse) if value > 0 else (worse, better)))


def _return(value: float) -> Figure:
    """A return with its sign, or a word for it."""
    lost = ("lost", "loss", "fell", "down", "-", "negative", "declin")
    made = ("gained", "earned", "rose", "up", "+", "return", "made")
    return Figure(value, "fraction", *((lost, ("gained", "rose", "+")) if value < 0 else (made, ("lost", "fell", "-"))))


def account_return(record: Record, account: str, span: str) -> Expected:
    """An account's time-weighted return over a span, after fees or before them."""
    review = record.performance
    place = review.net.account_ids.get_loc(account)
    ways = []
    for fees, words in ((review.net, ()), (review.gross, ("gross", "before fees"))):
        daily = pd.Series(fees.daily[place], index=review.sessions[1:])
        over = next(one for one in review.tracks[0].spans(review.sessions) if one.name == span)
        way: Way = (_return(over.returned(daily)),)
        ways.append((*way, says(*words)) if words else way)
    return Expected(tuple(ways))
