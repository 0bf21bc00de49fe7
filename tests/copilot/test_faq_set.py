"""The FAQ set is well formed and can be judged: right answers pass; an altered figure, day or side does not."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.copilot.faq_oracle import ORACLES, entries, expected, judge
from tests.copilot.faq_reading import OVER, Day, Figure, Item, Way, Words, has, says, shown
from tests.copilot.faq_record import Record, demo_record
from workbench.firm import open_at, rmd

ENTRIES = entries()
ANSWERS = [entry for entry in ENTRIES if entry["expect"] == "answer"]
KEYS = {
    "answer": {"oracle", "arguments"},
    "passage": {"keywords"},
    "escalate": {"accept"},
}
NOT_ANSWERED = {"not_in_record", "passed_on", "which"}


def asked(oracle: str, **arguments: Any) -> dict[str, Any]:
    """An entry made up for one test."""
    return {"question": "How much?", "expect": "answer", "oracle": oracle, "arguments": arguments}


def written(item: Item) -> str:
    """A sentence that says one item, as plainly as can be."""
    if isinstance(item, Words):
        return f"{item.any_of[0].removeprefix('=')} {item.beside[0].removeprefix('=') if item.beside else ''}."
    if isinstance(item, Day):
        return f"{item.beside[0] if item.beside else ''} {item.day.day} {item.day:%B} {item.day.year}."
    side = next((word.removeprefix("=") for word in item.beside if word not in "+-"), "")
    value = abs(item.value)
    return {
        "usd": f"${value:,.2f} {side}.",
        "fraction": f"{value:.2%} {side}.",
        "count": f"{value:g} {side}.",
    }[item.unit]


def answer(way: Way) -> str:
    """A text that says every item of a way."""
    return "\n\n".join(written(item) for item in way)


def altered(item: Item) -> Item:
    """The same item with a figure or a day that is not the record's."""
    if isinstance(item, Day):
        return replace(item, day=item.day + timedelta(days=40))
    if isinstance(item, Figure):
        return replace(item, value=item.value + 3 if item.unit == "count" else item.value * 1.17 + 0.013)
    return item


def test_there_are_enough_questions_and_each_says_what_is_expected() -> None:
    for entry in ENTRIES:
        common = {"id", "split", "topic", "asker", "question", "expect"}
        assert set(entry) == common | KEYS[entry["expect"]], entry["id"]
        assert entry["asker"] in {None, "ADV1", "ADV2", "ADV3", "ADV4"}, entry["id"]
        assert entry["question"].strip() == entry["question"] != "", entry["id"]
        if entry["expect"] == "escalate":
            assert set() < set(entry["accept"]) <= NOT_ANSWERED, entry["id"]
    # A copilot that refuses everything, or answers everything, must fail.
    kinds = Counter(entry["expect"] for entry in ENTRIES)
    assert kinds["answer"] >= 200
    assert kinds["escalate"] >= 60


def test_identifiers_and_wordings_are_used_once() -> None:
    ids = Counter(entry["id"] for entry in ENTRIES)
    wordings = Counter(" ".join(re.findall(r"\w+|[^\w\s]+", entry["question"].lower())) for entry in ENTRIES)
    assert [one for one, times in (ids + wordings).items() if times > 1] == []


def test_no_test_question_is_a_development_question_about_another_account() -> None:
    masked: dict[str, set[str]] = {"development": set(), "test": set()}
    for entry in ENTRIES:
        words = re.findall(r"\w+", re.sub(r"[AH]\d{5}", "id", entry["question"], flags=re.I).lower())
        if words:
            masked[entry["split"]].add(" ".join(words))
    assert masked["development"] & masked["test"] == set()


def test_both_splits_ask_about_the_same_things_in_the_same_shares() -> None:
    shares = {}
    for split, least in (("development", 260), ("test", 120)):
        members = [entry for entry in ENTRIES if entry["split"] == split]
        assert len(members) >= least
        counts = Counter(key for entry in members for key in (entry["topic"], entry["expect"]))
        shares[split] = {key: count / len(members) for key, count in counts.items()}
    assert set(shares["test"]) == set(shares["development"])
    for key, share in shares["development"].items():
        assert shares["test"][key] == pytest.approx(share, abs=0.02), key


@pytest.mark.parametrize("split", ["development", "test"])
def test_every_oracle_is_asked(split: str) -> None:
    assert {entry["oracle"] for entry in ANSWERS if entry["split"] == split} == set(ORACLES)


def test_who_asks_for_an_answer_has_the_household_in_their_book() -> None:
    record = demo_record()
    scopes = record.table("restrictions").set_index("restriction_id")["scope_id"]
    for entry in ANSWERS:
        given = entry["arguments"]
        named = given.get("household") or given.get("account") or scopes.get(given.get("restriction"))
        if named is None or entry["asker"] is None:
            continue
        home = named if named.startswith("H") else record.accounts.loc[named, "household_id"]
        assert record.households.loc[home, "advisor_id"] == entry["asker"], entry["id"]


def test_no_escalation_of_the_book_is_about_the_askers_own_households() -> None:
    record = demo_record()
    for entry in ENTRIES:
        if entry["topic"] != "outside_book":
            continue
        for named in re.findall(r"\b[AH]\d{5}\b", entry["question"]):
            home = named if named.startswith("H") else record.accounts.loc[named, "household_id"]
            assert record.households.loc[home, "advisor_id"] != entry["asker"], entry["id"]


def test_ambiguous_names_are_of_several_households_of_the_book() -> None:
    homes = demo_record().households
    families = homes["name"].str.removeprefix("The ").str.removesuffix(" household")
    for entry in ENTRIES:
        if entry["topic"] == "ambiguous":
            mine = families[homes["advisor_id"] == entry["asker"]] if entry["asker"] else families
            counted = [int((mine == name).sum()) for name in set(families) if name in entry["question"]]
            assert all(count > 1 for count in counted), entry["id"]


def test_names_in_questions_to_be_answered_are_of_one_household_of_the_book() -> None:
    homes = demo_record().households
    families = homes["name"].str.removeprefix("The ").str.removesuffix(" household")
    for entry in ANSWERS:
        named = {name for name in set(families) if re.search(rf"\b{re.escape(name)}", entry["question"])}
        if not named or re.search(r"[AH]\d{5}", entry["question"]):
            continue
        mine = families[homes["advisor_id"] == entry["asker"]] if entry["asker"] else families
        assert [int((mine == name).sum()) for name in named] == [1], entry["id"]


@pytest.mark.parametrize("entry", ANSWERS, ids=lambda entry: entry["id"])
def test_each_way_of_answering_is_right_and_no_altered_figure_is(entry: dict[str, Any]) -> None:
    wanted = expected(entry)
    assert min(map(len, wanted.ways)) > 0, "an answer that must contain nothing is right whatever it says"
    for way in wanted.ways:
        assert judge(entry, answer(way), "answered") == "right", answer(way)
        changed = tuple(altered(item) for item in way)
        if changed != way:
            assert judge(entry, answer(changed), "answered") == "wrong", answer(changed)
    assert judge(entry, "There is something to be said.", "answered") == "wrong"
    assert judge(entry, "I will pass this on to a person.", "passed_on") == "escalated"


def test_a_figure_on_the_other_side_is_not_the_figure() -> None:
    sided = [
        item
        for entry in ANSWERS
        for way in expected(entry).ways
        for item in way
        if isinstance(item, Figure) and item.beside and item.never
    ]
    assert len(sided) > 100
    for item in sided:
        assert has(written(item), item)
        for side in item.never:
            turned = written(replace(item, beside=(side,))) if side not in "+-" else side + written(item)
            assert not has(turned, item), turned


def test_an_answer_where_none_is_due_is_wrong() -> None:
    entry = {"question": "Will the market fall?", "expect": "escalate", "accept": ["not_in_record"]}
    assert judge(entry, "Yes.", "answered") == "wrong"
    assert judge(entry, "That is not in the record.", "not_in_record") == "escalated"
    assert judge(entry, "That is not in the record; perhaps 5 %.", "not_in_record") == "wrong"


def test_a_refusal_may_repeat_the_figures_of_the_question() -> None:
    entry = {"question": "Raise the budget to $20,000", "expect": "escalate", "accept": ["passed_on"]}
    assert judge(entry, "I will pass on: raise the budget to $20,000.", "passed_on") == "escalated"
    assert judge(entry, "The budget is $5,000.", "passed_on") == "wrong"


def test_a_passage_is_right_on_its_subject_only() -> None:
    entry = {"question": "What is tracking error?", "expect": "passage", "keywords": ["tracking error"]}
    assert judge(entry, "Tracking error is the yearly spread of the difference.", "answered") == "right"
    assert judge(entry, "A wash sale is a loss taken away.", "answered") == "wrong"
    assert judge(entry, "I will pass this on.", "passed_on") == "escalated"


#: Answers as a person would write them, with figures read off the demo firm's pages.
RIGHT = [
    ("trade_count", {"household": "H00071"}, "The proposal for the Zimmerman household has 19 trades."),
    ("trade", {"account": "A00096", "security": "AMD"}, "It sells 3,001 shares of AMD for about $187.8 k."),
    ("refused", {"account": "A00155", "security": "AAPL"}, "Apple may not be sold: an inherited position."),
    ("refused", {"account": "A00029", "security": "MSFT"}, "A loss would be a wash sale until 27 January 2023."),
    ("proposal_tax", {"household": "H00043"}, "The trades save $35,394 of this year's tax."),
    ("proposal_tax", {"household": "H00043"}, "Their effect on this year's tax is −$35.4\u00a0k."),
    ("proposal_tax", {"household": "H00071"}, "The trades add $10,514 to this year's tax."),
    ("sale", {"account": "A00155", "security": "AAPL"}, "That would realise a long-term gain of $280,156."),
    ("sale", {"account": "A00006", "security": "USTS"}, "A sale inside an IRA is not taxed."),
    ("gain_budget", {"household": "H00042"}, "$7,681 of the budget of $50,000 is left."),
    ("gain_budget", {"household": "H00039"}, "The household has set no gain budget."),
    ("gain_budget", {"household": "H00067"}, "The budget of $25,000 is used up: it is exceeded by $37,287."),
    ("realised", {"household": "H00003"}, "Short-term losses of $4,912 and long-term gains of $36,775."),
    ("realised", {"household": "H00003"}, "| Term | Gain |\n|---|---|\n| Short | −$4,912 |\n| Long | $36,775 |"),
    ("realised", {"household": "H00003"}, "Gain or loss: $31,863.07 net."),
    ("carryforward", {"household": "H00008"}, "$8,098 of short-term and $21,575 of long-term losses."),
    ("rmd", {"account": "A00006", "ask": "taken"}, "Nothing of it is outstanding."),
    ("carryforward", {"household": "H00128"}, "No losses were carried into 2022."),
    ("wash_until", {"household": "H00064", "security": "USTL", "kind": "no_buy"}, "Not until after 27 January 2023."),
    ("wash_until", {"household": "H00064", "security": "USTL", "kind": "no_buy"}, "From 28 January 2023 on."),
    ("rmd", {"account": "A00006"}, "$15,743.30 is required for 2022."),
    ("rmd", {"account": "A00254"}, "No distribution is required for 2022."),
    ("restrictions", {"household": "H00039"}, "Its holdings are screened for fossil fuel."),
    ("largest_changes", {"model": "GRO"}, "US equity falls by 4 points; International equity rises by 3 points."),
    ("benchmark", {"model": "BAL"}, "55 % global equity and 45 % Treasuries and bills."),
    ("composite_return", {"model": "GRO", "span": "year"}, "It lost 3.93 % after fees; its benchmark gained 0.81 %."),
    ("composite_return", {"model": "GRO", "span": "year"}, "Growth: −3.9 % year to date."),
    ("note", {"household": "H00028", "note": "N00179"}, "> Do not sell GE in A00067\n\nof 28 March 2022."),
]
WRONG = [
    ("trade_count", {"household": "H00071"}, "The proposal of 19 December has 20 trades."),
    ("trade", {"account": "A00096", "security": "AMD"}, "It buys 3,001 shares of AMD."),
    ("refused", {"account": "A00029", "security": "MSFT"}, "The gain budget stands against it."),
    ("proposal_tax", {"household": "H00043"}, "The trades cost $35,394 of tax."),
    ("sale", {"account": "A00155", "security": "AAPL"}, "That would realise a loss of $280,156."),
    ("gain_budget", {"household": "H00042"}, "$42,319 of the budget of $50,000 is left."),
    ("gain_budget", {"household": "H00067"}, "$37,287 remains."),
    ("realised", {"household": "H00003"}, "Short-term gains of $4,912 and long-term gains of $36,775."),
    (
        "wash_until",
        {"household": "H00064", "security": "USTL", "kind": "no_buy"},
        "It may be bought on 27 January 2023.",
    ),
    ("rmd", {"account": "A00254"}, "A distribution of $76,879 is due by 31 December 2022."),
    ("composite_return", {"model": "GRO", "span": "year"}, "It gained 3.93 % after fees."),
    ("composite_return", {"model": "GRO", "span": "year"}, "It lost 3.21 % after fees."),
    ("not_approved", {"model": "BAL"}, "Version 5 was approved on 14 February 2023."),
]


@pytest.mark.parametrize(("oracle", "arguments", "text"), RIGHT)
def test_what_a_person_would_write_is_right(oracle: str, arguments: dict[str, str], text: str) -> None:
    assert judge(asked(oracle, **arguments), text, "answered") == "right"


@pytest.mark.parametrize(("oracle", "arguments", "text"), WRONG)
def test_what_a_careless_person_would_write_is_wrong(oracle: str, arguments: dict[str, str], text: str) -> None:
    assert judge(asked(oracle, **arguments), text, "answered") == "wrong"


@pytest.mark.parametrize(
    "text",
    [
        "Information Technology is 21.0 % over its target.",
        "Account A00077 is 21.0\u00a0pp overweight in Information Technology.",
        "| Information Technology | +21.0 pp |",
        "| Sector | Weight | Target |\n|---|---|---|\n| Information Technology | 29.3 % | 8.3 % |",
        "A00077 stands above its target:\n\n- Information Technology 21.0 %\n- US equity 11.5 %",
        "Information Technology is overweight:\nit stands over its target\nby 21.0 points, not under it.",
        "Technology stands 2,100 bp above target.",
        "Its weight is 29.3 % against a target of 8.3 %.",
        "Treasuries are 3 % below target, while technology is 21.0 points above.",
    ],
)
def test_usual_spellings_of_a_deviation_are_read(text: str) -> None:
    entry = asked("deviation", account="A00077", level="sector", key="Information Technology")
    assert judge(entry, text, "answered") == "right"


@pytest.mark.parametrize(
    "text",
    [
        "Information Technology is 21.0 % under its target.",
        "| Information Technology | −21.0 pp |",
        "| Sector | Above target | Below target |\n|---|---|---|\n| Information Technology | none | 21.0 % |",
        "Information Technology is 20.9 % over its target.",
        "Information Technology is about 2 times its target.",
        "Information Technology is 21.0 % of the account.",
        "Its weight is 29.3 %.",
        "Health Care is over target; technology is 21.0 % below it.",
    ],
)
def test_a_wrong_figure_side_or_measure_of_a_deviation_is_wrong(text: str) -> None:
    entry = asked("deviation", account="A00077", level="sector", key="Information Technology")
    assert judge(entry, text, "answered") == "wrong"


def test_what_is_shown_may_be_rounded_but_not_vague() -> None:
    figure = Figure(9_358.0)
    assert has("It is $9,358.", figure)
    assert has("It is $9.4\u00a0k.", figure)
    assert not has("It is $9.3 k.", figure)
    assert not has("It is $0.01 m.", figure)
    assert not has("It is 9,358 shares.", figure)


def test_numbers_inside_identifiers_and_days_are_not_counts() -> None:
    assert [one.value for one in shown("H00042 and A00155 hold 19 lots", "count")] == [19.0]
    assert has("The proposal has nineteen... no, 19 trades.", Figure(19, "count", ("trade",)))
    assert not has("On 19 December nothing was done.", Figure(19, "count", ("trade",)))


def test_a_days_spelling_does_not_matter_but_the_day_does() -> None:
    entry = asked("effective", model="GRO")
    for text in ("Since 18 April 2022.", "2022-04-18", "April 18, 2022", "4/18/2022"):
        assert judge(entry, text, "answered") == "right"
    assert judge(entry, "Since 19 April 2022.", "answered") == "wrong"


def test_words_stand_at_the_beginning_of_a_word() -> None:
    assert has("It is overweight.", says("over"))
    assert not has("The stove is on.", says("over", *OVER[1:-1]))
    assert not has("A taxable account.", says("=tax"))


def test_year_end_values_agree_with_the_firm_of_that_day() -> None:
    """Taking transactions back by hand gives what opening the firm on that day gives."""
    record, eve = demo_record(), Record(open_at("demo", "2021-12-31"))
    for entry in ANSWERS:
        if entry["oracle"] == "rmd":
            account = entry["arguments"]["account"]
            before = ORACLES["value"](eve, account=account).ways[0][0]
            wanted = expected(entry, record).ways[0][0]
            if isinstance(wanted, Figure) and isinstance(before, Figure):
                born = record.accounts.loc[account, "owner_birth_date"]
                assert before.value / wanted.value == pytest.approx(rmd.divisor(born, 2022)), entry["id"]
