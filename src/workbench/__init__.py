"""The rebalancing workbench: a firm's book of record in, drift, drafts and a committee book out.

Importing the package is cheap on purpose: rooms (`workbench.firm`, `workbench.drift`, ...) are imported by name.
"""

__version__ = "0.1.0"
