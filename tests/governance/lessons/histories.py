"""Small histories of decisions, to the row."""

from __future__ import annotations

from workbench.governance.lessons.frames import COLUMNS, Decisions, frame

RULEBOOK = """# The house's rules.
rulebook: test
version: 3
rules:
  - id: weight
    version: 2   # raised in spring
    overridable: true
    parameters: {limit: 0.1, per_level: {high: 0.3}}
  - id: legal
    version: 1
    overridable: false
    parameters:
      limit: 0.5
"""


def history(**rows):
    """Decisions with the rows given, columns not named empty, and nothing else."""
    frames = {name: frame(name, [{**dict.fromkeys(columns), **row} for row in rows.get(name, [])])
              for name, columns in COLUMNS.items()}  # fmt: skip
    return Decisions(frames, "2022-12-28T23:00:00.000000Z", 7, "a" * 64, "b" * 64)


def signal(number, outcome="released", **changed):
    """A signal that ended."""
    return {"signal_id": f"s{number}", "book": "ADV1", "policy": "p", "as_of": "2022-06-01", "outcome": outcome,
            "returned": 0, "revised": 0, **changed}  # fmt: skip


def block(number, value=0.12, limit=0.1, *, overridden=True, person="P1", rule="weight", version=2, **changed):
    """A block on signal `number`."""
    by = {"person": person, "role": "compliance"} if overridden else {"person": None, "role": None}
    return {"signal_id": f"s{number}", "rule_id": rule, "rule_version": version, "verdict": "block",
            "value": str(value), "limit": str(limit), "overridable": True, "overridden": overridden,
            **by, **changed}  # fmt: skip
