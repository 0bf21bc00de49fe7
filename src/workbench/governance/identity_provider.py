"""Signing in through the firm's identity provider (OpenID Connect), where there is one.

    provider = discover("https://login.firm.example", "desk", secret, "https://desk.firm.example/sign-in/back", http)
    url, pending = begin(provider)         # the browser goes to `url`; `pending` waits in a sealed cookie
    subject = finish(provider, pending, answer, http, now=store.clock())
    signed_in = sign_in_subject(store, subject, address)

The authorization code flow with PKCE (RFC 7636), state and nonce (OpenID Connect Core 1.0, section 3.1), and the
issuer's name in the answer (RFC 9207). The provider says who somebody is and nothing else: it makes nobody and grants
no role. A subject is the issuer and the provider's identifier, as an administrator entered it with the person. Needs
the packages authlib and httpx.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workbench.errors import AccessError, MissingToolError, ParameterError

if TYPE_CHECKING:
    import httpx

#: Signatures by the provider's private key; never `none`, never a secret both sides know.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
_LEEWAY_SECONDS = 60
_LARGEST_ANSWER = 200_000
_BYTES = 32
_LONGEST_SUBJECT = 255
REFUSED = "the identity provider's answer cannot be used; sign in again, or with a password"


@dataclass(frozen=True)
class Provider:
    """Where the provider is, and who this desk is to it. Raises `ParameterError` for an address without https."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str

    def __post_init__(self) -> None:
        for name in ("issuer", "redirect_uri", "authorization_endpoint", "token_endpoint", "jwks_uri"):
            _check_address(name, getattr(self, name))

    def __repr__(self) -> str:
        return f"Provider(issuer={self.issuer!r}, client_id={self.client_id!r})"


@dataclass(frozen=True)
class Pending:
    """What one sign-in under way has to come back with; the desk seals it into a cookie of some minutes."""

    state: str
    nonce: str
    verifier: str

    def text(self) -> str:
        """Write it for a cookie."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> Pending:
        """Read what `text` wrote. Raises `AccessError("signed_out")` for anything else."""
        try:
            said = json.loads(text)
            return cls(**{item.name: str(said[item.name]) for item in fields(cls)})
        except (ValueError, TypeError, KeyError) as error:
            raise AccessError("this sign-in took too long or began elsewhere; begin again", "signed_out") from error


def discover(issuer: str, client_id: str, client_secret: str, redirect_uri: str, http: httpx.Client) -> Provider:
    """Read the provider's addresses from its published description.

    Raises `ParameterError` where it names another issuer or an address without https, `AccessError` where it cannot be
    read.
    """
    _check_address("issuer", issuer)
    said = _json(http, "GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
    if said.get("issuer") != issuer:
        raise ParameterError(f"the provider calls itself {said.get('issuer')!r}, not {issuer!r}; correct it", "issuer")
    addresses = {name: str(said.get(name)) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    return Provider(issuer, client_id, client_secret, redirect_uri, **addresses)


def begin(provider: Provider) -> tuple[str, Pending]:
    """Return where to send the browser, and what has to come back."""
    pending = Pending(*(secrets.token_urlsafe(_BYTES) for _ in fields(Pending)))
    url = _package("authlib.oauth2.rfc6749.parameters").prepare_grant_uri(
        provider.authorization_endpoint,
        client_id=provider.client_id,
        response_type="code",
        redirect_uri=provider.redirect_uri,
        scope="openid",
        state=pending.state,
        nonce=pending.nonce,
        code_challenge=_package("authlib.oauth2.rfc7636").create_s256_code_challenge(pending.verifier),
        code_challenge_method="S256",
    )
    return str(url), pending


def finish(
    provider: Provider, pending: Pending, answer: Mapping[str, str], http: httpx.Client, *, now: datetime
) -> str:
    """Return the subject the provider vouches for: `issuer identifier`, as it stands with the person.

    `answer` are the parameters the browser came back with. Raises `AccessError("signed_out")` where anything is not as
    it was asked for: state, issuer, signature, audience, nonce, time.
    """
    if not hmac.compare_digest(str(answer.get("state", "")).encode(), pending.state.encode()):
        raise AccessError("this sign-in began elsewhere, or twice; begin again", "signed_out")
    if answer.get("iss", provider.issuer) != provider.issuer or "error" in answer or not answer.get("code"):
        raise AccessError(REFUSED, "signed_out")
    tokens = _json(
        http,
        "POST",
        provider.token_endpoint,
        auth=(provider.client_id, provider.client_secret),
        data={
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": provider.redirect_uri,
            "client_id": provider.client_id,
            "code_verifier": pending.verifier,
        },
    )
    claims = _verified(provider, pending, tokens, _json(http, "GET", provider.jwks_uri), now)
    return subject(provider.issuer, claims["sub"])


def subject(issuer: str, identifier: str) -> str:
    """Return how a provider's account is written with a person. Raises `AccessError` for an empty or odd one."""
    if not isinstance(identifier, str) or not 0 < len(identifier) <= _LONGEST_SUBJECT or not identifier.isprintable():
        raise AccessError(REFUSED, "signed_out")
    return f"{issuer} {identifier}"


def _verified(
    provider: Provider, pending: Pending, tokens: Mapping[str, Any], keys: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Return the claims of an identity token that is signed, for us, for this sign-in, and of now."""
    broken = _package("joserfc.errors").JoseError
    try:
        key_set = _package("joserfc.jwk").KeySet.import_key_set(dict(keys))
        token = _package("joserfc.jwt").decode(str(tokens["id_token"]), key_set, algorithms=list(ALGORITHMS))
        claims = _package("authlib.oidc.core").CodeIDToken(
            token.claims,
            token.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
            },
            {"nonce": pending.nonce, "client_id": provider.client_id, "access_token": tokens.get("access_token")},
        )
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_SECONDS)
    except (broken, ValueError, KeyError, TypeError) as error:
        raise AccessError(REFUSED, "signed_out") from error
    return dict(token.claims)


def _json(http: httpx.Client, method: str, url: str, **more: Any) -> dict[str, Any]:
    gone = _package("httpx").HTTPError
    try:
        answer = http.request(method, url, headers={"Accept": "application/json"}, follow_redirects=False, **more)
        if answer.status_code != 200 or len(answer.content) > _LARGEST_ANSWER:
            raise AccessError(REFUSED, "signed_out")
        said = answer.json()
    except (gone, ValueError) as error:
        raise AccessError("the identity provider cannot be reached; sign in with a password", "signed_out") from error
    if not isinstance(said, dict):
        raise AccessError(REFUSED, "signed_out")
    return said


def _check_address(name: str, address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")):
        raise ParameterError(f"{name} is {address!r}; give an address that begins with https://", name)


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise MissingToolError("signing in by a provider needs authlib; pip install 'workbench[oidc]'") from error
