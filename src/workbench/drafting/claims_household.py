"""Reasons that a household's papers may give, each tied to a rule on its facts."""

from workbench.drafting.claims import collected

CLAIMS = collected()
