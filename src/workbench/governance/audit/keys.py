"""The key that checkpoints are signed with: Ed25519, kept outside the database and away from whoever can change it."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from workbench.errors import ParameterError

#: Said before what is signed, so that a signature made for something else never counts as a checkpoint's.
PURPOSE = b"workbench audit checkpoint 1\n"
_PUBLIC = re.compile(r"[0-9a-f]{64}")


def new_key(path: Path) -> str:
    """Write a new private key (PEM, readable by its owner alone) and return its public key in hex.

    Raises `ParameterError` where the file exists already or its folder does not.
    """
    key = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ParameterError(f"{path} exists; a key is never written over, give another name", "key") from error
    except OSError as error:
        raise ParameterError(f"{path} cannot be written ({error.strerror}); give a folder that is there") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.flush()
        os.fsync(file.fileno())
    return _hex(key.public_key())


def public_of(key: bytes) -> str:
    """Return the public key in hex of a private one (PEM). Raises `ParameterError` for what is no Ed25519 key."""
    return _hex(_private(key).public_key())


def key_id(public: str) -> str:
    """Return the short name of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(bytes.fromhex(checked(public))).hexdigest()[:16]


def checked(public: str) -> str:
    """Return a public key as it is written: 64 lower-case hex digits. Raises `ParameterError` for anything else."""
    written = public.strip().lower()
    if not _PUBLIC.fullmatch(written):
        raise ParameterError(f"{public[:80]!r} is not a public key; give its 64 hex digits", "public_keys")
    return written


def sign(body: bytes, key: bytes) -> str:
    """Sign a checkpoint's canonical bytes with a private key (PEM); the signature in hex."""
    return _private(key).sign(PURPOSE + body).hex()


def signed_by(body: bytes, signature: str, public: str) -> bool:
    """Say whether a signature (hex) is that of a public key under a checkpoint's canonical bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(checked(public))).verify(
            bytes.fromhex(signature), PURPOSE + body
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(key: bytes) -> Ed25519PrivateKey:
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise ParameterError(
            "this is not a private key in PEM without a password; give that of the checkpoints"
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ParameterError("the key is not an Ed25519 key; make one with `workbench audit key`")
    return private


def _hex(public: Ed25519PublicKey) -> str:
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()


def sha256(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()
