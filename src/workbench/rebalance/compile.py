"""Compiles the kernels once, as part of the set-up, so that the first proposal does not wait for it.

    python -m workbench.rebalance.compile

Households of both kinds of a small demo firm are proposed for: kept to their model, and harvested.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from workbench.firm.demo import build_firm
from workbench.rebalance import Settings, blocks, load, orders, propose


def compile_kernels(folder: Path) -> None:
    """Use every kernel once, on the smallest demo firm, built in `folder`."""
    book = load(build_firm(folder / "firm", accounts=24))
    for settings in (Settings(), Settings(view="account"), Settings(mode="harvest")):
        proposals = [propose(household, settings) for household in book]
        blocks(orders(proposals), adv=dict(zip(book.market.ids, book.market.adv)))


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        compile_kernels(Path(temporary))
