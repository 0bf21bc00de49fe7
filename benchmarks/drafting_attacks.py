"""A second, independent set of attacks on the verifier, and the edits that honest people make: what of it passes.

    python -m benchmarks.drafting_attacks [--most 2] [--drafts N] [--json] [--misses N]

Real drafts of every kind over the demo firm are altered kind by kind. Prints for each kind of attack how many of the
altered texts that no longer state facts were blocked, and for each kind of honest edit how many passed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks import drafting_attacks_figures, drafting_attacks_form, drafting_attacks_words, drafting_honest_edits
from benchmarks.drafting_mutations import Marked, mark
from workbench.drafting import Draft
from workbench.drafting.verifying.verify import verify
from workbench.firm import Firm, open_at

ATTACKS = {**drafting_attacks_figures.KINDS, **drafting_attacks_words.KINDS, **drafting_attacks_form.KINDS}
EDITS = drafting_honest_edits.KINDS
#: Drafts of one kind that are altered; there are fewer of the firm's own papers.
_DRAFTS = 25


@dataclass
class Tally:
    """How many altered texts of one kind were tried, how many were blocked, and those that slipped (or were held)."""

    tried: int = 0
    blocked: int = 0
    odd: list[tuple[Draft, str, str]] = field(default_factory=list, repr=False)


def drafts(firm: Firm, questions: Sequence[str] = ()) -> Iterator[Draft]:
    """Yield drafts of every kind over a firm: household papers, alerts, notices, commentaries, the memo, answers."""
    from workbench.papers import alerts, client, commentary, memo, notice, talking_points

    households = sorted(firm.table("households", ["household_id"])["household_id"].astype(str))[:_DRAFTS]
    for sheet in client.sheets(firm, households=households):
        yield client.email(sheet)
        yield client.brief(sheet)
        yield talking_points.talking_points(sheet)
    yield from alerts.drafts(firm)
    yield from notice.drafts(firm, preview=True)
    yield from commentary.drafts(firm)
    yield from memo.drafts(firm)
    yield from answers(firm, questions or _questions())


def answers(firm: Firm, questions: Sequence[str]) -> Iterator[Draft]:
    """Yield the drafts of the answers that are computed to these questions."""
    from workbench.copilot import copilot as room
    from workbench.drafting.writer import write

    made: list[Draft] = []

    def kept(*of: object, **how: object) -> Draft:
        made.append(write(*of, **how))  # type: ignore[arg-type]
        return made[-1]

    asked = room.Copilot(firm)
    room.write = kept
    try:
        for question in questions:
            asked.ask(question)
            yield from made
            made.clear()
    finally:
        room.write = write


def _questions() -> list[str]:
    from pathlib import Path

    import yaml

    rows = yaml.safe_load(Path("tests/copilot/faq.yml").read_text(encoding="utf-8"))
    return [row["question"] for row in rows]


def sample(origin: Sequence[Draft], most: int, seed: int) -> list[Draft]:
    """Return at most so many drafts of each kind of paper, drawn by the seed."""
    kinds: dict[str, list[Draft]] = {}
    for draft in origin:
        kinds.setdefault(draft.kind, []).append(draft)
    chosen = random.Random(seed)
    return [draft for found in kinds.values() for draft in chosen.sample(found, min(most, len(found)))]


def attacked(marked: Sequence[Marked], origin: Sequence[Draft], most: int, seed: int = 0) -> Mapping[str, Tally]:
    """Return for each kind of attack what became of its texts that no longer state facts."""
    found = {}
    for kind, make in ATTACKS.items():
        tally = found[kind] = Tally()
        for one, draft in zip(marked, origin, strict=True):
            chosen = random.Random(f"{seed}-{kind}-{draft.kind}-{draft.key}")
            texts = list(dict.fromkeys(text for text, same in make(one, chosen) if not same and text != one.text))
            chosen.shuffle(texts)
            for text in texts[:most]:
                tally.tried += 1
                if verify(text, one.sheet, draft.skeleton).supported:
                    tally.odd.append((draft, text, ""))
                else:
                    tally.blocked += 1
    return found


def edited(marked: Sequence[Marked], origin: Sequence[Draft], most: int, seed: int = 0) -> Mapping[str, Tally]:
    """Return for each kind of honest edit what became of it; `odd` are those held, with the reason."""
    found = {}
    for kind, make in EDITS.items():
        tally = found[kind] = Tally()
        for one, draft in zip(marked, origin, strict=True):
            chosen = random.Random(f"{seed}-{kind}-{draft.kind}-{draft.key}")
            texts = list(dict.fromkeys(text for text in make(one, chosen) if text != one.text))
            chosen.shuffle(texts)
            for text in texts[:most]:
                tally.tried += 1
                report = verify(text, one.sheet, draft.skeleton)
                if not report.supported:
                    tally.blocked += 1
                    first = report.faults[0]
                    tally.odd.append((draft, text, f"{first.text!r}: {first.reason}"))
    return found


def changed(draft: Draft, text: str) -> str:
    """Return the part of a text that differs from the draft, with a little around it."""
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(draft.text, text, strict=False))
    start = sum(1 for _ in pairs)
    back = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(draft.text[::-1], text[::-1], strict=False))
    end = len(text) - sum(1 for _ in back)
    return text[max(0, start - 60) : max(end, start) + 60]


def main() -> None:
    """Print the figures, and with --misses texts that slipped or were held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=2, help="altered texts of each kind a draft")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--misses", type=int, default=0, help="how many slipped or held texts to print a kind")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--drafts", type=int, default=0, help="alter so many drafts of each kind of paper only")
    asked = parser.parse_args()
    origin = list(drafts(open_at("demo", None)))
    if asked.drafts:
        origin = sample(origin, asked.drafts, asked.seed)
    report(origin, asked.most, asked.seed, asked.misses, asked.json)


def report(origin: Sequence[Draft], most: int, seed: int, misses: int, as_json: bool) -> None:
    """Alter these drafts and print what became of it."""
    marked = [mark(draft) for draft in origin]
    start = time.process_time()
    for one, draft in zip(marked, origin, strict=True):
        verify(one.text, one.sheet, draft.skeleton)
    each = (time.process_time() - start) / len(marked) * 1000
    attacks, edits = attacked(marked, origin, most, seed), edited(marked, origin, most, seed)
    tried, blocked = (sum(getattr(one, name) for one in attacks.values()) for name in ("tried", "blocked"))
    honest, held = (sum(getattr(one, name) for one in edits.values()) for name in ("tried", "blocked"))
    if as_json:
        shown = {
            "drafts": len(origin),
            "attacks": tried,
            "caught": blocked,
            "honest": honest,
            "held": held,
            "verify_ms": each,
            "by_attack": {kind: [one.blocked, one.tried] for kind, one in attacks.items()},
            "by_edit": {kind: [one.tried - one.blocked, one.tried] for kind, one in edits.items()},
        }
        print(json.dumps(shown, indent=2))
        return
    for title, tallies, passed in (("caught", attacks, False), ("passed", edits, True)):
        for kind, tally in tallies.items():
            good = tally.tried - tally.blocked if passed else tally.blocked
            print(f"{title} {kind:28} {good:6} of {tally.tried:6} {good / max(tally.tried, 1):8.2%}")
            for draft, text, reason in tally.odd[:misses]:
                print(f"    {draft.kind} {draft.key}: {changed(draft, text)!r} {reason}")
    print(
        f"caught {blocked} of {tried} ({blocked / tried:.2%}); honest edits passed {honest - held} of {honest}", end=" "
    )
    print(f"({1 - held / honest:.2%}); {each:.1f} ms a draft")


if __name__ == "__main__":
    main()
