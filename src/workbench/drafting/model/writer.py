"""The optional writer: a language model rewords a finished draft, and may do nothing else.

The template's draft is always made first. The model is sent its skeleton, so placeholders instead of values, and what
each placeholder measures, of what (clients masked) and which way round; it returns a skeleton. That one is refused for
any figure, name or day of its own, an unknown or missing placeholder, and wherever the finished text is not wholly
supported. It is asked once more with the reasons; then the template's draft serves, and says why.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

from workbench.drafting.draft import Draft, Writing
from workbench.drafting.facts import Fact, FactSheet
from workbench.drafting.lexicon import lexicon
from workbench.drafting.model.endpoint import Message
from workbench.drafting.model.masking import Mask
from workbench.drafting.placeholders import PLACEHOLDER, fill, mentioned, prose
from workbench.drafting.spelling import FORMATS, spelled
from workbench.drafting.verifying.spans import bare
from workbench.drafting.verifying.verify import verify
from workbench.errors import DraftError, EndpointError, FactError
from workbench.report.format import visible

PROMPT = "rewrite"
#: A reply: paragraphs, characters of one, and how much longer than the template's text the whole may be.
_MOST_PARAGRAPHS, _LONGEST, _MORE = 400, 4_000, 1.5
#: Marks of links, markup and code; none has a place in a draft.
_MARKS = re.compile(r"[<>`@\\]|\]\(|://|\*\*|__|\bwww\.", re.IGNORECASE)
_QUOTATION = re.compile(r"> \{f:[^{}]+\}")
_SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+")
#: Words that promise what nobody can (FINRA Rule 2210(d)(1)): a model may not bring them in.
_PROMISES = re.compile(
    r"\b(?:guarantee[ds]?|promise[ds]?|risk-?free|certain(?:ly|ty)?|surely|assure[ds]?|always|never|best|safest?|sure)\b",
    re.I,
)
#: Reasons sent back with the second question.
_TOLD = 12

#: Signs beyond ASCII that plain English is set in.
_TYPOGRAPHY = dict.fromkeys(map(ord, "\u2013\u2014\u2018\u2019\u201c\u201d\u00a0\u2026\u00b7\u2212"), " ")

Ask = Callable[[Sequence[Message]], str]


@dataclass(frozen=True)
class Model:
    """Who rewords: the function that asks it, its name and parameters for the record, whether client notes are sent."""

    ask: Ask
    name: str
    parameters: str = ""
    send_notes: bool = False


class _RefusedError(DraftError):
    """A reply that may not be used, with every reason."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


def reworded(base: Draft, model: Model, mask: Mask) -> Draft:
    """Return a template's draft in a model's words, or the same draft with the reason why not.

    No reply raises. The record keeps prompt, model, parameters, what was sent (masked) and the last raw reply.
    """
    prompt = _prompt(PROMPT)
    asked = json.dumps(_question(base, mask, model.send_notes), ensure_ascii=False, sort_keys=True)
    made = Writing(
        "model", PROMPT, hashlib.sha256(prompt.encode()).hexdigest(), model.name, model.parameters, asked, "", ""
    )
    messages: list[Message] = [{"role": "system", "content": prompt}, {"role": "user", "content": asked}]
    why = ""
    for _ in range(2):
        try:
            reply = model.ask(messages)
        except EndpointError as error:
            why = str(error)
            break
        made = replace(made, raw_reply=reply)
        try:
            return _accepted(base, reply, made)
        except _RefusedError as refused:
            why = str(refused)
            again = "Refused. Correct this and answer anew:\n" + "\n".join(refused.reasons[:_TOLD])
            messages += [{"role": "assistant", "content": mask.masked(reply)}]
            messages += [{"role": "user", "content": mask.masked(again)}]
    fallback = replace(made, writer="template", name=base.made.name, name_hash=base.made.name_hash, fallback=why)
    return replace(base, made=fallback)


def _question(base: Draft, mask: Mask, send_notes: bool) -> dict[str, Any]:
    """What the model is sent: the skeleton block by block, and its facts without their values."""
    sheet = base.sheet
    facts = [sheet.fact(id) for id in mentioned(base.skeleton)]
    sent: dict[str, Any] = {
        "kind": base.kind,
        "paragraphs": [line for line in base.skeleton.splitlines() if line.strip()],
        "placeholders": [_described(fact, sheet, mask) for fact in facts],
    }
    if send_notes:
        sent["notes"] = [mask.masked(visible(str(fact.value))) for fact in facts if fact.kind == "quote"]
    return sent


def _described(fact: Fact, sheet: FactSheet, mask: Mask) -> dict[str, Any]:
    words = lexicon()
    return {
        "id": fact.id,
        "kind": fact.kind,
        "of": [mask.masked(visible(sheet.entity(key).names[0])) for key in fact.entity],
        "words": list(words.metrics[fact.metric].words),
        "ways": [list(words.directions[one].words) for one in fact.direction],
        "formats": [name for name in FORMATS[fact.kind] if name],
    }


def _accepted(base: Draft, reply: str, made: Writing) -> Draft:
    """Return the draft of a reply that holds to all rules. Raises `_RefusedError` with every rule it breaks."""
    paragraphs = _paragraphs(reply)
    reasons = [why for place, one in enumerate(paragraphs, 1) for why in _faults(one, place, base.sheet)]
    skeleton = _together(paragraphs)
    reasons += _placeholders_kept(base.skeleton, skeleton)
    reasons += _sentences_kept(base.skeleton, paragraphs)
    reasons += _sides_kept(base.skeleton, skeleton)
    if len(prose(skeleton)) > _MORE * len(prose(base.skeleton)) + 400:
        reasons.append("the text is much longer than the draft")
    for word in sorted(
        set(map(str.casefold, _PROMISES.findall(prose(skeleton))))
        - set(map(str.casefold, _PROMISES.findall(prose(base.skeleton))))
    ):
        reasons.append(f"the text promises ({word!r}) where the draft does not")
    if reasons:
        raise _RefusedError(reasons)
    text = fill(skeleton, base.sheet).text
    report = verify(text, base.sheet, base.skeleton)
    if report.faults:
        # The model learns which placeholder and verdict, never a value.
        raise _RefusedError(
            [
                f"beside {', '.join(f'{{f:{id}}}' for id in fault.facts[:3]) or 'a word of your own'} the words are "
                f"{fault.verdict.value}"
                for fault in report.faults
            ]
        )
    return replace(base, skeleton=skeleton, text=text, report=report, made=made)


def _paragraphs(reply: str) -> list[str]:
    """The paragraphs of a reply that is exactly the JSON asked for. Raises `_RefusedError`."""
    try:
        found = json.loads(reply, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _RefusedError([f"the answer is not one JSON object ({type(error).__name__})"]) from error
    if not isinstance(found, dict) or found.keys() != {"paragraphs"} or not isinstance(found["paragraphs"], list):
        raise _RefusedError(['the answer is not {"paragraphs": [...]}'])
    paragraphs = found["paragraphs"]
    if not 0 < len(paragraphs) <= _MOST_PARAGRAPHS or not all(
        isinstance(one, str) and one.strip() and len(one) <= _LONGEST for one in paragraphs
    ):
        raise _RefusedError(
            [f"paragraphs are 1 to {_MOST_PARAGRAPHS} texts of at most {_LONGEST:,} characters, none empty"]
        )
    return paragraphs


def _faults(paragraph: str, place: int, sheet: FactSheet) -> list[str]:
    """Every rule that one paragraph breaks by itself."""
    where = f"paragraph {place}"
    if visible(paragraph) != paragraph or "\n" in paragraph or "\t" in paragraph:
        return [f"{where} holds control characters or line breaks"]
    own = prose(paragraph)
    faults = [f"{where} writes {one.text[:40]!r} itself" for one in bare(own)]
    if paragraph.startswith("> "):
        if not _QUOTATION.fullmatch(paragraph):
            faults.append(f"{where} puts words into a quotation")
    elif _MARKS.search(own):
        faults.append(f"{where} holds markup, a link or code")
    if not own.replace("\N{OBJECT REPLACEMENT CHARACTER}", "").translate(_TYPOGRAPHY).isascii():
        faults.append(f"{where} holds letters of another language, or signs that are none")
    if "{" in own or "}" in own:
        faults.append(f"{where} holds a brace that is no placeholder")
    for found in PLACEHOLDER.finditer(paragraph):
        try:
            spelled(sheet.fact(found[1]), found[2] or "")
        except FactError:
            faults.append(f"{where} has the placeholder {visible(found[0])[:80]}, which there is not")
    return faults


def _placeholders_kept(before: str, after: str) -> list[str]:
    """What is missing of a draft's placeholders, or more than it had: a model may reword, not leave out or repeat."""
    wanted, given = (Counter(found[1] for found in PLACEHOLDER.finditer(text)) for text in (before, after))
    reasons = []
    if missing := [id for id in wanted if given[id] < wanted[id]]:
        reasons.append(f"these placeholders are missing: {', '.join(f'{{f:{id}}}' for id in missing)}")
    if more := [id for id in given if given[id] > wanted[id]]:
        reasons.append(
            f"these placeholders stand more often than in the draft: {', '.join(visible(id)[:60] for id in more)}"
        )
    return reasons


def _sentences_kept(before: str, paragraphs: Sequence[str]) -> list[str]:
    """Sentences without a placeholder that the draft does not hold: they would claim what no fact can be held to."""
    known = {_plain(sentence) for line in before.splitlines() for sentence in _sentences(line)}
    new = [
        one
        for line in paragraphs
        for one in _sentences(line)
        if not PLACEHOLDER.search(one) and _plain(one) not in known
    ]
    return [f"this sentence has no placeholder and is not the draft's: {one[:60]!r}" for one in new[:_TOLD]]


def _sides_kept(before: str, after: str) -> list[str]:
    """Which ways round and denials are more or fewer than in the draft: a sentence can be turned without a figure."""
    wanted, given = _sides(before), _sides(after)
    turned = sorted(side for side in wanted | given if wanted[side] != given[side])
    return [f"the text says {side!r} {given[side]} times, the draft {wanted[side]} times" for side in turned]


def _sides(text: str) -> Counter[str]:
    pattern, sides = _side_words()
    return Counter(sides[found[0].casefold()] for found in pattern.finditer(prose(text)))


@functools.cache
def _side_words() -> tuple[re.Pattern[str], dict[str, str]]:
    """Every word of a direction and of denial, longest first, and what each says."""
    sides = {word.casefold(): one.key for one in lexicon().directions.values() for word in one.words}
    sides |= dict.fromkeys(("not", "no", "never", "without", "neither", "nor", "cannot", "isn't", "don't"), "not")
    words = "|".join(re.escape(word) for word in sorted(sides, key=len, reverse=True))
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE), sides


def _sentences(line: str) -> list[str]:
    return [one for one in _SENTENCE_END.split(line.lstrip("#->| ")) if one.strip()]


def _plain(sentence: str) -> str:
    return " ".join(sentence.casefold().split()).rstrip(".!:;")


def _together(paragraphs: Sequence[str]) -> str:
    """One text of the paragraphs: bullets and rows under each other, all else apart."""
    text = ""
    for before, one in zip(["", *paragraphs], paragraphs):
        near = any(before.startswith(mark) and one.startswith(mark) for mark in ("- ", "| "))
        text += ("" if not text else "\n" if near else "\n\n") + one
    return text + "\n"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@functools.cache
def _prompt(name: str) -> str:
    return resources.files("workbench.drafting").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")
