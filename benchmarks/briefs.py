"""Three hundred household briefs, HTML and PDF, on two worker processes.

    python -m benchmarks.briefs            # a line
    python -m benchmarks.briefs --json     # one object, for a machine

The proposals are the demo firm's, repeated under other identifiers until there are 300. What is timed: putting them
into words, fitting them to the page, writing page, PDF and index; not what made the proposals.
"""

from __future__ import annotations

import argparse
import json
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
    """Return `briefs_300_s`, seconds of the wall clock for 300 briefs, and the size of a PDF in kilobytes."""
    firm = open_at("demo")
    proposals = [rebalance.propose(household) for household in rebalance.load(firm)]
    files = household_files(firm)
    start = time.perf_counter()
    views = []
    for place in range(COUNT):
        proposal = proposals[place % len(proposals)]
        household = f"{proposal.household_id}-{place // len(proposals)}"
        views.append(brief(replace(proposal, household_id=household), files[proposal.household_id]))
    with tempfile.TemporaryDirectory() as folder:
        written = write_briefs(Path(folder), views, columns=INDEX_COLUMNS, workers=WORKERS)
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in written.pdfs) / len(written.pdfs) / 1000
    return {"briefs_300_s": seconds, "brief_pdf_kb": size}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    figures = measure()
    if parser.parse_args().json:
        print(json.dumps(figures))
    else:
        print(f"{COUNT} briefs, HTML and PDF, {WORKERS} workers: {figures['briefs_300_s']:.1f} s")
        print(f"a PDF has {figures['brief_pdf_kb']:.0f} kB on average")


if __name__ == "__main__":
    main()
