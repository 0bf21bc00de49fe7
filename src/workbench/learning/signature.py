"""Ed25519 signatures of approvers: who approved which bytes, on which day, checkable by anyone with the public key."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType

import yaml

from workbench.errors import MissingToolError, ParameterError, PolicyError
from workbench.names import misread, same_person

#: Said before what is signed, so that a signature made for something else never counts as an approval.
PURPOSE = b"workbench policy approval 1\n"
_HEX = re.compile(r"[0-9a-f]+")
_KEY_DIGITS = 64
_LARGEST_FILE = 100_000


@dataclass(frozen=True)
class Approval:
    """One person's signature (hex) under a policy's content hash, with the day it was given."""

    content_hash: str
    approver: str
    day: str
    signature: str

    @property
    def statement(self) -> bytes:
        """The bytes that are signed: hash, approver and day, so that none of the three can be changed alone."""
        said = {"approver": self.approver, "content_hash": self.content_hash, "day": self.day}
        return PURPOSE + json.dumps(said, sort_keys=True).encode()


def sign(content_hash: str, approver: str, day: date, key: bytes) -> Approval:
    """Approve a policy's content hash with a private key (PEM, Ed25519).

    Raises `ParameterError` for a key that is not one, `MissingToolError` without the package cryptography.
    """
    unsigned = Approval(content_hash, approver, day.isoformat(), "")
    signature = _private(key).sign(unsigned.statement)
    return Approval(content_hash, approver, unsigned.day, signature.hex())


def verify(approval: Approval, keys: Mapping[str, str]) -> None:
    """Check an approval against the firm's public keys (name to hex).

    Raises `PolicyError` where the approver is not in `keys` or the signature is not theirs, `ParameterError` for a
    public key that is not one.
    """
    if approval.approver not in keys:
        raise PolicyError(
            f"the approver {approval.approver!r} is not in the firm's list of keys; add their public key or have the "
            "policy approved by somebody in it"
        )
    invalid = _crypto("cryptography.exceptions").InvalidSignature
    key = _public(approval.approver, keys[approval.approver])
    try:
        signature = bytes.fromhex(approval.signature)
        key.verify(signature, approval.statement)
    except (invalid, ValueError) as error:
        raise PolicyError(
            f"the signature is not that of {approval.approver!r} under these files: something was changed after the "
            "approval, or another key signed; have the policy approved again"
        ) from error


def new_key(path: Path) -> str:
    """Write a new private key (PEM, readable by its owner alone) and return its public key in hex.

    The one place that draws on the machine's randomness. Raises `ParameterError` where the file exists already.
    """
    serialization = _crypto("cryptography.hazmat.primitives.serialization")
    key = _ed25519().Ed25519PrivateKey.generate()
    body = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ParameterError(f"{path}: cannot be written ({error.strerror}); name a new file", "key") from error
    with os.fdopen(handle, "wb") as file:
        file.write(body)
    return public_key(body)


def public_key(key: bytes) -> str:
    """Return the public key, in hex, of a private one (PEM). Raises `ParameterError` as `sign` does."""
    raw: bytes = _private(key).public_key().public_bytes_raw()
    return raw.hex()


def read_keys(path: Path) -> dict[str, str]:
    """Read the firm's approvers from YAML: one mapping, name to public key in hex (64 digits).

    A line is a name and a key and nothing else: no anchors, merges or tags. Raises `ParameterError` naming file and
    entry for anything else, for a name that stands there twice (in another spelling too) and for one key of two people.
    """
    try:
        with path.open("rb") as file:
            body = file.read(_LARGEST_FILE + 1)
        if len(body) > _LARGEST_FILE:
            raise ParameterError(f"{path.name} is larger than {_LARGEST_FILE:,} bytes; a page is enough", "keys")
        # Composed, not constructed: what YAML can build from a page (merges of merges) need not be built.
        page = yaml.compose(body.decode(), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read ({error.strerror})", "keys") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ParameterError(f"{path.name} is not YAML text; write a line an approver: name: public key", "keys") from (
            error
        )
    if not isinstance(page, yaml.MappingNode) or not page.value:
        raise ParameterError(f"{path.name} must hold a line an approver: name: public key in hex", "keys")
    keys: dict[str, str] = {}
    for name, key in page.value:
        _add_key(keys, name, key, path.name)
    return keys


def _add_key(keys: dict[str, str], name: yaml.Node, key: yaml.Node, file: str) -> None:
    if not _is_text(name):
        raise ParameterError(f"{file} line {name.start_mark.line + 1}: the name is no text; put it in quotes", "keys")
    person = str(name.value)
    if not _is_text(key) or len(key.value) != _KEY_DIGITS or not _HEX.fullmatch(key.value):
        raise ParameterError(
            f"{file}: the key of {person!r} is not {_KEY_DIGITS} hex digits in quotes; print it with: workbench policy "
            "key",
            "keys",
        )
    try:
        check_name(person)
    except PolicyError as error:
        raise ParameterError(f"{file}: {error}", "keys") from error
    for other in keys:
        if same_person(other, person):
            raise ParameterError(f"{file}: {person!r} stands there twice; leave the one key that is theirs", "keys")
        if keys[other] == key.value:
            raise ParameterError(
                f"{file}: {other!r} and {person!r} have one key; whoever holds it would sign as both. Give each their "
                "own",
                "keys",
            )
    keys[person] = key.value


def _is_text(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str"


def check_name(name: str) -> None:
    """Refuse an approver's name that reads as another's. Raises `PolicyError`, for the reasons of `names.misread`."""
    reason = misread(name)
    if reason is not None:
        raise PolicyError(reason)


def _private(key: bytes):  # type: ignore[no-untyped-def]  # noqa: ANN202
    serialization = _crypto("cryptography.hazmat.primitives.serialization")
    unsupported = _crypto("cryptography.exceptions").UnsupportedAlgorithm
    try:
        loaded = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, unsupported) as error:
        raise ParameterError(
            "the signing key is not an unencrypted Ed25519 key in PEM; make one with: workbench policy key FILE", "key"
        ) from error
    if not isinstance(loaded, _ed25519().Ed25519PrivateKey):
        raise ParameterError("the signing key is not Ed25519; make one with: workbench policy key FILE", "key")
    return loaded


def _public(name: str, key: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    try:
        return _ed25519().Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    except ValueError as error:
        raise ParameterError(f"the public key of {name!r} is not 64 hex digits of Ed25519; correct it", "keys") from (
            error
        )


def _ed25519() -> ModuleType:
    return _crypto("cryptography.hazmat.primitives.asymmetric.ed25519")


def _crypto(module: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingToolError("signatures need the package cryptography; install it with: make setup") from error
