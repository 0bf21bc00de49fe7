"""Drafts in a language model's words, where a firm set an endpoint up; a template's draft where it did not work out."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from workbench.drafting.draft import Draft
from workbench.drafting.model.endpoint import Endpoint, Surroundings, complete
from workbench.drafting.model.masking import Identifier, Known, Mask
from workbench.drafting.model.writer import Model, reworded
from workbench.errors import ParameterError
from workbench.firm import Firm

#: Where the firm's own key for masking stands; without one a new one serves for this run.
KEY = "WORKBENCH_MASKING_KEY"
_LEAST = 16


def identifiers(firm: Firm) -> tuple[Identifier, ...]:
    """Return all that names a client, account or adviser in a firm's book."""
    found: list[Identifier] = []
    for table, column, kind in (
        ("households", "name", "PERSON"),
        ("households", "household_id", "HOUSEHOLD"),
        ("accounts", "account_id", "ACCOUNT"),
        ("advisors", "name", "PERSON"),
        ("advisors", "advisor_id", "ADVISOR"),
        ("client_notes", "author", "PERSON"),
    ):
        values: pd.Series = firm.table(table, [column])[column].dropna()
        found += [Identifier(kind, str(value)) for value in values.unique() if any(map(str.isalnum, str(value)))]
    return tuple(dict.fromkeys(found))


def model(endpoint: Endpoint, *, send_notes: bool = False, around: Surroundings | None = None) -> Model:
    """Return the model behind an endpoint, as the writer asks it."""
    return Model(
        ask=lambda messages: complete(endpoint, messages, around),
        name=endpoint.model,
        parameters=json.dumps(endpoint.parameters(), sort_keys=True),
        send_notes=send_notes,
    )


def in_model_words(
    firm: Firm, drafts: Iterable[Draft], model: Model, environment: Mapping[str, str]
) -> Iterator[Draft]:
    """Yield each draft reworded, masked under a salt of its own. Raises `ParameterError` for too short a key."""
    key = environment.get(KEY, "").encode() or secrets.token_bytes(_LEAST)
    if len(key) < _LEAST:
        raise ParameterError(f"{KEY} has at least {_LEAST} bytes", KEY)
    known = Known(identifiers(firm))
    for draft in drafts:
        yield reworded(draft, model, Mask(known, key, secrets.token_bytes(_LEAST)))
