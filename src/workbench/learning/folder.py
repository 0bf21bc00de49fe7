"""The files of a policy's folder: which there are, their hashes, and reading them without running any of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict

from workbench.errors import ParameterError, PolicyError
from workbench.learning.spec import SCHEMA

WEIGHTS, SPEC, CARD, PAGE = "weights.safetensors", "policy.json", "card.json", "card.md"
MANIFEST, APPROVAL = "manifest.json", "approval.json"
#: What the manifest hashes, in its order.
HASHED = (CARD, PAGE, SPEC, WEIGHTS)
#: A policy of this house is some kilobytes; a larger file is something else. Bytes.
LARGEST_FILE = 8_000_000


@dataclass(frozen=True)
class Manifest:
    """SHA-256 of each file, and of all of them together: the policy's content hash, which approvers sign."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    schema: str
    files: tuple[tuple[str, str], ...]
    content_hash: str


def manifest(bodies: Mapping[str, bytes]) -> Manifest:
    """The manifest of a folder's files."""
    files = tuple((name, hashlib.sha256(bodies[name]).hexdigest()) for name in HASHED)
    return Manifest(SCHEMA, files, _content_hash(files))


def check(said: Manifest, bodies: Mapping[str, bytes]) -> None:
    """Check files against their manifest. Raises `PolicyError` naming the file that was changed."""
    if said.schema != SCHEMA:
        raise PolicyError(f"{MANIFEST}: schema {said.schema!r} is not {SCHEMA!r}; read it with what wrote it")
    if tuple(name for name, _ in said.files) != HASHED:
        raise PolicyError(f"{MANIFEST}: it must list {', '.join(HASHED)} and nothing else; take the original folder")
    if said.content_hash != _content_hash(said.files):
        raise PolicyError(f"{MANIFEST}: its content hash is not that of its list; take the original folder")
    for (name, claimed), (_, actual) in zip(said.files, manifest(bodies).files):
        if claimed != actual:
            raise PolicyError(
                f"{name}: its bytes hash to {actual[:8]}..., the manifest says {claimed[:8]}...: it was changed after "
                "it was written; take the original folder"
            )


def read(folder: Path) -> dict[str, bytes]:
    """Every file of the folder as bytes.

    Raises `PolicyError` for a file instead of a folder, a link, a foreign, missing or oversized file.
    """
    if folder.is_symlink():
        raise PolicyError(f"{folder.name}: a link, which is not followed; name the policy's folder itself")
    if folder.exists() and not folder.is_dir():
        raise PolicyError(
            f"{folder.name}: a file, not a policy's folder. What stable-baselines3, torch or pickle wrote can run code "
            "when it is opened and is refused; train here and save with the registry"
        )
    if not folder.exists():
        raise PolicyError(f"{folder}: no such policy folder; workbench policy list FOLDER shows what is there")
    bodies = {}
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name not in (*HASHED, MANIFEST, APPROVAL):
                    raise PolicyError(
                        f"{entry.name!r}: a foreign file in the policy folder {folder.name}; nothing but its own files "
                        "may lie there, remove it"
                    )
                bodies[entry.name] = _read_file(entry)
    except OSError as error:
        raise PolicyError(f"{folder}: cannot be read ({error.strerror}); check its permissions") from error
    for name in (*HASHED, MANIFEST):
        if name not in bodies:
            raise PolicyError(f"{name}: missing from the policy folder {folder.name}; take the whole folder")
    return bodies


def write(folder: Path, bodies: Mapping[str, bytes]) -> None:
    """Write a new folder, whole or not at all. Raises `ParameterError` where it is there already."""
    if folder.exists() or folder.is_symlink():
        raise ParameterError(f"{folder}: there already; a policy is never overwritten, name a new folder", "folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        aside.mkdir()
        for name, body in bodies.items():
            (aside / name).write_bytes(body)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_file(path: Path, body: bytes) -> None:
    """Write one file, whole or not at all; it is put together beside the folder, where nothing else may lie."""
    aside = path.parent.with_name(f".{path.parent.name}.{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(body)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _content_hash(files: tuple[tuple[str, str], ...]) -> str:
    lines = "".join(f"{name} {digest}\n" for name, digest in files)
    return hashlib.sha256(f"{SCHEMA}\n{lines}".encode()).hexdigest()


def _read_file(entry: os.DirEntry[str]) -> bytes:
    if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
        raise PolicyError(f"{entry.name}: a link or folder, not a file; take the original folder")
    # Whoever can write the folder can put a link or a pipe there meanwhile: neither is followed or waited for.
    handle = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise PolicyError(f"{entry.name}: not a plain file; take the original folder")
        body = file.read(LARGEST_FILE + 1)
    if len(body) > LARGEST_FILE:
        raise PolicyError(f"{entry.name}: larger than {LARGEST_FILE:,} bytes; no policy of this house is")
    return body
