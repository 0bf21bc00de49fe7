"""Compiles the kernels once, as part of the set-up, so that the first report does not wait for it in every kernel.

    python -m workbench.drift.compile

numba keeps what it compiled beside the source; without this step the first use of each kernel takes a few seconds.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from workbench.drift.load import load
from workbench.drift.measure import measure
from workbench.drift.review import review
from workbench.firm import open_firm
from workbench.firm.demo import build_firm
from workbench.market import factor_model, price_history, total_returns


def compile_kernels(folder: Path) -> None:
    """Use every kernel once, on the smallest demo firm, built in `folder`."""
    firm = build_firm(folder / "firm", accounts=24)
    review(open_firm(firm.folder))
    returns = total_returns(price_history(firm.table("prices"))).iloc[-252:]
    model = factor_model(returns.drop(columns="CASH"), factors=2)
    measure(load(firm, factor_model=model), covariance=model)


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        compile_kernels(Path(temporary))
