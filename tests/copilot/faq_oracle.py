"""What a right answer to a question of the FAQ set must contain, worked out apart from the code that answers.

Figures come straight from the firm's tables by plain arithmetic, from the frozen `Proposal`, and from the measured
performance chapter: never from the room that is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.copilot import faq_clients, faq_drift, faq_models, faq_tax
from tests.copilot.faq_reading import Expected, has, must, says, shown
from tests.copilot.faq_record import Record, demo_record

Verdict = Literal["right", "wrong", "escalated"]
ANSWERED = "answered"
#: The file of each split: what the copilot may be tuned on, and what it is only measured on.
FILES = {"development": "faq.yml", "test": "faq_test.yml"}
#: By the name an entry gives: every public function of the oracles' modules.
ORACLES: dict[str, Callable[..., Expected]] = {
    name: function
    for module in (faq_clients, faq_drift, faq_models, faq_tax)
    for name, function in vars(module).items()
    if callable(function) and function.__module__ == module.__name__ and not name.startswith("_")
}


def entries() -> list[dict[str, Any]]:
    """Return the questions of both files, in order, each with the `split` its file is for."""
    found: list[dict[str, Any]] = []
    for split, name in FILES.items():
        rows = yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
        found += [{"split": split, **row} for row in rows]
    return found


def judge(entry: Mapping[str, Any], answer_text: str, status: str, record: Record | None = None) -> Verdict:
    """Judge one answer: `status` is the copilot's ("answered", or a way of not answering).

    `right`: answered with every required figure and word, or, for a passage, on its subject. `wrong`: answered with
    anything else, answered where it should have escalated, or refused with a sum or rate that nobody asked about.
    `escalated`: anything else. `record` is the demo firm's unless given.
    """
    if status != ANSWERED:
        return "wrong" if _volunteers(answer_text, str(entry["question"])) else "escalated"
    if entry["expect"] == "escalate":
        return "wrong"
    wanted = expected(entry, record)
    if any(has(answer_text, item) for item in wanted.forbidden):
        return "wrong"
    return "right" if any(all(has(answer_text, item) for item in way) for way in wanted.ways) else "wrong"


def _volunteers(text: str, question: str) -> bool:
    """Whether an answer that is none shows a sum or a rate that the question did not."""
    asked = {one.value for one in (*shown(question, "usd"), *shown(question, "fraction"), *shown(question, "count"))}
    return any(one.value not in asked for one in (*shown(text, "usd"), *shown(text, "fraction")))


def expected(entry: Mapping[str, Any], record: Record | None = None) -> Expected:
    """Return what a right answer to an entry must contain.

    Raises `KeyError` for an entry that names an oracle there is none of.
    """
    if entry["expect"] == "passage":
        return must(says(*entry["keywords"]))
    return ORACLES[entry["oracle"]](record or demo_record(), **entry.get("arguments", {}))
