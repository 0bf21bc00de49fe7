"""What the facts of a household are read from: tables of the book of record, and the proposal made of them."""

from workbench.drafting.sheets.gathering import Reading

ACCOUNTS = Reading("read", ("accounts",))
ADVISORS = Reading("read", ("advisors",))
HOUSEHOLDS = Reading("read", ("households",))
MODELS = Reading("read", ("models",))
NOTES = Reading("read", ("client_notes",))
POSITIONS = Reading("read", ("positions",))
RESTRICTIONS = Reading("read", ("restrictions",))
SECURITIES = Reading("read", ("securities",))
TRANSACTIONS = Reading("read", ("transactions",))

COSTS = Reading("rebalance.propose", ("securities", "custodians"))
DISTRIBUTIONS = Reading("tax.required_distributions", ("accounts", "positions", "transactions"))
GAINS = Reading("rebalance.propose", ("lots", "prices"))
LOTS = Reading("rebalance.propose", ("lots",))
TRADES = Reading("rebalance.propose", ("positions", "lots", "prices"))
VALUES = Reading("rebalance.propose", ("positions", "prices"))
WEIGHTS = Reading("rebalance.propose", ("positions", "prices", "model_targets"))
YEAR = Reading("rebalance.propose", ("lots", "transactions", "households"))
