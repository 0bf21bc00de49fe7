"""The stand-alone verifier's Ed25519: RFC 8032's vectors, agreement with the library, what is no signature."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.governance.audit import verifier

# RFC 8032, 7.1: tests 1, 2, 3 and SHA(abc). Secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655"
        "141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d"
        "291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027"
        "beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9a"
        "c94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9be"
        "f1177331a704",
    ),
]


def hexes(*texts):
    return [bytes.fromhex(text) for text in texts]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS, ids=["1", "2", "3", "SHA(abc)"])
def test_the_vectors_of_rfc_8032(secret, public, message, signature):
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    assert raw.hex() == public  # the vector is the RFC's, not a typing error
    public, message, signature = hexes(public, message, signature)
    assert key.sign(message) == signature
    assert verifier.signed_by(public, message, signature)
    assert not verifier.signed_by(public, message + b"x", signature)


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=50), st.integers(0, 511))
def test_it_agrees_with_the_library_and_a_changed_bit_is_seen(secret, message, bit):
    key = Ed25519PrivateKey.from_private_bytes(secret)
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    signature = key.sign(message)
    assert verifier.signed_by(public, message, signature)
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    assert not verifier.signed_by(public, message, bytes(changed))


def test_what_is_no_signature_or_no_key_is_none():
    public, message, signature = hexes(*VECTORS[1][1:])
    assert not verifier.signed_by(public, message, signature[:-1])
    assert not verifier.signed_by(public[:-1], message, signature)
    assert not verifier.signed_by(b"\xff" * 32, message, signature)  # y is not below the prime
    s = int.from_bytes(signature[32:], "little") + verifier.L  # the same point, another spelling (RFC 8032, 8.4)
    assert not verifier.signed_by(public, message, signature[:32] + s.to_bytes(32, "little"))
    assert verifier.point((2).to_bytes(32, "little")) is None  # no point of the curve has this y
    assert verifier.point(((1 << 255) + 1).to_bytes(32, "little")) is None  # x = 0 has no sign
