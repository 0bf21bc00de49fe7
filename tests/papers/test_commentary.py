"""Commentary of a small firm: every model with a record, and a model without one refused by name."""

import pytest

from workbench.drafting.sheets.performance import Period, Record
from workbench.errors import ParameterError
from workbench.exhibits import commentary as measuring
from workbench.exhibits.commentary import Measured
from workbench.papers import commentary


@pytest.fixture
def measured(monkeypatch):
    returns = {"net": 0.02, "gross": 0.021, "benchmark": 0.01, "excess": 0.01, "choice": 0.01, "implementation": 0.0}
    period = Period("quarter", "the quarter to date", "2022-09-30", False, returns)
    records = {key: Record(key, key.lower(), f"Model {key}", "2012-05-31", (period,), 1e6, 3) for key in ("BAL", "GRO")}
    made = Measured("Harrow", "2022-12-28", "0123456789", records, {}, {})
    monkeypatch.setattr(measuring, "measure", lambda firm: made)


@pytest.mark.usefixtures("measured")
def test_every_model_with_a_record_has_its_page():
    drafts = list(commentary.drafts(None))
    assert [draft.key for draft in drafts] == ["BAL", "GRO"]
    assert all(draft.report.supported for draft in drafts)
    assert drafts[0].title == "Model BAL: performance as of 28 December 2022"


@pytest.mark.usefixtures("measured")
def test_a_model_without_a_record_is_named_with_those_that_have_one():
    with pytest.raises(ParameterError, match="model 'EQT' has no record of performance; there are: BAL, GRO"):
        list(commentary.drafts(None, models=["EQT"]))
