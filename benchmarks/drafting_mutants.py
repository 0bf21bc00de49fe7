"""The verifier against altered drafts: the share caught of each kind, false alarms, ordinary edits that pass, time.

    python -m benchmarks.drafting_mutants                # a table
    python -m benchmarks.drafting_mutants --json         # one object, for a machine
    python -m benchmarks.drafting_mutants --quick        # a few drafts of each kind of paper

Every paper of the demo firm is drafted, mutated (`drafting_mutations`) and verified. Mutants that still state facts
by an oracle of their own are left out. `verify_ms` is the median of a paper's first verification against its sheet,
`verify_memo_ms` that of the committee's memo, both in time of the processor.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from benchmarks.drafting_mutations import mark, mutants
from workbench import firm as firms
from workbench.drafting import Draft, verify
from workbench.drafting.verifying.naming import shown
from workbench.papers import alerts, client, commentary, memo, notice, talking_points

QUICK = 8


def papers(quick: bool = False) -> Iterator[Draft]:
    """Return the drafts of every paper of the demo firm; `quick` takes a few households only."""
    firm = firms.open_at("demo", None)
    households = tuple(sorted(firm.table("households")["household_id"].astype(str)))[: QUICK if quick else None]
    yield from client.drafts(firm, households=households)
    yield from talking_points.drafts(firm, households=households)
    yield from notice.drafts(firm, preview=True)
    yield from alerts.drafts(firm)
    yield from commentary.drafts(firm)
    yield from memo.drafts(firm)


def measure(quick: bool = False, most: int = 2) -> dict[str, object]:
    """Return the figures by name; `most` is the number of mutants of each kind and draft."""
    drafts = list(papers(quick))
    tried, caught, passed, edits = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for draft in drafts:
        for mutant in mutants(draft, most):
            if not mutant.equivalent:
                tried[mutant.kind] += 1
                caught[mutant.kind] += not verify(mutant.text, draft.sheet).supported
        for kind, text in edited(draft):
            edits[kind] += 1
            passed[kind] += verify(text, draft.sheet).supported
    return {
        "drafts": len(drafts),
        "mutants": tried.total(),
        "mutants_caught": round(caught.total() / tried.total(), 5),
        "by_kind": {kind: round(caught[kind] / tried[kind], 5) for kind in sorted(tried)},
        "false_alarms": sum(not draft.report.supported for draft in drafts),
        "edits_passed": {kind: round(passed[kind] / edits[kind], 4) for kind in sorted(edits)},
        **times(drafts),
    }


def times(drafts: Iterable[Draft]) -> dict[str, float]:
    """Return the median milliseconds of first verifications: of all papers, and of the longest kind read by people."""
    took: dict[str, list[float]] = {}
    for draft in drafts:
        # A sheet of another key has another hash: nothing kept from an earlier verification serves this one.
        fresh = replace(draft.sheet, key=draft.sheet.key + ".timed")
        assert fresh.hash != draft.sheet.hash
        start = time.process_time()
        verify(draft.text, fresh)
        took.setdefault(draft.kind, []).append((time.process_time() - start) * 1000)
    every = [one for some in took.values() for one in some]
    return {
        "verify_ms": round(statistics.median(every), 2),
        **{f"verify_{kind}_ms": round(statistics.median(some), 2) for kind, some in sorted(took.items())},
    }


def edited(draft: Draft) -> Iterator[tuple[str, str]]:
    """Return a draft as people edit it without changing what it says, by the kind of edit."""
    text = draft.text
    blocks = text.split("\n\n")
    yield "greeting", "Good morning,\n\n" + text
    yield "closing", text + "\nPlease call me with any questions. I look forward to hearing from you.\n"
    paragraphs = [i for i, block in enumerate(blocks) if block[:1] not in "#-|>" and not block.rstrip().endswith(":")]
    if len(paragraphs) > 2:
        i = paragraphs[len(paragraphs) // 2]
        yield "paragraph left out", "\n\n".join([*blocks[:i], *blocks[i + 1 :]])
    pairs = [i for i in paragraphs if i + 1 in paragraphs]
    if pairs:
        i = pairs[0]
        yield "paragraphs reordered", "\n\n".join([*blocks[:i], blocks[i + 1], blocks[i], *blocks[i + 2 :]])
    if "'" in text:
        yield "typographic apostrophes", text.replace("'", "\u2019")
    yield "synonyms", re.sub(r"\bpropose\b", "suggest", re.sub(r"\bin all\b", "altogether", text))
    yield "hyphens and blanks", text.replace("%", " %").replace(" bp", "\u00a0bp")
    for place in mark(draft).figures():
        said = text[place.start : place.end]
        if re.fullmatch(r"\$\d{1,3}(?:,\d{3})+", said):
            rounded = f"about ${round(place.fact.magnitude, 2 - len(str(int(place.fact.magnitude)))):,.0f}"
            yield "rounded with about", text[: place.start] + rounded + text[place.end :]
            break
    if shown(text) != text and "**" not in text:
        yield "lines joined", re.sub(r"(?<=[a-z,])\n(?=[a-z])", " ", text)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one object")
    parser.add_argument("--quick", action="store_true", help="a few drafts of each kind of paper")
    parser.add_argument("--most", type=int, default=2, help="mutants of each kind and draft")
    options = parser.parse_args()
    figures = measure(options.quick, options.most)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        if isinstance(value, dict):
            print(name)
            for kind, share in value.items():
                print(f"  {kind:32} {share:.4f}")
        else:
            print(f"{name:34} {value}")


if __name__ == "__main__":
    main()
