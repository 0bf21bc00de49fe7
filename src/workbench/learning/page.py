"""The model card as a page of Markdown, in which text of others stays text."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.learning.card import Card, Check, Feature
from workbench.learning.folder import APPROVAL


def stored_page(card: Card) -> bytes:
    """The page as it lies in a policy's folder, where it cannot say by whom it will be approved."""
    return page(card, f"only where {APPROVAL} lies beside this page; otherwise a draft").encode()


def page(card: Card, approval: str) -> str:
    """The card as Markdown; `approval` is the line of who approved it, empty for a draft."""
    won = sum(window.gain_bp > 0 for window in card.windows)
    parts = [
        f"# {plain(card.name)}",
        plain(card.purpose),
        _facts(card, approval),
        "## Data",
        _data(card),
        "## Inputs",
        _inputs(card),
        f"## Out of sample: better in {won} of {len(card.windows)} windows",
        _windows(card),
        "## Tests",
        _checks(card.tests),
        "## Controls",
        _checks(card.controls),
        "## Known failures",
        _list(card.known_failures),
        *(("## Notes", _list(card.notes)) if card.notes else ()),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(card: Card, approval: str) -> str:
    rows = (
        ("Verdict", card.verdict),
        ("Made", f"{card.made_on} by {card.maker}"),
        ("Approved", approval or "by nobody: a draft, to be run in shadow mode only"),
        ("Expires", f"{card.expires}; then {card.fallback.name} acts"),
        ("Fallback", _fallback(card)),
        ("Costs", card.costs),
        ("Trials", f"{card.trials:,} variants tried, failed ones counted"),
        ("Seeds", ", ".join(str(seed) for seed in card.seeds)),
        ("Made again by", card.command),
    )
    return table(("", ""), rows)


def _data(card: Card) -> str:
    head = ("set", "source", "days", "sessions", "what it leaves out", "SHA-256")
    rows = [
        (d.name, d.source, f"{d.first} to {d.last}", f"{d.sessions:,}", d.survivorship, d.sha256) for d in card.data
    ]
    return table(head, rows)


def _inputs(card: Card) -> str:
    if not card.features:
        return "Weights, target, covariance and costs only."
    head = ("feature", "of", "lag, sessions", "in training", "meaning")
    return table(head, [(f.name, f.of, f.lag, _range(card, f), f.meaning) for f in card.features])


def _windows(card: Card) -> str:
    head = ("universe", "days", "policy, bp a year", "rule", "rule, bp a year", "gain, bp")
    rows = [
        (w.universe, f"{w.first} to {w.last}", f"{w.policy_bp:.2f}", w.rule, f"{w.rule_bp:.2f}", f"{w.gain_bp:+.2f}")
        for w in card.windows
    ]
    return table(head, rows)


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {plain(line)}" for line in lines)


def _fallback(card: Card) -> str:
    """Name and what acts in truth: the name alone could say anything."""
    rule = card.fallback
    numbers = ", ".join(f"{number:.10g}" for number in rule.numbers)
    return f"{rule.name}; kind {rule.kind.lower()} ({numbers}); it looks every {rule.every} sessions"


def _range(card: Card, feature: Feature) -> str:
    found = [range_ for range_ in card.familiar.ranges if range_.feature == f"{feature.of} {feature.name}"]
    return f"{found[0].low:.4g} to {found[0].high:.4g}" if found else "not recorded"


def _checks(checks: Sequence[Check]) -> str:
    if not checks:
        return "None was run."
    rows = [
        (c.name, f"{c.value:.4g}", f"{c.threshold:.4g}", "passed" if c.passed else "FAILED", c.sentence) for c in checks
    ]
    return table(("", "value", "against", "", "in words"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, every cell escaped."""
    lines = [head, ["---"] * len(head), *([plain(str(cell)) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def plain(text: str) -> str:
    """Text as Markdown that renders as itself: on one line, with no markup, link or HTML of its own."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_{}[]|#!~$":  # the backslash first: the others bring one
        line = line.replace(mark, f"\\{mark}")
    return line
