"""Three hundred household briefs, HTML and PDF, on two worker processes.

    python -m benchmarks.briefs            # a line
    python -m benchmarks.briefs --json     # one object, for a machine

The proposals are the demo firm's, repeated under other identifiers until there are 300. What is timed: putting them
into words, fitting them to the page, writing page, PDF and index; not what made the proposals.
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
from workbench.exhibits.brief import INDEX_COLUMNS, brief
from workbench.exhibits.household_file import household_files
from workbench.firm import open_at
from workbench.report.brief import write_briefs

COUNT, WORKERS = 300, 2


def measure() -> dict[str, float]:
    """Return seconds of the wall clock for 300 briefs, milliseconds of processor time for one, and kilobytes of a PDF.

    The wall clock needs idle cores; processor time of all processes, their start included, is fair on a busy machine.
    """
    firm = open_at("demo")
    proposals = [rebalance.propose(household) for household in rebalance.load(firm)]
    files = household_files(firm)
    start, used = time.perf_counter(), _processor()
    views = []
    for place in range(COUNT):
        proposal = proposals[place % len(proposals)]
        household = f"{proposal.household_id}-{place // len(proposals)}"
        views.append(brief(replace(proposal, household_id=household), files[proposal.household_id]))
    with tempfile.TemporaryDirectory() as folder:
        written = write_briefs(Path(folder), views, columns=INDEX_COLUMNS, workers=WORKERS)
        seconds, busy = time.perf_counter() - start, _processor() - used
        size = sum(path.stat().st_size for path in written.pdfs) / len(written.pdfs) / 1000
    return {"briefs_300_s": seconds, "brief_cpu_ms": busy / COUNT * 1000, "brief_pdf_kb": size}


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
        print(f"{COUNT} briefs, HTML and PDF, {WORKERS} workers: {figures['briefs_300_s']:.1f} s of the wall clock")
        print(f"a brief takes {figures['brief_cpu_ms']:.0f} ms of processor time")
        print(f"a PDF has {figures['brief_pdf_kb']:.0f} kB on average")


if __name__ == "__main__":
    main()
