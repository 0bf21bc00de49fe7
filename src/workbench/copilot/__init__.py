"""Questions of advisors, answered from the record or passed on; reads only, and never a figure outside the facts.

answer = ask("why is household H00042 overweight technology?", firm="demo")
"""

from workbench.copilot.answer import Answer, Passage, Scope
from workbench.copilot.copilot import Copilot, ask
from workbench.copilot.escalation import Escalations

__all__ = ["Answer", "Copilot", "Escalations", "Passage", "Scope", "ask"]
