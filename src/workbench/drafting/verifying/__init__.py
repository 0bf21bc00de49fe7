"""The verifier: what a text states is found, bound by the words around it, and held to the facts of its sheet.

`reading` gives letters with their places, `amounts`, `days` and `naming` find what could be checked, `spans` puts them
together, `passages` cuts a text into sentences and clauses, `index` has the facts
by size and name, `binding` judges one figure by `entity`, `metric` and `direction`, `loose` what has none.
"""

from workbench.drafting.verifying.spans import bare
from workbench.drafting.verifying.verdicts import Span, Verdict, Verification
from workbench.drafting.verifying.verify import verify

__all__ = ["Span", "Verdict", "Verification", "bare", "verify"]
