"""The closed list of reasons, one module a subject: claims with the rules on facts that allow them."""

from workbench.drafting.reasons import alerts, committee, household, model_change, performance

SUBJECTS = (alerts, committee, household, model_change, performance)

__all__ = ["SUBJECTS", "alerts", "committee", "household", "model_change", "performance"]
