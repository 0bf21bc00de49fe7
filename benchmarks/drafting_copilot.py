"""The copilot on its set of questions: how many are answered at once and right, how many wrong, and how fast.

    python benchmarks/drafting_copilot.py --json

Right answers are worked out in tests/copilot/faq_oracle.py from the firm's tables, apart from the code that answers.
Figures are of the test questions (faq_test.yml), those with `_development` of the ones it may be tuned on (faq.yml).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.copilot import faq_oracle  # noqa: E402
from workbench.copilot import Copilot, Scope  # noqa: E402


def measure() -> dict[str, Any]:
    """Ask every question once, after the analytics have run, and judge the answers by split."""
    started = time.perf_counter()
    copilot = Copilot.of("demo")
    copilot.warm()
    cold = time.perf_counter() - started
    judged: dict[str, Counter[str]] = {"development": Counter(), "test": Counter()}
    taken = []
    for entry in faq_oracle.entries():
        began = time.perf_counter()
        answer = copilot.ask(entry["question"], Scope(entry.get("asker")))
        taken.append(1_000 * (time.perf_counter() - began))
        verdict = faq_oracle.judge(entry, answer.text, answer.status)
        expects = "answerable" if entry["expect"] != "escalate" else "not_answerable"
        judged[entry["split"]][f"{expects}_{verdict}"] += 1
    found: dict[str, Any] = {
        "copilot_ms": round(median(taken), 1),
        "copilot_slowest_ms": round(max(taken)),
        "copilot_start_s": round(cold, 1),
    }
    for split, counts in judged.items():
        answerable = sum(count for name, count in counts.items() if name.startswith("answerable"))
        end = "" if split == "test" else "_development"
        found[f"copilot_questions{end}"] = sum(counts.values())
        found[f"copilot_answered{end}"] = round(counts["answerable_right"] / max(answerable, 1), 4)
        found[f"copilot_answered_of_all{end}"] = round(counts["answerable_right"] / max(sum(counts.values()), 1), 4)
        found[f"copilot_wrong{end}"] = sum(count for name, count in counts.items() if name.endswith("_wrong"))
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    found = measure()
    print(json.dumps(found) if arguments.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
