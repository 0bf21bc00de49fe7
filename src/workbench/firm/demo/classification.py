"""What the demo firm knows of each security: names, sectors, costs, screens and substantially identical groups.

Facts a price file does not carry. Sectors are GICS sectors as of 2022; a fund of one sector carries it, a broad
equity fund is `Diversified`. Dividend yields, daily volumes and half-spreads are round figures for 2022, stated here
so that a reader can see and replace them. Two funds on the same index are in one `identical_group` with confidence
high; on different indices of one market, low: the law leaves the question open.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Half of the quoted spread as a fraction of the price, by kind of security.
HALF_SPREAD = {"stock": 0.00015, "etf": 0.0001, "fund": 0.0, "bond": 0.001, "cash": 0.0}


@dataclass(frozen=True)
class Classification:
    """The facts of one security beside its prices.

    `adv` is in shares a day, `expense_ratio` and `dividend_yield` are annual fractions; `months` are the calendar
    months with an ex-date, empty for a security that pays nothing.
    """

    security_id: str
    name: str
    kind: str
    asset_class: str
    sector: str
    region: str
    issuer_id: str
    expense_ratio: float = 0.0
    adv: float | None = None
    half_spread: float | None = None
    screens: tuple[str, ...] = ()
    identical_group: str | None = None
    identical_confidence: str | None = None
    simulated: bool = False
    dividend_yield: float = 0.0
    months: tuple[int, ...] = ()


_CYCLES = {0: (), 1: (1, 4, 7, 10), 2: (2, 5, 8, 11), 3: (3, 6, 9, 12)}


def _stock(
    ticker: str, name: str, sector: str, adv_million: float, dividend_yield: float, cycle: int, *screens: str,
    half_spread: float | None = None,
) -> Classification:  # fmt: skip
    return Classification(
        ticker, name, "stock", "US equity", sector, "North America", ticker, adv=adv_million * 1e6,
        half_spread=half_spread, screens=screens, dividend_yield=dividend_yield, months=_CYCLES[cycle],
    )  # fmt: skip


#: The 20 large caps of the skfolio wheel. The yield is the long-run one used to rebuild raw closes and dividends.
STOCKS = (
    _stock("AAPL", "Apple Inc.", "Information Technology", 85.0, 0.012, 2),
    _stock("AMD", "Advanced Micro Devices Inc.", "Information Technology", 85.0, 0.0, 0, half_spread=0.0003),
    _stock("BAC", "Bank of America Corp.", "Financials", 42.0, 0.018, 3),
    _stock("BBY", "Best Buy Co. Inc.", "Consumer Discretionary", 2.9, 0.026, 3, half_spread=0.0003),
    _stock("CVX", "Chevron Corp.", "Energy", 8.5, 0.036, 2, "fossil_fuel"),
    _stock("GE", "General Electric Co.", "Industrials", 6.0, 0.022, 3, "weapons"),
    _stock("HD", "Home Depot Inc.", "Consumer Discretionary", 3.9, 0.023, 3),
    _stock("JNJ", "Johnson & Johnson", "Health Care", 6.8, 0.028, 2),
    _stock("JPM", "JPMorgan Chase & Co.", "Financials", 12.0, 0.026, 1),
    _stock("KO", "Coca-Cola Co.", "Consumer Staples", 15.0, 0.030, 3),
    _stock("LLY", "Eli Lilly and Co.", "Health Care", 3.0, 0.029, 2),
    _stock("MRK", "Merck & Co. Inc.", "Health Care", 9.5, 0.034, 3),
    _stock("MSFT", "Microsoft Corp.", "Information Technology", 30.0, 0.018, 2),
    _stock("PEP", "PepsiCo Inc.", "Consumer Staples", 5.2, 0.028, 3),
    _stock("PFE", "Pfizer Inc.", "Health Care", 25.0, 0.036, 1),
    _stock("PG", "Procter & Gamble Co.", "Consumer Staples", 6.9, 0.028, 1),
    _stock("RRC", "Range Resources Corp.", "Energy", 4.5, 0.002, 3, "fossil_fuel", half_spread=0.0005),
    _stock("UNH", "UnitedHealth Group Inc.", "Health Care", 3.2, 0.013, 3),
    _stock("WMT", "Walmart Inc.", "Consumer Staples", 7.5, 0.021, 3, "tobacco"),
    _stock("XOM", "Exxon Mobil Corp.", "Energy", 20.0, 0.035, 2, "fossil_fuel"),
)


def _fund(
    ticker: str, name: str, asset_class: str, sector: str, region: str, issuer: str, expense_percent: float,
    group: str | None = None, confidence: str | None = None, screens: tuple[str, ...] = (),
) -> Classification:  # fmt: skip
    return Classification(
        ticker, name, "etf", asset_class, sector, region, issuer, expense_ratio=round(expense_percent / 100, 6),
        screens=screens, identical_group=group, identical_confidence=confidence,
    )  # fmt: skip


def _factor_fund(ticker: str, name: str, adv_million: float, dividend_yield: float) -> Classification:
    return Classification(
        ticker, name, "etf", "US equity", "Diversified", "North America", "iShares", expense_ratio=0.0015,
        adv=adv_million * 1e6, dividend_yield=dividend_yield, months=_CYCLES[3],
    )  # fmt: skip


#: The five factor funds of the skfolio wheel.
FACTOR_FUNDS = (
    _factor_fund("MTUM", "iShares MSCI USA Momentum Factor ETF", 0.9, 0.012),
    _factor_fund("QUAL", "iShares MSCI USA Quality Factor ETF", 1.7, 0.016),
    _factor_fund("SIZE", "iShares MSCI USA Size Factor ETF", 0.1, 0.016),
    _factor_fund("USMV", "iShares MSCI USA Min Vol Factor ETF", 3.2, 0.018),
    _factor_fund("VLUE", "iShares MSCI USA Value Factor ETF", 0.9, 0.024),
)


def _simulated(
    security_id: str, name: str, asset_class: str, sector: str, region: str, adv_million: float,
    dividend_yield: float, expense_ratio: float,
) -> Classification:  # fmt: skip
    return Classification(
        security_id, f"{name} (simulated)", "etf", asset_class, sector, region, "Simulated",
        expense_ratio=expense_ratio, adv=adv_million * 1e6, simulated=True,
        dividend_yield=dividend_yield, months=_CYCLES[3],
    )  # fmt: skip


_US, _BONDS = "North America", "Fixed income"

#: What the wheel lacks. Their price paths are a seeded process (see `market_data`), and their names say so.
SIMULATED = (
    _simulated("INTL", "International Developed Equity Fund", "International equity", "Diversified",
               "Developed ex North America", 10.0, 0.028, 0.0007),
    _simulated("EMRG", "Emerging Markets Equity Fund", "Emerging equity", "Diversified", "Emerging",
               9.0, 0.024, 0.0011),
    _simulated("USTL", "Long Treasury Fund", "Treasuries", _BONDS, _US, 15.0, 0.026, 0.0010),
    _simulated("USTS", "Short Treasury Fund", "Treasuries", _BONDS, _US, 4.0, 0.014, 0.0007),
    _simulated("TBIL", "Treasury Bill Fund", "Cash", "Cash", _US, 3.0, 0.008, 0.0010),
)  # fmt: skip

_USE, _REAL = "US equity", "Real assets"
_INT, _DEV = "International equity", "Developed ex North America"
_V, _I, _S, _Q, _C = "Vanguard", "iShares", "State Street", "Invesco", "Schwab"


def _sector_fund(ticker: str, sector: str, *screens: str) -> Classification:
    name = f"{sector} Select Sector SPDR ETF"
    return _fund(ticker, name, _USE, sector, _US, _S, 0.08, screens=screens)


#: Well-known exchange-traded funds, for a firm on the user's own price file.
ETFS = (
    _fund("SPY", "SPDR S&P 500 ETF Trust", _USE, "Diversified", _US, _S, 0.0945, "S&P 500", "high"),
    _fund("IVV", "iShares Core S&P 500 ETF", _USE, "Diversified", _US, _I, 0.03, "S&P 500", "high"),
    _fund("VOO", "Vanguard S&P 500 ETF", _USE, "Diversified", _US, _V, 0.03, "S&P 500", "high"),
    _fund("SPLG", "SPDR Portfolio S&P 500 ETF", _USE, "Diversified", _US, _S, 0.02, "S&P 500", "high"),
    _fund("VTI", "Vanguard Total Stock Market ETF", _USE, "Diversified", _US, _V, 0.03, "US total market", "low"),
    _fund("ITOT", "iShares Core S&P Total US Market ETF", _USE, "Diversified", _US, _I, 0.03, "US total market", "low"),
    _fund("SCHB", "Schwab US Broad Market ETF", _USE, "Diversified", _US, _C, 0.03, "US total market", "low"),
    _fund("IWM", "iShares Russell 2000 ETF", _USE, "Diversified", _US, _I, 0.19, "US small", "low"),
    _fund("IJR", "iShares Core S&P Small-Cap ETF", _USE, "Diversified", _US, _I, 0.06, "US small", "low"),
    _fund("VB", "Vanguard Small-Cap ETF", _USE, "Diversified", _US, _V, 0.03, "US small", "low"),
    _fund("IJH", "iShares Core S&P Mid-Cap ETF", _USE, "Diversified", _US, _I, 0.05),
    _fund("VTV", "Vanguard Value ETF", _USE, "Diversified", _US, _V, 0.03, "US large value", "low"),
    _fund("IWD", "iShares Russell 1000 Value ETF", _USE, "Diversified", _US, _I, 0.18, "US large value", "low"),
    _fund("VUG", "Vanguard Growth ETF", _USE, "Diversified", _US, _V, 0.03, "US large growth", "low"),
    _fund("IWF", "iShares Russell 1000 Growth ETF", _USE, "Diversified", _US, _I, 0.18, "US large growth", "low"),
    _fund("USMV", "iShares MSCI USA Min Vol Factor ETF", _USE, "Diversified", _US, _I, 0.15),
    _fund("MTUM", "iShares MSCI USA Momentum Factor ETF", _USE, "Diversified", _US, _I, 0.15),
    _fund("QUAL", "iShares MSCI USA Quality Factor ETF", _USE, "Diversified", _US, _I, 0.15),
    _fund("SIZE", "iShares MSCI USA Size Factor ETF", _USE, "Diversified", _US, _I, 0.15),
    _fund("VLUE", "iShares MSCI USA Value Factor ETF", _USE, "Diversified", _US, _I, 0.15),
    _fund("QQQ", "Invesco QQQ Trust", _USE, "Diversified", _US, _Q, 0.18),
    _fund("SCHD", "Schwab US Dividend Equity ETF", _USE, "Diversified", _US, _C, 0.06),
    _fund("VIG", "Vanguard Dividend Appreciation ETF", _USE, "Diversified", _US, _V, 0.04),
    _fund("EFA", "iShares MSCI EAFE ETF", _INT, "Diversified", _DEV, _I, 0.32, "Developed ex US", "low"),
    _fund("VEA", "Vanguard FTSE Developed Markets ETF", _INT, "Diversified", _DEV, _V, 0.03, "Developed ex US", "low"),
    _fund("IEFA", "iShares Core MSCI EAFE ETF", _INT, "Diversified", _DEV, _I, 0.07, "Developed ex US", "low"),
    _fund("ACWX", "iShares MSCI ACWI ex US ETF", _INT, "Diversified", "Global ex US", _I, 0.32,
          "All world ex US", "low"),
    _fund("VXUS", "Vanguard Total International Stock ETF", _INT, "Diversified", "Global ex US", _V, 0.05,
          "All world ex US", "low"),
    _fund("VWO", "Vanguard FTSE Emerging Markets ETF", "Emerging equity", "Diversified", "Emerging", _V, 0.06,
          "Emerging markets", "low"),
    _fund("IEMG", "iShares Core MSCI Emerging Markets ETF", "Emerging equity", "Diversified", "Emerging", _I, 0.09,
          "Emerging markets", "low"),
    _fund("EWJ", "iShares MSCI Japan ETF", _INT, "Diversified", _DEV, _I, 0.49),
    _fund("VT", "Vanguard Total World Stock ETF", _INT, "Diversified", "Global", _V, 0.06, "All world", "low"),
    _fund("ACWI", "iShares MSCI ACWI ETF", _INT, "Diversified", "Global", _I, 0.32, "All world", "low"),
    _fund("FXI", "iShares China Large-Cap ETF", "Emerging equity", "Diversified", "Emerging", _I, 0.73),
    _fund("AGG", "iShares Core US Aggregate Bond ETF", "Bonds", _BONDS, _US, _I, 0.03, "US aggregate bonds", "medium"),
    _fund("BND", "Vanguard Total Bond Market ETF", "Bonds", _BONDS, _US, _V, 0.03, "US aggregate bonds", "medium"),
    _fund("BIV", "Vanguard Intermediate-Term Bond ETF", "Bonds", _BONDS, _US, _V, 0.03),
    _fund("BSV", "Vanguard Short-Term Bond ETF", "Bonds", _BONDS, _US, _V, 0.03),
    _fund("LQD", "iShares iBoxx Investment Grade Corporate ETF", "Bonds", _BONDS, _US, _I, 0.14),
    _fund("VCIT", "Vanguard Intermediate-Term Corporate Bond ETF", "Bonds", _BONDS, _US, _V, 0.03),
    _fund("VCSH", "Vanguard Short-Term Corporate Bond ETF", "Bonds", _BONDS, _US, _V, 0.03),
    _fund("HYG", "iShares iBoxx High Yield Corporate ETF", "Bonds", _BONDS, _US, _I, 0.49, "US high yield", "low"),
    _fund("JNK", "SPDR Bloomberg High Yield Bond ETF", "Bonds", _BONDS, _US, _S, 0.40, "US high yield", "low"),
    _fund("EMB", "iShares JP Morgan USD Emerging Markets Bond ETF", "Bonds", _BONDS, "Emerging", _I, 0.39),
    _fund("BNDX", "Vanguard Total International Bond ETF", "Bonds", _BONDS, _DEV, _V, 0.07),
    _fund("MUB", "iShares National Muni Bond ETF", "Bonds", _BONDS, _US, _I, 0.05, "US municipal bonds", "low"),
    _fund("VTEB", "Vanguard Tax-Exempt Bond ETF", "Bonds", _BONDS, _US, _V, 0.03, "US municipal bonds", "low"),
    _fund("GOVT", "iShares US Treasury Bond ETF", "Treasuries", _BONDS, _US, _I, 0.05),
    _fund("TLT", "iShares 20+ Year Treasury Bond ETF", "Treasuries", _BONDS, _US, _I, 0.15, "Long Treasuries", "low"),
    _fund("VGLT", "Vanguard Long-Term Treasury ETF", "Treasuries", _BONDS, _US, _V, 0.03, "Long Treasuries", "low"),
    _fund("IEF", "iShares 7-10 Year Treasury Bond ETF", "Treasuries", _BONDS, _US, _I, 0.15),
    _fund("IEI", "iShares 3-7 Year Treasury Bond ETF", "Treasuries", _BONDS, _US, _I, 0.15),
    _fund("VGIT", "Vanguard Intermediate-Term Treasury ETF", "Treasuries", _BONDS, _US, _V, 0.03),
    _fund("SHY", "iShares 1-3 Year Treasury Bond ETF", "Treasuries", _BONDS, _US, _I, 0.15, "Short Treasuries", "low"),
    _fund("SCHO", "Schwab Short-Term US Treasury ETF", "Treasuries", _BONDS, _US, _C, 0.03, "Short Treasuries", "low"),
    _fund("VGSH", "Vanguard Short-Term Treasury ETF", "Treasuries", _BONDS, _US, _V, 0.03, "Short Treasuries", "low"),
    _fund("TIP", "iShares TIPS Bond ETF", "Treasuries", _BONDS, _US, _I, 0.18, "US TIPS", "low"),
    _fund("SCHP", "Schwab US TIPS ETF", "Treasuries", _BONDS, _US, _C, 0.03, "US TIPS", "low"),
    _fund("VTIP", "Vanguard Short-Term Inflation-Protected Securities ETF", "Treasuries", _BONDS, _US, _V, 0.03),
    _fund("VNQ", "Vanguard Real Estate ETF", _REAL, "Real Estate", _US, _V, 0.13, "US real estate", "low"),
    _fund("SCHH", "Schwab US REIT ETF", _REAL, "Real Estate", _US, _C, 0.07, "US real estate", "low"),
    _fund("IYR", "iShares US Real Estate ETF", _REAL, "Real Estate", _US, _I, 0.38, "US real estate", "low"),
    _fund("VNQI", "Vanguard Global ex-US Real Estate ETF", _REAL, "Real Estate", "Global ex US", _V, 0.12),
    _fund("GLD", "SPDR Gold Shares", _REAL, "Commodities", "Global", _S, 0.40, "Gold bullion", "high"),
    _fund("IAU", "iShares Gold Trust", _REAL, "Commodities", "Global", _I, 0.25, "Gold bullion", "high"),
    _fund("GLDM", "SPDR Gold MiniShares", _REAL, "Commodities", "Global", _S, 0.10, "Gold bullion", "high"),
    _fund("SLV", "iShares Silver Trust", _REAL, "Commodities", "Global", _I, 0.50),
    _fund("DBC", "Invesco DB Commodity Index Tracking Fund", _REAL, "Commodities", "Global", _Q, 0.85),
    _fund("PDBC", "Invesco Optimum Yield Diversified Commodity ETF", _REAL, "Commodities", "Global", _Q, 0.59),
    _fund("DBA", "Invesco DB Agriculture Fund", _REAL, "Commodities", "Global", _Q, 0.85),
    _fund("BIL", "SPDR Bloomberg 1-3 Month T-Bill ETF", "Cash", "Cash", _US, _S, 0.1353, "Treasury bills", "low"),
    _fund("SGOV", "iShares 0-3 Month Treasury Bond ETF", "Cash", "Cash", _US, _I, 0.09, "Treasury bills", "low"),
    _sector_fund("XLB", "Materials"),
    _sector_fund("XLC", "Communication Services"),
    _sector_fund("XLE", "Energy", "fossil_fuel"),
    _sector_fund("XLF", "Financials"),
    _sector_fund("XLI", "Industrials", "weapons"),
    _sector_fund("XLK", "Information Technology"),
    _sector_fund("XLP", "Consumer Staples", "tobacco"),
    _sector_fund("XLRE", "Real Estate"),
    _sector_fund("XLU", "Utilities", "fossil_fuel"),
    _sector_fund("XLV", "Health Care"),
    _sector_fund("XLY", "Consumer Discretionary"),
)  # fmt: skip

#: Substitutes in order of preference. Never a fund of the same index: that would be substantially identical.
SUBSTITUTES: dict[str, tuple[str, ...]] = {
    "KO": ("PEP",), "PEP": ("KO",), "XOM": ("CVX",), "CVX": ("XOM",), "JPM": ("BAC",), "BAC": ("JPM",),
    "PFE": ("MRK", "LLY"), "MRK": ("PFE", "JNJ"), "LLY": ("MRK",), "JNJ": ("MRK", "PFE"), "HD": ("BBY",),
    "BBY": ("HD",), "PG": ("KO", "PEP"), "WMT": ("PG",), "AAPL": ("MSFT",), "MSFT": ("AAPL",), "AMD": ("MSFT",),
    "UNH": ("JNJ",), "RRC": ("CVX",), "GE": ("QUAL", "VLUE"), "MTUM": ("QUAL",), "QUAL": ("MTUM", "USMV"),
    "USMV": ("QUAL",), "SIZE": ("VLUE",), "VLUE": ("SIZE",), "USTL": ("USTS",), "USTS": ("TBIL",),
    "INTL": ("EMRG",), "EMRG": ("INTL",),
    "VTI": ("SCHB", "VOO", "SPY"), "VOO": ("VTI", "SCHB"), "SPY": ("VTI", "SCHB"), "IWM": ("IJR", "VB"),
    "EFA": ("VEA", "IEFA"), "VEA": ("EFA", "IEFA"), "VWO": ("IEMG",), "AGG": ("BND", "GOVT"), "TLT": ("VGLT", "IEF"),
    "IEF": ("VGIT", "IEI"), "SHY": ("SCHO", "VGSH"), "TIP": ("SCHP", "VTIP"), "VNQ": ("SCHH", "IYR"),
    "GLD": ("SLV", "DBC"), "HYG": ("LQD",), "LQD": ("VCIT",), "XLK": ("QQQ", "VUG"), "XLF": ("VTV",),
    "XLE": ("DBC",), "XLV": ("VIG",), "XLY": ("VUG",), "XLP": ("SCHD",), "XLI": ("VTV",), "XLU": ("SCHD",),
    "QQQ": ("XLK", "VUG"),
}  # fmt: skip
