"""The provider says who somebody is, in an answer that is signed, for us, for this sign-in, and of now."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from tests.governance import cases
from workbench.errors import AccessError, ParameterError
from workbench.governance import identity_provider as provider_of
from workbench.governance.access import Who
from workbench.governance.identity_provider import Pending, begin, discover, finish
from workbench.governance.people import AddPerson
from workbench.governance.sessions import sign_in_subject

ISSUER = "https://login.firm.example"
BACK = "https://desk.firm.example/sign-in/back"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = ECKey.generate_key("P-256", parameters={"kid": "one", "use": "sig", "alg": "ES256"})
OTHER = ECKey.generate_key("P-256", parameters={"kid": "one", "use": "sig", "alg": "ES256"})


class LittleProvider:
    """A provider in memory: it knows one account, checks PKCE and the client, and signs; `wrong` bends one thing."""

    def __init__(self, **wrong):
        self.wrong = wrong
        self.asked = {}
        self.codes = set()
        self.http = httpx.Client(transport=httpx.MockTransport(self.answer))

    def visit(self, url):
        """Be the browser: return what the provider sends back with."""
        parts = urlsplit(url)
        self.asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.codes.add("code-1")
        return {"code": "code-1", "state": self.asked["state"], "iss": ISSUER}

    def answer(self, request):
        """Answer one request."""
        if request.url.path.endswith("openid-configuration"):
            ends = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            said = {"issuer": ISSUER, **{name: f"{ISSUER}/{name}" for name in ends}}
            return httpx.Response(200, json=said | self.wrong.get("description", {}))
        if request.url.path == "/jwks_uri":
            return httpx.Response(200, json=KeySet([KEY]).as_dict(private=False))
        return self.token({name: values[0] for name, values in parse_qs(request.content.decode()).items()}, request)

    def token(self, form, request):
        """Answer the token request as RFC 6749 and RFC 7636 say."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        client = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        if challenge.decode() != self.asked["code_challenge"] or client != "desk:secret":
            return httpx.Response(400, json={"error": "invalid_grant"})
        if form["code"] not in self.codes or form["redirect_uri"] != self.asked["redirect_uri"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.codes.discard(form["code"])
        at = int(NOW.timestamp())
        claims = {"iss": ISSUER, "sub": "u-17", "aud": "desk", "exp": at + 300, "iat": at, "nonce": self.asked["nonce"]}
        claims |= self.wrong.get("claims", {})
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": "one"} | self.wrong.get("header", {})
        signed = jwt.encode(header, claims, self.wrong.get("key", KEY), algorithms=["ES256", "HS256", "RS256"])
        return httpx.Response(200, json={"id_token": self.wrong.get("token", signed), "access_token": "a"})


def sign_in(little, *, change=None, now=NOW):
    desk = discover(ISSUER, "desk", "secret", BACK, little.http)
    url, pending = begin(desk)
    answer = little.visit(url) | (change or {})
    return finish(desk, Pending.of(pending.text()), answer, little.http, now=now)


def test_the_subject_is_the_issuer_and_its_identifier():
    little = LittleProvider()
    assert sign_in(little) == f"{ISSUER} u-17"
    assert little.asked["scope"] == "openid"
    assert little.asked["code_challenge_method"] == "S256"


def test_every_sign_in_asks_with_fresh_secrets():
    desk = discover(ISSUER, "desk", "secret", BACK, LittleProvider().http)
    asked = [begin(desk)[1] for _ in range(20)]
    assert len({part for pending in asked for part in (pending.state, pending.nonce, pending.verifier)}) == 60
    assert "secret" not in begin(desk)[0]
    assert "secret" not in repr(desk)


def unsigned():
    parts = ({"alg": "none"}, {"iss": ISSUER, "sub": "u-17", "aud": "desk", "exp": 1e10, "iat": 1})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


SECRET_OF_BOTH = OctKey.import_key(json.dumps(KEY.as_dict(private=False)))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"key": OTHER}, id="another's key"),
        pytest.param({"key": RSAKey.generate_key(2048), "header": {"alg": "RS256"}}, id="a key of another kind"),
        pytest.param({"key": SECRET_OF_BOTH, "header": {"alg": "HS256"}}, id="the public key as a secret"),
        pytest.param({"token": unsigned()}, id="no signature"),
        pytest.param({"token": "x"}, id="no token"),
        pytest.param({"claims": {"iss": "https://evil.example"}}, id="another issuer"),
        pytest.param({"claims": {"aud": "another desk"}}, id="for another desk"),
        pytest.param({"claims": {"aud": ["desk", "other"], "azp": "other"}}, id="of another party"),
        pytest.param({"claims": {"nonce": "replayed"}}, id="of another sign-in"),
        pytest.param({"claims": {"nonce": None}}, id="of no sign-in"),
        pytest.param({"claims": {"exp": int(NOW.timestamp()) - 120}}, id="expired"),
        pytest.param({"claims": {"iat": int(NOW.timestamp()) + 3600}}, id="from the future"),
        pytest.param({"claims": {"sub": None}}, id="nobody"),
        pytest.param({"claims": {"sub": ""}}, id="an empty name"),
        pytest.param({"claims": {"sub": "u-17\n"}}, id="a name with a line's end"),
        pytest.param({"claims": {"sub": 17}}, id="a number for a name"),
        pytest.param({"claims": {"at_hash": "other"}}, id="with another's access token"),
    ],
)
def test_a_token_that_is_not_as_asked_for_signs_nobody_in(wrong):
    with pytest.raises(AccessError) as refused:
        sign_in(LittleProvider(**wrong))
    assert refused.value.rule == "signed_out"


@pytest.mark.parametrize(
    "change", [{"state": "other"}, {"state": ""}, {"iss": "https://evil.example"}, {"code": ""}, {"code": "stolen"},
               {"error": "access_denied"}],
)  # fmt: skip
def test_an_answer_that_is_not_as_asked_for_signs_nobody_in(change):
    with pytest.raises(AccessError):
        sign_in(LittleProvider(), change=change)


def test_an_answer_is_good_once():
    little = LittleProvider()
    desk = discover(ISSUER, "desk", "secret", BACK, little.http)
    url, pending = begin(desk)
    answer = little.visit(url)
    assert finish(desk, pending, answer, little.http, now=NOW)
    with pytest.raises(AccessError):
        finish(desk, pending, answer, little.http, now=NOW)


def test_another_browser_cannot_finish_what_this_one_began():
    little = LittleProvider()
    desk = discover(ISSUER, "desk", "secret", BACK, little.http)
    answer = little.visit(begin(desk)[0])
    with pytest.raises(AccessError, match="began elsewhere"):
        finish(desk, begin(desk)[1], answer, little.http, now=NOW)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"state": "a"}', "x" * 1000])
def test_a_cookie_that_is_not_ours_begins_nothing(text):
    with pytest.raises(AccessError, match="begin again"):
        Pending.of(text)


@pytest.mark.parametrize(
    "description", [{"issuer": "https://evil.example"}, {"token_endpoint": "http://login.firm.example/token"},
                    {"jwks_uri": "javascript:alert(1)"}, {"authorization_endpoint": None}],
)  # fmt: skip
def test_a_description_that_leads_elsewhere_is_refused(description):
    with pytest.raises(ParameterError):
        discover(ISSUER, "desk", "secret", BACK, LittleProvider(description=description).http)


def unreachable(_):
    raise httpx.ConnectError("gone")


@pytest.mark.parametrize(
    "answer", [unreachable, lambda _: httpx.Response(500), lambda _: httpx.Response(200, content=b"<html>"),
               lambda _: httpx.Response(200, json=[]), lambda _: httpx.Response(302, headers={"location": ISSUER}),
               lambda _: httpx.Response(200, json={"x": "y" * 300_000})],
)  # fmt: skip
def test_a_provider_that_is_gone_or_odd_signs_nobody_in(answer):
    with pytest.raises(AccessError):
        discover(ISSUER, "desk", "secret", BACK, httpx.Client(transport=httpx.MockTransport(answer)))


def test_a_subject_signs_in_the_person_it_was_entered_with_and_makes_nobody(store):
    cases.staff(store)
    store.perform(Who("otto"), AddPerson("ida", "Ida Berg", "person", None, f"{ISSUER} u-17"), "add-ida")
    assert sign_in_subject(store, sign_in(LittleProvider()), "192.0.2.1").person_id == "ida"
    for stranger in (f"{ISSUER} u-18", "u-17", "", "https://evil.example u-17", f"{ISSUER} u-17\x00"):
        with pytest.raises(AccessError):
            sign_in_subject(store, stranger, "192.0.2.1")


def test_time_is_the_stores():
    with pytest.raises(AccessError):
        sign_in(LittleProvider(), now=NOW + timedelta(hours=1))
    assert provider_of.ALGORITHMS == ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
