"""Signatures of approvers: what is signed is what is checked, and nobody else's key will do."""

import stat
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ParameterError, PolicyError
from workbench.learning import signature

DAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def ben(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "ben.pem"
    public = signature.new_key(path)
    return path.read_bytes(), {"Ben": public}


def test_a_signature_is_checked_with_the_public_key(ben):
    key, keys = ben
    assert signature.public_key(key) == keys["Ben"]
    signature.verify(signature.sign("ab" * 32, "Ben", DAY, key), keys)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["content_hash", "day", "approver", "signature"]), st.text(max_size=70))
def test_no_part_of_an_approval_can_be_changed(ben, field, text):
    key, keys = ben
    approval = signature.sign("ab" * 32, "Ben", DAY, key)
    changed = replace(approval, **{field: text})
    if changed == approval:
        return
    with pytest.raises(PolicyError):
        signature.verify(changed, keys | {changed.approver: keys["Ben"]})


def test_it_is_ed25519_as_published():
    """Test 2 of RFC 8032, section 7.1: our signature is the package's plain Ed25519, and the package is right."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    key = Ed25519PrivateKey.from_private_bytes(secret)
    assert (
        key.public_key().public_bytes_raw().hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    )
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_the_private_key_is_its_owners_alone(tmp_path):
    path = tmp_path / "key.pem"
    signature.new_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ParameterError, match="name a new file"):
        signature.new_key(path)


@pytest.mark.parametrize("body", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_does_not_sign(body):
    with pytest.raises(ParameterError, match="Ed25519"):
        signature.sign("ab" * 32, "Ben", DAY, body)


def test_a_key_of_another_kind_does_not_sign():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    body = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ParameterError, match="not Ed25519"):
        signature.sign("ab" * 32, "Ben", DAY, body)


def test_the_firms_keys_are_read_from_yaml(tmp_path, ben):
    path = tmp_path / "approvers.yml"
    path.write_text(f"Ben: '{ben[1]['Ben']}'\n")
    assert signature.read_keys(path) == ben[1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- Ben",
        "Ben: 12",
        "Ben: 'zz'",
        "Ben: !!python/object/apply:os.system [id]",
        "a: b: c",
        "1: '" + "a" * 64 + "'",
    ],
)
def test_a_list_of_keys_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "approvers.yml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=r"approvers\.yml"):
        signature.read_keys(path)
    with pytest.raises(ParameterError, match="cannot be read"):
        signature.read_keys(tmp_path / "missing.yml")
