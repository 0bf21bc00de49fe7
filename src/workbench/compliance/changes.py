"""A change of rules as something to review: what differs, and which past proposals would have been judged otherwise.

A person proposes a new rulebook; this compares it to the one in force, judges past proposals by both, each on the data
of its own day, and puts all of it on one page. Somebody else reads the page and adopts the rulebook or does not.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.canonical import canonical
from workbench.compliance.firm_view import FirmView
from workbench.compliance.orders import Orders
from workbench.compliance.outcome import Verdict
from workbench.compliance.preflight import Preflight, preflight
from workbench.compliance.rule import Rule
from workbench.compliance.rulebook import Rulebook
from workbench.errors import ParameterError

#: Rows of the table of past proposals that a page shows; it says how many there are.
SHOWN = 200
_ALWAYS = date(1900, 1, 1)
_COLUMNS = (
    "day", "household_id", "rule_id", "old_version", "new_version", "old_verdict", "new_verdict", "subject", "value",
    "old_limit", "new_limit", "reason",
)  # fmt: skip
Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class RuleChange:
    """One rule that differs: `fields` holds (field, old, new) as canonical JSON, "" where a side has none."""

    rule_id: str
    kind: Kind
    old_version: int | None
    new_version: int | None
    fields: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Past:
    """Proposals of one day with the firm as it was on that day, and the consents on record then."""

    view: FirmView
    orders: Orders
    consents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ChangeReport:
    """A change of rules with its effect on the past: `changes`, `rejudged` (a frame) and both rulebooks' hashes."""

    old: Rulebook
    new: Rulebook
    changes: tuple[RuleChange, ...]
    rejudged: pd.DataFrame
    judged: int
    reason: str

    def counts(self) -> pd.DataFrame:
        """How many past proposals each rule would have judged otherwise, by old and new verdict."""
        keys = ["rule_id", "old_verdict", "new_verdict"]
        return self.rejudged.groupby(keys, sort=True).size().rename("proposals").reset_index()

    def markdown(self) -> str:
        """The page that a reviewer reads."""
        return "\n".join(_page(self)) + "\n"


def rule_diff(old: Rulebook, new: Rulebook) -> tuple[RuleChange, ...]:
    """Return what differs between two rulebooks, rule by rule, in the order of identifiers.

    Raises `ParameterError` where a rule or the rulebook changed and its version was not raised: one version must mean
    one rule for ever, or past findings could not be read.
    """
    before, after = ({rule.rule_id: rule for rule in book} for book in (old, new))
    changes = []
    for rule_id in sorted(before.keys() | after.keys()):
        was, now = before.get(rule_id), after.get(rule_id)
        if was == now:
            continue
        fields_ = tuple(_differences(_content(was), _content(now)))
        if was is not None and now is not None and now.version <= was.version:
            names = ", ".join(name for name, _, _ in fields_ if name != "version") or "version"
            raise ParameterError(
                f"rule {rule_id} changed ({names}) and its version went from {was.version} to {now.version}; "
                f"make it {was.version + 1}",
                "version",
            )
        kind: Kind = "added" if was is None else "removed" if now is None else "changed"
        changes.append(RuleChange(rule_id, kind, was.version if was else None, now.version if now else None, fields_))
    if (changes or old.name != new.name) and new.version <= old.version:
        raise ParameterError(
            f"the rulebook changed and its version went from {old.version} to {new.version}; make it {old.version + 1}",
            "version",
        )
    return tuple(changes)


def rejudged(old: Rulebook, new: Rulebook, past: Sequence[Past]) -> pd.DataFrame:
    """Return the findings that would differ: one row a past proposal and rule whose verdict is not the same under both.

    Only rules that differ are judged. A rule counts as if it had been in force on every day: `since` says from when it
    binds, and the question here is what it would have said. A verdict is missing where the rulebook has no such rule;
    such a row is shown only if the other one finds something. Value, subject and reason are those of the new rule, of
    the old one where it was removed. Rows are ordered by how much worse the verdict gets.
    """
    changes = rule_diff(old, new)
    frames = [_compared(changes, old, new, one) for one in past]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(_COLUMNS))
    if frame.empty:
        return pd.DataFrame(columns=list(_COLUMNS))
    step = frame["new_verdict"].map(_severity) - frame["old_verdict"].map(_severity)
    order = frame.assign(_step=-step).sort_values(["_step", "rule_id", "day", "household_id"], kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def change_report(old: Rulebook, new: Rulebook, past: Sequence[Past], *, reason: str) -> ChangeReport:
    """Compare two rulebooks and judge the past by both; `reason` says why the change is proposed.

    Raises `ParameterError` as `rule_diff` does, and for a change without a reason.
    """
    if not reason.strip():
        raise ParameterError("a change of rules needs a reason; say in a sentence why it is proposed", "reason")
    judged = sum(len(one.orders) for one in past)
    return ChangeReport(old, new, rule_diff(old, new), rejudged(old, new, past), judged, " ".join(reason.split()))


def _compared(changes: Sequence[RuleChange], old: Rulebook, new: Rulebook, past: Past) -> pd.DataFrame:
    names = [change.rule_id for change in changes]
    before, after = _judged(old, names, past), _judged(new, names, past)
    parts = []
    for name in names:
        was, now = _column(before, name), _column(after, name)
        sides = [
            np.zeros(len(past.orders), np.int8) if one is None else one[0].verdict[:, one[1]] for one in (was, now)
        ]
        side = now if now is not None else was
        if side is None:
            continue
        made, r = side
        for i in np.flatnonzero(sides[0] != sides[1]).tolist():
            finding = made.finding(i, r)
            parts.append(
                (
                    str(past.view.as_of), made.households[i], name, _version(was), _version(now), _verdict(was, i),
                    _verdict(now, i), finding.subject, float(made.value[i, r]), _limit(was, i), _limit(now, i),
                    finding.reason,
                )
            )  # fmt: skip
    return pd.DataFrame(parts, columns=list(_COLUMNS))


def _judged(book: Rulebook, names: Sequence[str], past: Past) -> Preflight:
    rules = tuple(replace(rule, since=_ALWAYS) for rule in book if rule.rule_id in names)
    return preflight(past.view, past.orders, replace(book, rules=rules), consents=past.consents)


def _column(made: Preflight, rule_id: str) -> tuple[Preflight, int] | None:
    for place, rule in enumerate(made.rules):
        if rule.rule_id == rule_id:
            return made, place
    return None


def _version(side: tuple[Preflight, int] | None) -> int | None:
    return None if side is None else side[0].rules[side[1]].version


def _verdict(side: tuple[Preflight, int] | None, i: int) -> str:
    return "" if side is None else Verdict(int(side[0].verdict[i, side[1]])).name.lower()


def _limit(side: tuple[Preflight, int] | None, i: int) -> float:
    return float("nan") if side is None else float(side[0].limit[i, side[1]])


def _severity(verdict: str) -> int:
    return int(Verdict[verdict.upper()]) if verdict else 0


def _content(rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {}
    return {**asdict(rule), "since": rule.since.isoformat(), "parameters": dict(rule.parameters)}


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    before, after = dict(_leaves("", old)), dict(_leaves("", new))
    for name in sorted(before.keys() | after.keys()):
        if name != "rule_id" and before.get(name) != after.get(name):
            yield name, before.get(name, ""), after.get(name, "")


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every plain value of a nested record by its path, as canonical JSON; an empty list or record is one too."""
    inner = (
        {f"{name}.{key}" if name else str(key): item for key, item in value.items()}
        if isinstance(value, Mapping)
        else {f"{name}[{place}]": item for place, item in enumerate(value, start=1)}
        if isinstance(value, list | tuple)
        else {}
    )
    if inner:
        for path, item in inner.items():
            yield from _leaves(path, item)
    else:
        yield name, canonical(value).decode()


def _page(report: ChangeReport) -> Iterator[str]:
    old, new = report.old, report.new
    yield f"# Change of rules: {_cell(new.name)}, version {old.version} to {new.version}"
    yield ""
    yield f"Reason: {_cell(report.reason)}"
    yield ""
    yield f"Rules that differ: {len(report.changes)} of {len({r.rule_id for r in (*old, *new)})}. " + _effect(report)
    yield ""
    yield "## What differs"
    yield ""
    yield from _table(
        ("rule", "what", "version", "field", "old", "new"),
        (
            (c.rule_id, c.kind, _versions(c), name, was, now)
            for c in report.changes
            for name, was, now in (c.fields if c.kind == "changed" else (("", "", ""),))
        ),
    )
    yield "## How many past proposals"
    yield ""
    rows = report.counts().itertuples(index=False)
    yield from _table(("rule", "old verdict", "new verdict", "proposals"), (tuple(map(str, row)) for row in rows))
    yield "## Which ones"
    yield ""
    if len(report.rejudged) > SHOWN:
        yield f"The first {SHOWN} of {len(report.rejudged)}, those that get worst first."
        yield ""
    shown = report.rejudged.head(SHOWN)[["day", "household_id", "rule_id", "old_verdict", "new_verdict", "reason"]]
    yield from _table(
        ("day", "household", "rule", "old", "new", "what the rule says"),
        (tuple(map(str, row)) for row in shown.itertuples(index=False)),
    )
    yield "## The text"
    yield ""
    yield from _unified(old, new)
    yield ""
    yield f"Rulebook in force: {old.hash}  "
    yield f"Proposed rulebook: {new.hash}"


def _effect(report: ChangeReport) -> str:
    n = report.rejudged[["day", "household_id"]].drop_duplicates().shape[0]
    if not report.judged:
        return "No past proposal was judged, so the effect is not known."
    was, now = (report.rejudged[f"{side}_verdict"].map(_severity) >= Verdict.BLOCK for side in ("old", "new"))
    stopped, freed = int((now & ~was).sum()), int((was & ~now).sum())
    return (
        f"Of {report.judged:,} past proposals, {n:,} would have been judged differently by at least one rule. Findings "
        f"that stop a proposal: {stopped:,} more, {freed:,} fewer."
    )


def _versions(change: RuleChange) -> str:
    if change.kind == "changed":
        return f"{change.old_version} to {change.new_version}"
    return str(change.new_version if change.kind == "added" else change.old_version)


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    body = [f"| {' | '.join(_cell(text) for text in row)} |" for row in rows]
    if not body:
        yield "None."
    else:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from body
    yield ""


def _cell(text: object) -> str:
    """Text that cannot leave its cell: one line, and nothing that Markdown or HTML would read as markup."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return re.sub(r"([\\`*_\[\]<>|#&])", r"\\\1", plain).replace("\\<", "&lt;").replace("\\>", "&gt;")


def _unified(old: Rulebook, new: Rulebook) -> Iterator[str]:
    """The change of the source, comments and all, inside a fence that nothing in it can close."""
    lines = list(
        difflib.unified_diff(
            old.text.splitlines(), new.text.splitlines(), f"{old.name} {old.version}", f"{new.name} {new.version}",
            lineterm="",
        )
    )  # fmt: skip
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}diff"
    yield from lines or ["(the texts are the same)"]
    yield fence
