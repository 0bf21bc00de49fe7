"""The firm's identity provider, from a file of three lines and a secret in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import yaml

from workbench.errors import MissingToolError, ParameterError

if TYPE_CHECKING:
    import httpx

    from workbench.governance.identity_provider import Provider

#: The environment's name of the secret that the provider gave to this desk; a file would end up in a repository.
SECRET = "WORKBENCH_PROVIDER_SECRET"
BACK = "/sign-in/back"
_FIELDS = ("issuer", "client_id", "desk")
_MOST_BYTES = 10_000
_WAIT_SECONDS = 10.0


def read_provider(path: Path, environment: Mapping[str, str], http: httpx.Client | None = None) -> Provider:
    """Read `issuer`, `client_id` and `desk` (the address browsers reach it at), and ask the issuer for its addresses.

    Raises `ParameterError` for a file that is none, a field that is missing or unknown, an address without https or
    with a path, and where the secret is not in the environment; `AccessError` where the issuer does not answer.
    """
    said = _read(path)
    secret = environment.get(SECRET, "")
    if not secret:
        raise ParameterError(f"{SECRET} is not set; put the secret that the provider gave there", SECRET)
    address = urlsplit(said["desk"])
    if address.path not in ("", "/") or address.query or address.fragment or not address.hostname:
        raise ParameterError(f"{path}, desk: give an address without a path, such as https://desk.firm.example", "desk")
    try:
        import httpx

        from workbench.governance import identity_provider
    except ModuleNotFoundError as error:
        raise MissingToolError("signing in by a provider needs httpx; pip install 'workbench[oidc]'") from error
    back = said["desk"].rstrip("/") + BACK
    with http or httpx.Client(timeout=_WAIT_SECONDS) as client:
        return identity_provider.discover(said["issuer"], said["client_id"], secret, back, client)


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        said = yaml.safe_load(text) if len(text) <= _MOST_BYTES else None
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise ParameterError(
            f"{path} cannot be read as YAML; give {', '.join(_FIELDS)}", "identity_provider"
        ) from error
    if not isinstance(said, dict):
        raise ParameterError(f"{path} is no file of {', '.join(_FIELDS)}", "identity_provider")
    for name in said:
        if name not in _FIELDS:
            raise ParameterError(f"{path}: {str(name)[:40]!r} is not a field; there are {', '.join(_FIELDS)}", "field")
    for name in _FIELDS:
        if not isinstance(said.get(name), str) or not said[name].strip():
            raise ParameterError(f"{path}: {name} is missing; give it as text", name)
    return {name: said[name].strip() for name in _FIELDS}
