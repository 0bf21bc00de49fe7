"""A random walk over the life of signals, with crashes, beside a little model that knows only the house's law.

    python -m benchmarks.governance_walk 100000 7          (steps, seed)

People of every role, deputies among them, do what comes to mind: right or wrong, on time or on what they saw yesterday,
while prices, modes and limits change, glass is broken, somebody leaves and the program falls over in mid-write. The
model keeps its own notes of who did what and holds every release against them: never without two people, one of them a
portfolio manager, never twice, never on changed inputs, never in a mode other than release, never past its day, never
on approvals of something else, of somebody who left, or half expired. Nor does one person alone loosen a limit.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, insert, select

from workbench.errors import AccessError, DecisionError, ParameterError
from workbench.governance import Store, Who, control_proposals, migrate, open_engine
from workbench.governance.audit.chain import Findings, follow, rows
from workbench.governance.break_glass import BreakGlass, ReviewBreakGlass
from workbench.governance.commands import (
    Acknowledge,
    AdoptControls,
    Approve,
    ChangeControls,
    Check,
    Command,
    Consent,
    Create,
    Document,
    Export,
    Fill,
    Finding,
    Override,
    Receipt,
    Reject,
    Release,
    Return,
    Revise,
    SeeInputs,
    SetMode,
    Submit,
    Summary,
    Sweep,
    Verdict,
    Withdraw,
)  # fmt: skip
from workbench.governance.controls import Controls
from workbench.governance.people import DeactivatePerson
from workbench.governance.roles import Role
from workbench.governance.states import Mode, State
from workbench.governance.tables import audit, break_glass, delegation, outbox, person, role_grant, signal

#: Steps on one database; then another one is begun, so that a long walk stays as quick as a short one.
EPISODE = 10_000
HOUSEHOLDS = 4
STAFF = {
    "nightly": "service", "ann": "analyst", "adam": "advisor", "paula": "portfolio_manager",
    "peter": "portfolio_manager", "pia": "portfolio_manager", "tom": "trader", "cleo": "compliance", "vera": "viewer",
    "carl": "compliance", "pam": "portfolio_manager", "otto": "administrator",
}  # fmt: skip
#: (deputy, for whom): one of them also deputises for somebody whose work they could check.
DEPUTIES = (("pia", "paula"), ("tom", "peter"), ("peter", "tom"))
WHO = (*(Who(name) for name in STAFF), *(Who(deputy, lender) for deputy, lender in DEPUTIES))
LARGE = Controls().second_approver_above
#: Who answers for investments; `pam` leaves during the walk.
_MANAGING = frozenset({"paula", "peter", "pia", "pam"})
STRICTNESS = (Mode.MONITOR, Mode.DRAFT, Mode.RELEASE)


class CrashError(Exception):
    """The program fell over."""


class BrokenLawError(AssertionError):
    """The law of the house was broken; the message holds the seed and the step."""


@dataclass
class Noted:
    """What the model knows of one signal, from the acts that were answered and nothing else."""

    signal_id: str
    household: str
    mode: Mode
    traded: int
    inputs: str
    state: str
    version: int
    sheet: str
    makers: set[str] = field(default_factory=set)
    #: (people, sheet, until, by broken glass)
    approvals: list[tuple[frozenset[str], str, datetime, bool]] = field(default_factory=list)
    overridden: bool = False
    releases: int = 0
    until: datetime | None = None


@dataclass
class World:
    """The model: inputs and modes of the day, and the signals."""

    inputs: dict[str, str]
    rollout: dict[str, Mode] = field(default_factory=dict)
    #: Traded cents from which two approve, and for how many hours they do.
    large: int = LARGE
    hours: int = 24
    #: How often the limits were changed, and the looser ones that were proposed: by whom, on which change, what.
    limits: int = 0
    proposed: dict[str, tuple[frozenset[str], int, int]] = field(default_factory=dict)
    #: until when somebody holds a role by broken glass
    glass: dict[str, datetime] = field(default_factory=dict)
    #: who works here no longer
    gone: set[str] = field(default_factory=set)
    signals: dict[str, Noted] = field(default_factory=dict)

    def mode(self, noted: Noted) -> Mode:
        """Return the strictest mode of a signal's own, its account's and its model's."""
        set_for = [self.rollout[key] for key in (f"A-{noted.household}", "BAL") if key in self.rollout]
        return min([noted.mode, *set_for], key=STRICTNESS.index)

    def judge(self, noted: Noted, who: Who, command: Release, now: datetime) -> str | None:
        """Say what law a release breaks, None where it breaks none."""
        people = _persons(who)
        given = [a for a in noted.approvals if a[1] == command.sheet_hash]
        held = [a for a in given if a[2] > now]
        two = noted.traded >= self.large or noted.overridden or any(a[3] for a in held)
        needed = 2 if two else 1
        between = sum(len(a[0] & b[0]) for i, a in enumerate(held) for b in held[:i])
        others = [s for s in self.signals.values() if s.household == noted.household and s is not noted]
        broken = {
            "twice": noted.releases > 0,
            "without a maker": not noted.makers,
            "by a maker": bool(people & noted.makers),
            "approved by a maker": any(a[0] & noted.makers for a in held),
            "with too few approvals": len(held) < needed,
            "with one person as two approvers": between > 0,
            "without a manager's approval": not any(a[3] or a[0] & _MANAGING for a in held),
            "on approvals half expired": len(held) < len(given),
            "on the approval of somebody who left": any(a[0] & self.gone for a in held),
            "by somebody who left": bool(people & self.gone),
            "past its day": noted.until is not None and now >= noted.until,
            "by fewer than two people": len(people.union(noted.makers, *(a[0] for a in held))) < 2,
            "on changed inputs": self.inputs[noted.household] != noted.inputs,
            "in another mode": self.mode(noted) is not Mode.RELEASE,
            "of another sheet": command.sheet_hash != noted.sheet,
            "by a service": who.person_id == "nightly",
            "beside another of the household": any(
                s.state in ("released", "exported", "acknowledged", "partly_filled") for s in others
            ),
        }
        return next((name for name, is_so in broken.items() if is_so), None)


class Walk:
    """One episode: a store, the model, and dice."""

    def __init__(self, url: str, seed: int, crash_share: float = 0.02) -> None:
        self.dice = random.Random(seed)
        self.seed = seed
        self.now = datetime(2022, 12, 28, 15, tzinfo=UTC)
        self.crash_share = crash_share
        self.engine = open_engine(url)
        migrate(self.engine)
        self.store = self._open()
        self.world = World({f"H{i}": f"{i:064d}" for i in range(HOUSEHOLDS)})
        self.counts: Counter[str] = Counter()
        self.steps = self.asked = 0
        self._employ()

    def _open(self) -> Store:
        return Store(self.engine, lambda: self.now, "walk")

    def _employ(self) -> None:
        with self.store.writing() as unit:
            for name, role in STAFF.items():
                kind = "service" if role == "service" else "person"
                row = {"person_id": name, "name": name, "kind": kind, "active": 1, "created_at": unit.now}
                unit.connection.execute(insert(person), row)
                grant = {"grant_id": name, "person_id": name, "role": role, "book": "*", "granted_by": "setup"}
                unit.connection.execute(insert(role_grant), {**grant, "granted_at": unit.now})
            for number, (deputy, lender) in enumerate(DEPUTIES):
                row = {"delegation_id": str(number), "from_person": lender, "to_person": deputy, "reason": "holiday"}
                days = {"starts_at": unit.now, "ends_at": unit.now + timedelta(days=4000)}
                unit.connection.execute(insert(delegation), {**row, **days})

    def step(self) -> None:
        """Do one thing; hold what came of it against the model."""
        self.steps += 1
        self.now += timedelta(seconds=self.dice.choice((0, 1, 60, 3600)))
        if self.dice.random() < 0.002:
            self.now += timedelta(hours=self.dice.choice((8, 24, 130)))
        self.do(*self._idea())

    def do(self, who: Who, command: Command) -> None:
        """Ask for one act, with or without a crash; a refusal is an answer."""
        self.asked += 1
        key = f"{self.seed}-{self.asked}"
        crash = self.dice.random() < self.crash_share
        try:
            receipt = self._with_a_crash(who, command, key) if crash else self.store.perform(who, command, key)
        except (AccessError, DecisionError, ParameterError) as refusal:
            self.counts[f"refused: {type(refusal).__name__}"] += 1
            return
        self.counts[str(command.action)] += 1
        if self.dice.random() < 0.02:  # the answer was lost on its way: asked again
            again = self.store.perform(who, command, key)
            if again != replace(receipt, first=False):
                raise BrokenLawError(f"seed {self.seed}, step {self.steps}: a repeated key was answered differently")
            self.counts["repeated"] += 1
        self._note(who, command, receipt)

    def _with_a_crash(self, who: Who, command: Command, key: str) -> Receipt:
        """Let the program fall over at some statement or after its commit, begin anew, and ask again."""
        try:
            with _crashing(self.engine, self.dice.randrange(1, 40)):
                self.store.perform(who, command, key)
                raise CrashError  # after the commit, before the answer
        except CrashError:
            self.counts["crashed"] += 1
        self.store = self._open()
        return self.store.perform(who, command, key)

    def _idea(self) -> tuple[Who, Command]:
        """Think of something to do: mostly of what comes next, by anybody."""
        who = self.dice.choice(WHO)
        draw = self.dice.random()
        if draw < 0.01:
            return Who("nightly"), self._prices()
        if draw < 0.013:
            return Who("cleo"), self._mode()
        if draw < 0.023:
            return Who("nightly"), Sweep()
        if draw < 0.03:
            return self._emergency()
        if draw < 0.034:
            return self._limit()
        recent = list(self.world.signals.values())[-3 * HOUSEHOLDS :]
        under_way = [noted for noted in recent if noted.state in _NEXT]
        if draw < 0.044 or len(under_way) < HOUSEHOLDS // 2:
            return Who("nightly") if self.dice.random() < 0.8 else who, self.proposal()
        noted = self.dice.choice(under_way if draw < 0.95 else recent)
        likely = _NEXT.get(noted.state, ())
        if likely and self.dice.random() < 0.9:
            kind, people = self.dice.choice(likely)
            if people and self.dice.random() < 0.85:
                who = self.dice.choice([one for one in WHO if one.person_id in people])
        else:
            kind = self.dice.choice(list(MAKE))
        return who, MAKE[kind](self, noted)

    def _emergency(self) -> tuple[Who, Command]:
        """Break the glass, look at it afterwards, change a limit; in the second half of an episode somebody leaves."""
        draw = self.dice.random()
        if draw < 0.4:
            name = self.dice.choice(("ann", "tom", "ann"))
            return Who(name), BreakGlass(Role.PORTFOLIO_MANAGER, "all the managers are out of reach today")
        if draw < 0.8:
            with self.store.reading() as connection:
                unseen = select(break_glass.c.grant_id).where(break_glass.c.reviewed_at.is_(None)).limit(1)
                grant = connection.execute(unseen).scalar() or "none"
            return Who("cleo"), ReviewBreakGlass(grant, "looked at what was done")
        if draw < 0.98 or self.steps < EPISODE // 2:
            return self._limit()
        return Who("otto"), DeactivatePerson("pam", "leaves the firm")

    def _limit(self) -> tuple[Who, Command]:
        """Set a limit, or confirm a looser one that somebody proposed now or long ago."""
        who = Who(self.dice.choice(("carl", "cleo", "carl", "cleo", "paula")))
        recent = list(self.world.proposed)[-2:]
        if recent and self.dice.random() < 0.6:
            return who, AdoptControls(self.dice.choice(recent))
        above = self.dice.choice((LARGE, LARGE, LARGE - 1))
        return who, ChangeControls((("second_approver_above", above),), "as it pleases")

    def _prices(self) -> SeeInputs:
        name = self.dice.choice(list(self.world.inputs))
        return SeeInputs(f"{self.steps:064d}", ((name, f"{self.dice.randrange(3):064d}"),))

    def _mode(self) -> SetMode:
        mode = self.dice.choice((Mode.RELEASE,) * 6 + (Mode.DRAFT, Mode.MONITOR))
        if self.dice.random() < 0.3:
            return SetMode("model", "BAL", mode, "as it pleases")
        return SetMode("account", f"A-H{self.dice.randrange(HOUSEHOLDS)}", mode, "as it pleases")

    def proposal(self) -> Create:
        """A proposal for some household, now and then on old inputs."""
        name = self.dice.choice(list(self.world.inputs))
        inputs = self.world.inputs[name] if self.dice.random() < 0.9 else "9" * 64
        mode = self.dice.choice((Mode.RELEASE,) * 8 + (Mode.DRAFT, Mode.MONITOR))
        body = f"{name}-{self.dice.randrange(50)}".encode()
        return Create(
            name, name, "ADV1", ("BAL",), (f"A-{name}",), "tax", mode, Document("package", "text/plain", body), None,
            inputs, "snapshot", self.summary(),
        )  # fmt: skip

    def summary(self) -> Summary:
        """Figures of a proposal, large or not."""
        return Summary("2022-12-28", 1, self.dice.choice((LARGE - 1, LARGE - 1, LARGE)), 0, 0, 0, 0)

    def _note(self, who: Who, command: Command, receipt: Receipt) -> None:
        """Write down what was answered; judge a release before it is written down."""
        if isinstance(command, SeeInputs):
            self.world.inputs.update(dict(command.inputs))
        elif isinstance(command, SetMode):
            self.world.rollout[command.key] = command.mode
        elif isinstance(command, ChangeControls):
            self._note_limit(who, dict(command.changes)["second_approver_above"], receipt)
        elif isinstance(command, AdoptControls):
            self._note_adopted(who, command)
        elif isinstance(command, BreakGlass):
            self.world.glass[who.person_id] = self.now + timedelta(minutes=60)
        elif isinstance(command, DeactivatePerson):
            self.world.gone.add(command.person_id)
        if isinstance(command, Create):
            self._note_new(who, command, receipt)
        elif isinstance(command, Release):
            noted = self.world.signals[receipt.object_id]
            broken = self.world.judge(noted, who, command, self.now)
            if broken:
                raise BrokenLawError(f"seed {self.seed}, step {self.steps}: released {broken}: {noted}")
            noted.releases += 1
        if receipt.object_kind == "signal":
            self._note_act(who, command, receipt)
        self._look(receipt.also, stand=isinstance(command, ChangeControls | AdoptControls))

    def _note_limit(self, who: Who, above: int, receipt: Receipt) -> None:
        """A stricter limit holds; a looser one is only written down."""
        if receipt.state == "proposed":
            with self.store.reading() as connection:
                newest = control_proposals.history(connection)[-1]
            self.world.proposed[newest.hash] = (_persons(who), self.world.limits, above)
            return
        if above > self.world.large:
            raise BrokenLawError(f"seed {self.seed}, step {self.steps}: {who} alone loosened a limit to {above}")
        self.world.large = above
        self.world.limits += 1

    def _note_adopted(self, who: Who, command: AdoptControls) -> None:
        """A looser limit holds: by two people, on the limits it was proposed for."""
        people, on, above = self.world.proposed[command.proposal]
        if people & _persons(who) or who.person_id not in ("carl", "cleo"):
            raise BrokenLawError(f"seed {self.seed}, step {self.steps}: {who} confirmed a limit of {sorted(people)}")
        if on != self.world.limits:
            raise BrokenLawError(f"seed {self.seed}, step {self.steps}: {who} confirmed a limit proposed for others")
        self.world.large = above
        self.world.limits += 1
        self.counts["limits loosened"] += 1

    def _note_new(self, who: Who, command: Create, receipt: Receipt) -> None:
        """A proposal that is new has a maker; who proposes what is there already changed nothing."""
        if receipt.object_id not in self.world.signals:
            self.world.signals[receipt.object_id] = Noted(
                receipt.object_id, command.household_id, command.mode, command.summary.traded, command.inputs_hash,
                receipt.state, receipt.version, receipt.sheet_hash, until=self.now + timedelta(days=5),
                makers=set() if who == Who("nightly") else set(_persons(who)),
            )  # fmt: skip

    def _note_act(self, who: Who, command: Command, receipt: Receipt) -> None:
        noted = self.world.signals[receipt.object_id]
        noted.state, noted.version, noted.sheet = receipt.state, receipt.version, receipt.sheet_hash
        if isinstance(command, Submit | Revise | Consent):
            noted.makers |= _persons(who)
        if isinstance(command, Approve):
            if any(until <= self.now for _, _, until, _ in noted.approvals):
                noted.approvals.clear()  # they fall together
            until = self.now + timedelta(hours=self.world.hours)
            broken = who.on_behalf_of is None and self.world.glass.get(who.person_id, self.now) > self.now
            noted.approvals.append((_persons(who), command.sheet_hash, until, broken))
        if isinstance(command, Check):
            noted.inputs = command.inputs_hash
        if isinstance(command, Check | Consent):
            noted.overridden = False
        if isinstance(command, Override):
            noted.overridden = True
        if isinstance(command, Revise):
            noted.traded, noted.overridden = command.summary.traded, False
        if isinstance(command, Withdraw | Return | Reject):
            noted.approvals.clear()

    def _look(self, touched: tuple[str, ...], *, stand: bool) -> None:
        """Read signals that another act touched, as a person would look at them anew; do their approvals stand?"""
        if not touched:
            return
        with self.store.reading() as connection:
            for row in connection.execute(select(signal).where(signal.c.signal_id.in_(touched))):
                noted = self.world.signals[row.signal_id]
                noted.state, noted.version, noted.sheet = row.state, row.version, row.sheet_hash
                if not stand:
                    noted.approvals.clear()
                if row.state == State.DRAFT:
                    noted.overridden = False

    def finish(self) -> None:
        """Hold the whole database against the model, and the trail against itself."""
        findings = Findings([])
        with self.store.reading() as connection:
            records = sum(1 for _ in follow(rows(connection), findings))
            states = {row.signal_id: (row.state, row.version) for row in connection.execute(select(signal))}
            messages = connection.execute(select(outbox.c.body).where(outbox.c.topic == "signal.released")).scalars()
            told = Counter(json.loads(body)["signal_id"] for body in messages)
            done = select(audit.c.object_id).where(audit.c.action == "release", audit.c.outcome == "done")
            recorded = Counter(connection.execute(done).scalars())
        released = Counter({s.signal_id: s.releases for s in self.world.signals.values() if s.releases})
        if not (told == recorded == released) or max(released.values(), default=1) > 1:
            raise BrokenLawError(
                f"seed {self.seed}: releases in outbox, trail and model differ: {told} {recorded} {released}"
            )
        if states != {s.signal_id: (s.state, s.version) for s in self.world.signals.values()}:
            raise BrokenLawError(f"seed {self.seed}: the database and the model differ")
        if findings.total:
            raise BrokenLawError(f"seed {self.seed}: the chain is not whole: {findings.kept[0]}")
        self.counts["records"] += records
        self.engine.dispose()


def _persons(who: Who) -> frozenset[str]:
    return frozenset({who.person_id, who.on_behalf_of or who.person_id})


def _version(walk: Walk, noted: Noted) -> int:
    return noted.version - (walk.dice.random() < 0.05)


def _sheet(walk: Walk, noted: Noted) -> str:
    return (
        noted.sheet if walk.dice.random() < 0.95 else walk.dice.choice([s.sheet for s in walk.world.signals.values()])
    )


def _check(walk: Walk, noted: Noted) -> Check:
    verdict: Verdict = walk.dice.choice(("pass",) * 9 + ("warn", "block", "not_assessable"))
    found = (Finding("cash", 1, verdict, "0.01", "0.02", "Cash.", walk.dice.random() < 0.8),)
    inputs = walk.world.inputs[noted.household] if walk.dice.random() < 0.95 else "8" * 64
    body = f"{verdict}-{noted.signal_id}".encode()
    return Check(
        noted.signal_id, _version(walk, noted), Document("preflight", "text/plain", body), found, inputs, "rules"
    )


def _revise(walk: Walk, noted: Noted) -> Revise:
    body = Document("package", "text/plain", f"{noted.household}-{walk.dice.randrange(10**6)}".encode())
    return Revise(noted.signal_id, _version(walk, noted), body, None, walk.summary(), "tax", "as it pleases")


#: What can be asked for, each of a signal as somebody saw it.
MAKE: dict[str, Callable[[Walk, Noted], Command]] = {
    "check": _check,
    "revise": _revise,
    "consent": lambda w, n: Consent(n.signal_id, _version(w, n), f"A-{n.household}", "letter"),
    "override": lambda w, n: Override(n.signal_id, _version(w, n), "cash", 1, "as it pleases"),
    "submit": lambda w, n: Submit(n.signal_id, _version(w, n), _sheet(w, n)),
    "withdraw": lambda w, n: Withdraw(n.signal_id, _version(w, n), "as it pleases"),
    "approve": lambda w, n: Approve(n.signal_id, _version(w, n), _sheet(w, n)),
    "return": lambda w, n: Return(n.signal_id, _version(w, n), "tax", "as it pleases"),
    "reject": lambda w, n: Reject(n.signal_id, _version(w, n), "tax", "as it pleases"),
    "release": lambda w, n: Release(n.signal_id, _version(w, n), _sheet(w, n)),
    "export": lambda w, n: Export(n.signal_id, _version(w, n), "7" * 64),
    "acknowledge": lambda w, n: Acknowledge(n.signal_id, _version(w, n), "reference"),
    "fill": lambda w, n: Fill(n.signal_id, _version(w, n), w.dice.random() < 0.7, 100, "reference"),
}
_MANAGERS = ("paula", "peter", "pia", "pam", "cleo", "carl")
#: What comes next in each state, and who would do it.
_NEXT: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "draft": (*(("check", ("nightly",)),) * 9, ("consent", ("adam",))),
    "checked": (*(("submit", ("ann", "paula")),) * 6, *(("override", ("cleo",)),) * 2, ("revise", ("ann", "paula"))),
    "submitted": (*(("approve", _MANAGERS),) * 9, ("return", _MANAGERS), ("withdraw", ("ann",))),
    "approved": (*(("release", ("tom", "peter", "paula")),) * 9, ("release", ()), ("withdraw", ("ann",))),
    "returned": (("check", ("nightly",)), ("revise", ("ann", "paula")), ("reject", _MANAGERS)),
    "released": (("export", ("nightly",)), ("release", ())),
    "exported": (("fill", ("nightly",)), ("acknowledge", ("nightly",)), ("release", ())),
    "acknowledged": (("fill", ("nightly",)),),
    "partly_filled": (("fill", ("nightly",)),),
}


@contextmanager
def _crashing(engine: Engine, after: int) -> Iterator[None]:
    """Let the connection fall over at its n-th statement from now."""
    left = [after]

    def count(*_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise CrashError

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)


def walk(steps: int, seed: int = 1, url: str = "sqlite://") -> dict[str, Any]:
    """Walk so many steps and count what happened. Raises `BrokenLawError` with seed and step where a law was broken.

    Every 10,000 steps begin a new database where `url` is SQLite in memory; another one is walked in one go.
    """
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    taken = 0
    while taken < steps:
        size = min(EPISODE, steps - taken) if url == "sqlite://" else steps
        episode = Walk(url, seed * 1_000_003 + taken)
        for _ in range(size):
            episode.step()
        episode.finish()
        counts += episode.counts
        taken += size
    seconds = time.perf_counter() - began
    return {"steps": taken, "seconds": round(seconds, 1), "laws_broken": 0, **dict(sorted(counts.items()))}


def main() -> None:
    """Print what a walk met, as JSON."""
    steps, seed = (int(given) for given in (*sys.argv[1:3], *("10000", "1")[len(sys.argv) - 1 :]))
    print(json.dumps(walk(steps, seed), indent=1))


if __name__ == "__main__":
    main()
