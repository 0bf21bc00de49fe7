"""Passwords: Argon2id, at least twelve characters, none that holds its owner's name; verified in one time for all.

Parameters are the second recommendation of RFC 9106 (section 4): 3 passes over 64 MiB by 4 lanes, a salt of 128 and a
tag of 256 bits. A password is normalised (NFKC, as NIST SP 800-63B asks), so that it is the same from every keyboard.
"""

from __future__ import annotations

import hashlib
import re
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from workbench.errors import ParameterError

SHORTEST = 12
LONGEST = 200
#: What people take first; a password that is little else is refused.
_COMMON = ("password", "passwort", "qwerty", "letmein", "welcome", "iloveyou", "123456", "abcdef", "workbench")
_SALT_BYTES = 16
_FEWEST_LETTERS = 5
_NAME_PART = 3
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
#: Each takes 64 MiB: tries from many addresses at once wait for one another instead of taking all memory.
_AT_ONCE = threading.BoundedSemaphore(4)
_FORM = re.compile(r"\$argon2id\$v=19\$m=\d{4,7},t=\d{1,2},p=\d{1,2}\$[A-Za-z0-9+/]{16,64}\$[A-Za-z0-9+/]{32,128}")


def check_password(password: str, *owned: str | None) -> None:
    """Refuse a password that is short, common, or holds a part of what names its owner (name, e-mail, identifier).

    Raises `ParameterError`; its message never repeats the password.
    """
    plain = unicodedata.normalize("NFKC", password)
    if not SHORTEST <= len(plain) <= LONGEST:
        raise ParameterError(f"give a password of {SHORTEST} to {LONGEST} characters; a sentence is good", "password")
    folded = plain.casefold()
    rest = folded
    for common in _COMMON:
        rest = rest.replace(common, "")
    if len(set(folded)) < _FEWEST_LETTERS or len(rest) < SHORTEST - 4:
        raise ParameterError("this password is among the first that are tried; take another", "password")
    parts = (part for text in owned if text for part in re.split(r"[\W_]+", unicodedata.normalize("NFKC", text)))
    if any(len(part) > _NAME_PART and part.casefold() in folded for part in parts):
        raise ParameterError("the password holds a part of the name or e-mail address; take another", "password")


def hash_password(password: str, *, seed: str | None = None) -> str:
    """Return the Argon2id hash (PHC text) of a password.

    With a `seed` (the unguessable key of one form, for one person) its salt is made of it, so that sending that form
    twice is one and the same request; else the salt is random.
    """
    salt = None if seed is None else hashlib.sha256(b"salt of a password\n" + seed.encode()).digest()[:_SALT_BYTES]
    with _AT_ONCE:
        return _HASHER.hash(unicodedata.normalize("NFKC", password), salt=salt)


def verify(stored: str | None, password: str) -> bool:
    """Whether a password is the stored one; as slow where nothing is stored, so that time does not tell who exists.

    An over-long password is cut before it is hashed and is never right.
    """
    nobodys = _nobodys()  # also where it is not needed: it is made once, and that takes as long as a try
    try:
        with _AT_ONCE:
            right = _HASHER.verify(stored or nobodys, unicodedata.normalize("NFKC", password[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return right and stored is not None and len(password) <= LONGEST


def outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's; it is made anew at the next sign-in."""
    return _HASHER.check_needs_rehash(stored)


def check_hash(stored: str) -> None:
    """Refuse text that is not an Argon2id hash, such as a password by mistake. Raises `ParameterError`."""
    if not _FORM.fullmatch(stored):
        raise ParameterError("this is no Argon2id hash; have the password hashed first", "password_hash")


@cache
def _nobodys() -> str:
    return _HASHER.hash("the password of nobody")
