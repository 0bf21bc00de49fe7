"""Three hundred households' briefs and e-mails: drafted, verified and rendered, on two worker processes.

    python -m benchmarks.drafting_batch            # lines
    python -m benchmarks.drafting_batch --json     # one object, for a machine

The proposals are the demo firm's, repeated under other identifiers until there are 300. Timed are fact sheets, both
texts of each, their verification, and writing page, PDF, mail and Markdown of all; not what made the proposals.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from workbench import rebalance
from workbench.drafting.on_file import Extras
from workbench.exhibits.household_file import household_files
from workbench.firm import Firm, open_at
from workbench.papers.client import directory, papers
from workbench.papers.folder import write_papers

COUNT, WORKERS = 300, 2


def measure() -> dict[str, float]:
    """Return seconds of the wall clock and milliseconds of processor time a household, of drafting and in all.

    The wall clock needs idle cores; processor time of all processes, their start included, is fair on a busy machine.
    """
    firm = open_at("demo")
    proposals = [rebalance.propose(household) for household in rebalance.load(firm)]
    filed, named = _filed(firm, proposals), directory(firm)
    start, used = time.perf_counter(), _processor()
    made = list(papers(filed, named, workers=WORKERS))
    drafted, thought = time.perf_counter() - start, _processor() - used
    with tempfile.TemporaryDirectory() as folder:
        write_papers(Path(folder), made, workers=WORKERS)
        seconds, busy = time.perf_counter() - start, _processor() - used
    return {
        "briefs_300_s": seconds,
        "brief_with_email_cpu_ms": busy / COUNT * 1000,
        "drafting_300_s": drafted,
        "drafting_cpu_ms": thought / COUNT * 1000,
    }


def _filed(firm: Firm, proposals: list[rebalance.Proposal]) -> list[tuple[rebalance.Proposal, Extras]]:
    """Proposals under identifiers of their own until there are enough, each with what is on file of its household."""
    files = household_files(firm)
    taken = [(place // len(proposals), proposals[place % len(proposals)]) for place in range(COUNT)]
    return [
        (replace(proposal, household_id=f"{proposal.household_id}-{turn}"), files[proposal.household_id])
        for turn, proposal in taken
    ]


def _processor() -> float:
    """Return the seconds that this process and those it has ended took of the processor."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    figures = measure()
    if parser.parse_args().json:
        print(json.dumps(figures))
    else:
        print(f"{COUNT} briefs with e-mails, {WORKERS} workers: {figures['briefs_300_s']:.1f} s of the wall clock")
        print(f"a household takes {figures['brief_with_email_cpu_ms']:.0f} ms of processor time")
        print(
            f"drafting and verifying alone: {figures['drafting_300_s']:.1f} s, {figures['drafting_cpu_ms']:.0f} ms each"
        )


if __name__ == "__main__":
    main()
