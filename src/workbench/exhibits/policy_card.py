"""A learned policy's card as a chapter: what it is for, what it was made from, how it was tested, where it fails."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.exhibits.drift_facts import absent, noun, plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.policy_facts import BP, DECISIONS, figure, house, sentence, upper
from workbench.exhibits.policy_folder import Shelf
from workbench.learning import registry
from workbench.learning.card import Check
from workbench.learning.registry import RegisteredPolicy
from workbench.report import Badge, CalloutBody, Column, Exhibit, Fact, ProseBody, Settings, Strong, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell, Paragraph, Tone

_FUNCTION = "learning.registry.load"
_STATUS: dict[str, tuple[str, Tone]] = {
    "approved": ("Approved: its signature was checked against the firm's keys.", "good"),
    "unchecked": ("Signed, but no keys were given to check the signature with: treat it as a draft.", "warning"),
    "draft": ("A draft: nobody has approved it, and it may run in shadow mode only.", "warning"),
    "expired": ("Expired: its fallback rule acts until it is tested anew.", "bad"),
}


def exhibits(shelf: Shelf, policy: RegisteredPolicy | None, origin: Origin) -> list[Exhibit]:
    """Every exhibit of a card, in reading order; where there is no policy, why."""
    if policy is None:
        why = " ".join(shelf.refused) or "No folder of policies was named: give one as the parameter policies."
        return [absent("policy-card", "No policy", why)]
    return [
        status(policy, origin),
        about(policy, origin),
        data(policy, origin),
        inputs(policy, origin),
        windows(policy, origin),
        checks("tests", "Tests", policy.card.tests, policy, origin),
        checks("controls", "Controls of the procedure", policy.card.controls, policy, origin),
        failures(policy),
    ]


def status(policy: RegisteredPolicy, origin: Origin) -> Exhibit:
    """The box at the top: may it act, until when, and what acts in its place."""
    words, tone = _STATUS[policy.status]
    card = policy.card
    lines: list[Paragraph] = [
        (Strong(f"{upper(policy.name)}. "), words),
        (f"Verdict of its tests: {DECISIONS[card.verdict][0]}.",),
        (
            f"It expires on {fmt.long_date(card.expires)}; then, and whenever its inputs are stale or unlike those it ",
            f"was trained on, the rule {card.fallback.name} acts.",
        ),
        *((house(event.sentence),) for event in policy.events),
    ]
    if card.made_on > origin.as_of:
        made = fmt.long_date(card.made_on)
        lines.append((f"It was made on {made}, after the day of this book: on that day nobody had it.",))
    title = {"approved": "May act", "unchecked": "Not checked", "draft": "Draft", "expired": "Expired"}[policy.status]
    return Exhibit(_id(policy, origin, "status"), title, CalloutBody(tone, tuple(lines)))


def about(policy: RegisteredPolicy, origin: Origin) -> Exhibit:
    """Purpose, maker, dates, costs, seeds, trials and the command that makes it again."""
    card = policy.card
    trials = _fact(policy, origin, "trials", card.trials, "count")
    approval = policy.approval
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Purpose", card.purpose),
        ("Made", f"{card.made_on} by {card.maker}"),
        ("Approved", f"{approval.day} by {approval.approver}" if approval else "By nobody"),
        ("Expires", card.expires),
        ("Falls back to", upper(card.fallback.name)),
        ("Looks", f"Every {plural(policy.spec.every, 'session')}"),
        ("Costs", card.costs),
        ("Seeds", f"{len(card.seeds)}: {', '.join(map(str, card.seeds))}"),
        ("Variants ever tried", trials.ref()),
        ("Content hash", policy.content_hash),
        ("Made again by", card.command),
        *(("Note", note) for note in card.notes),
    )
    columns = (Column("what", "What", emphasis=True), Column("card", "On the card"))
    return Exhibit(
        _id(policy, origin, "about"), "What it is", TableBody(columns, rows), "", _settings(policy, origin), (trials,)
    )  # fmt: skip


def data(policy: RegisteredPolicy, origin: Origin) -> Exhibit:
    """The prices it was trained on, and which losers they leave out."""
    columns = (
        Column("name", "Prices", emphasis=True), Column("source", "Source"), Column("days", "Days"),
        Column("sessions", "Sessions", "count"), Column("survivorship", "What they leave out"),
        Column("sha256", "SHA-256 begins"),
    )  # fmt: skip
    rows, facts = [], []
    for item in policy.card.data:
        facts.append(_fact(policy, origin, f"data.{origin.slug(item.name)}.sessions", item.sessions, "count"))
        days = f"{item.first} to {item.last}"
        rows.append((upper(item.name), item.source, days, facts[-1].ref(), item.survivorship, item.sha256[:12]))
    return Exhibit(
        _id(policy, origin, "data"), "What it was trained and judged on", TableBody(columns, tuple(rows)),
        "Prices of what still exists today flatter every rule; what each set leaves out is said beside it.",
        _settings(policy, origin), tuple(facts),
    )  # fmt: skip


def inputs(policy: RegisteredPolicy, origin: Origin) -> Exhibit:
    """What it looks at, how old that is when it acts, and the range it knows from training."""
    id, title = _id(policy, origin, "inputs"), "What it looks at"
    if not policy.card.features:
        return absent(id, title, "It looks at weights, targets, covariance and costs only.")
    known = {item.feature: item for item in policy.card.familiar.ranges}
    rows = []
    for feature in policy.card.features:
        found = known.get(f"{feature.of} {feature.name}")
        span = f"{figure(found.low)} to {figure(found.high)}" if found else "not on the card"
        rows.append(
            (
                upper(feature.name.replace("_", " ")),
                upper(feature.of),
                f"{plural(feature.lag, 'session')}",
                span,
                upper(feature.meaning),
            )
        )
    columns = (
        Column("name", "Input", emphasis=True), Column("of", "Of"), Column("lag", "Age when acted upon"),
        Column("range", "Seen in training"), Column("meaning", "Meaning"),
    )  # fmt: skip
    return Exhibit(
        id, title, TableBody(columns, tuple(rows)), "Inputs outside what was seen in training hand over to the rule.",
        _settings(policy, origin),
    )  # fmt: skip


def windows(policy: RegisteredPolicy, origin: Origin) -> Exhibit:
    """Every year out of sample: one mark a year and market, right of zero where the policy saves."""
    id, title = _id(policy, origin, "windows"), "Years that it had not seen"
    found = policy.card.windows
    if not found:
        return absent(id, title, "The card holds no year out of sample: it cannot be judged.")
    columns = (
        Column("universe", "Market", emphasis=True), Column("days", "Days"),
        Column("policy", "Policy", "bp", digits=2, note="trading cost and tracking loss a year"),
        Column("rule", "Rule chosen before"), Column("rule_bp", "Rule", "bp", digits=2),
        Column("gain", "Gain", "bp", digits=2),
    )  # fmt: skip
    rows, facts = [], []
    groups: dict[str, list[float]] = {}
    labels: dict[str, list[str]] = {}
    for position, window in enumerate(found, start=1):
        cells = []
        for name, value in (("policy", window.policy_bp), ("rule", window.rule_bp), ("gain", window.gain_bp)):
            facts.append(_fact(policy, origin, f"window.{position}.{name}", BP * value, "bp", digits=2))
            cells.append(facts[-1].ref())
        days = f"{window.first} to {window.last}"
        rows.append((upper(window.universe), days, cells[0], upper(window.rule), cells[1], cells[2]))
        groups.setdefault(upper(window.universe), []).append(BP * window.gain_bp)
        labels.setdefault(upper(window.universe), []).append(days)
    won = sum(window.gain_bp > 0 for window in found)
    takeaway = (
        f"It costs less than the rule chosen before in {won} of {plural(len(found), 'year')} that it had not seen."
    )
    body = figures.strip(
        groups, labels=labels, alt=takeaway, unit="bp", axis_title="Saved against the rule, a year",
        data=TableBody(columns, tuple(rows)),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, _settings(policy, origin), tuple(facts))


def checks(name: str, title: str, found: Sequence[Check], policy: RegisteredPolicy, origin: Origin) -> Exhibit:
    """Tests or controls as the card tells them: figure, threshold, passed or failed."""
    id = _id(policy, origin, name)
    if not found:
        return absent(id, title, f"The card tells of no {name}.")
    rows, facts = [], []
    for check in found:
        for part, value in (("value", check.value), ("threshold", check.threshold)):
            slug = f"{name}.{origin.slug(check.name)}.{part}"
            facts.append(_fact(policy, origin, slug, value, "number", text=figure(value)))
        badge = Badge("passed", "good") if check.passed else Badge("failed", "bad")
        rows.append((upper(check.name), facts[-2].ref(), facts[-1].ref(), badge, house(check.sentence)))
    columns = (
        Column("name", "Name", emphasis=True), Column("value", "Measured", "number"),
        Column("threshold", "Held against", "number"), Column("passed", "Result", "badge"),
        Column("sentence", "In words"),
    )  # fmt: skip
    failed = [check.name for check in found if not check.passed]
    takeaway = f"Failed: {sentence(failed)}." if failed else f"All {len(found)} {noun(len(found), 'is', 'are')} passed."
    return Exhibit(
        id, title, TableBody(columns, tuple(rows)), takeaway, _settings(policy, origin), tuple(facts)
    )  # fmt: skip


def failures(policy: RegisteredPolicy) -> Exhibit:
    """Where it is known to fail, as its maker wrote it down."""
    lines = tuple((line,) for line in policy.card.known_failures)
    return Exhibit(
        f"policy-card-{_short(policy)}-failures", "Where it is known to fail", ProseBody(lines, bullets=True)
    )


def _short(policy: RegisteredPolicy) -> str:
    return policy.content_hash[:8]


def _id(policy: RegisteredPolicy, origin: Origin, part: str) -> str:
    return f"policy-card-{_short(policy)}-{part}"


def _fact(
    policy: RegisteredPolicy, origin: Origin, name: str, value: float, unit: str, *,
    digits: int | None = None, text: str | None = None,
) -> Fact:  # fmt: skip
    source = f"card.json of policy {_short(policy)}"
    return Fact.of(
        f"policy-card.{_short(policy)}.{name}", value, unit, source=source, as_of=origin.as_of, digits=digits, text=text
    )


def _settings(policy: RegisteredPolicy, origin: Origin) -> Settings:
    return Settings(
        origin.as_of, "as its card tells", f"{registry.CARD} of the policy folder, content {_short(policy)}"
    )
