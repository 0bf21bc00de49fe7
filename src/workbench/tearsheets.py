"""QuantStats' familiar tearsheet of a composite against its benchmark, with our figures beside its own."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd

from workbench import performance
from workbench.errors import FirmDataError, ParameterError
from workbench.exhibits.performance_review import ALL, Track, measure
from workbench.firm import open_at
from workbench.vendors import quantstats


@dataclass(frozen=True)
class Tearsheet:
    """The page written, and the table of `vendors.quantstats.compare`: ours, quantstats, same, why."""

    path: Path
    comparison: pd.DataFrame


def tearsheet(firm: str, model: str = ALL, *, as_of: str | None = None, out: Path = Path("reports")) -> Tearsheet:
    """Write the tearsheet of a model's composite, after fees and against its benchmark, since its record began.

    For comparison only: the committee's figures are those of the chapter `performance`. Ratios here take the risk-free
    rate as zero, and so differ from the chapter's where the firm keeps rates of bills. Raises `ParameterError` for a
    model without a record, naming those that have one, `FirmDataError` where it has no benchmark on some day, and as
    `vendors.quantstats.tearsheet` does.
    """
    book = open_at(firm, as_of or "latest")
    review = measure(book)
    track = next((track for track in review.tracks if track.key == model), None)
    if track is None:
        known = ", ".join(track.key for track in review.tracks) or "none"
        why = review.without.get(str(review.names.get(model, model)), "no account follows it")
        raise ParameterError(f"model {model!r} has no record ({why}); there are: {known}", "model")
    returns, benchmark = _since(track)
    ours = performance.statistics(returns, benchmark).values.iloc[:, 0]
    out.mkdir(parents=True, exist_ok=True)
    page = out / f"tearsheet-{_file_name(model)}-{book.as_of:%Y-%m-%d}-{book.content_hash[:8]}.html"
    quantstats.tearsheet(returns, benchmark, page, f"{track.name}, after fees, against its benchmark")
    return Tearsheet(page, quantstats.compare(ours, returns, benchmark))


def _since(track: Track) -> tuple[pd.Series, pd.Series]:
    """The days from the one on which the record runs without a hole."""
    returns = track.net[track.net.index > track.since]
    benchmark = track.benchmark.reindex(returns.index)
    if benchmark.isna().any():
        day = benchmark.index[benchmark.isna()][0]
        raise FirmDataError(
            f"{track.name} has no benchmark return on {day:%Y-%m-%d}; see sleeve_benchmarks, model_benchmarks and "
            "prices, or take an earlier day"
        )
    return returns, benchmark


def _file_name(model: str) -> str:
    """An identifier as a part of a file's name: letters and digits, and where it held more a few digits of its hash."""
    plain = "".join(letter for letter in model if letter.isascii() and letter.isalnum())
    return plain if plain == model else f"{plain}-{sha256(model.encode()).hexdigest()[:8]}".strip("-")
