"""The QuantStats adapter: no ticker, no fetching, no unescaped text, and a reason for every figure that differs."""

import builtins
import socket

import numpy as np
import pandas as pd
import pytest

from workbench.errors import MissingToolError, ParameterError
from workbench.performance import CONVENTIONS, statistics
from workbench.vendors import quantstats

DAYS = pd.bdate_range("2020-01-01", periods=600)


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(3)
    market = rng.standard_t(4, 600) * 0.007 + 3e-4
    return (
        pd.Series(0.8 * market + rng.normal(0, 0.003, 600), index=DAYS, name="<b>fund</b>"),
        pd.Series(market, index=DAYS, name="SPY"),
    )


@pytest.fixture
def offline(monkeypatch):
    """Any connection fails the test."""

    def refuse(*args, **kwargs):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("rate", [0.0, 0.03])
def test_every_figure_is_the_same_or_has_its_reason(series, offline, rate):
    returns, benchmark = series
    ours = statistics(returns, benchmark, rate=rate).values.iloc[:, 0]
    table = quantstats.compare(ours, returns, benchmark, rate=rate)
    assert set(table.index) <= set(CONVENTIONS)
    assert len(table) >= 17
    assert "not explained" not in set(table["why"])
    assert ((table["why"] == "") == table["same"]).all()
    always = {"information_ratio", "treynor", "value_at_risk", "expected_shortfall"}
    assert set(table.index[~table["same"]]) == (always | {"alpha"} if rate else always)
    # The gaps are what the reasons say.
    ratio = table.loc["information_ratio"]
    assert ratio["ours"] == pytest.approx(ratio["quantstats"] * np.sqrt(252))
    treynor = (ours["total_return"] - rate) / ours["beta"]
    assert table.loc["treynor", "quantstats"] == pytest.approx(treynor)


def test_a_gap_without_a_reason_is_said(series):
    returns, benchmark = series
    table = quantstats.compare(pd.Series({"volatility": 0.5, "hit_rate": 0.5}), returns, benchmark)
    assert table.index.tolist() == ["volatility"]
    assert table["why"].tolist() == ["not explained"]


def test_a_tearsheet_fetches_nothing_and_escapes_its_title(series, offline, tmp_path):
    returns, benchmark = series
    path = quantstats.tearsheet(
        returns, benchmark, tmp_path / "page.html", "<script>alert(1)</script> {{metrics}} & Co"
    )
    page = path.read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &#123;&#123;metrics&#125;&#125; &amp; Co" in page
    assert "<script>alert" not in page
    assert "<b>fund" not in page
    assert "not annualised" in page
    assert "BENCHMARK" in page
    assert '<link rel="shortcut icon" href="http' not in page
    assert " src=" not in page.replace(' src="data:', "")
    assert returns.name == "<b>fund</b>", "the caller's series is untouched"


def test_a_ticker_is_refused(series, tmp_path):
    returns, benchmark = series
    for bad in ("SPY", None, benchmark.to_frame(), benchmark.to_numpy()):
        with pytest.raises(ParameterError, match="must be a Series"):
            quantstats.tearsheet(returns, bad, tmp_path / "page.html", "Page")
    assert not list(tmp_path.iterdir())


def test_series_that_quantstats_would_misread_are_refused(series, tmp_path):
    returns, benchmark = series
    with pytest.raises(ParameterError, match="different days"):
        quantstats.figures(returns, benchmark.iloc[1:])
    with pytest.raises(ParameterError, match="none missing"):
        quantstats.figures(returns.where(returns.index != DAYS[4]), benchmark)
    with pytest.raises(ParameterError, match="for prices"):
        quantstats.figures(returns.abs() + 1.5, benchmark)
    with pytest.raises(ParameterError, match="days as its index"):
        quantstats.figures(returns.reset_index(drop=True), benchmark)


def test_without_the_package_the_error_says_what_to_install(series, monkeypatch):
    ordinary = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "quantstats":
            raise ImportError(name)
        return ordinary(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingToolError, match=r"workbench\[compare\]"):
        quantstats.figures(*series)
