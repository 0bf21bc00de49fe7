"""How checkpoints are signed, and where else each goes: a git repository, a mail, a time stamping authority.

git: /srv/trail-copies                       # a repository; push it to another machine
mail: {outgoing: /srv/outgoing, sender: desk@firm.example, recipients: [auditor@firm.example]}
stamp: {url: "https://tsa.example/tsr", folder: /srv/stamps}
former: [3b6a...]                            # public keys that signed before this one
every: 1000                                  # records that may wait for a checkpoint
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.decisions.place import read_key
from workbench.errors import ParameterError, StoreError

if TYPE_CHECKING:
    from workbench.governance.audit.checkpoint import Checkpoints, Copy

_LARGEST_ANSWER = 100_000
_PATIENCE_SECONDS = 30


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mail(_Strict):
    """A mail a checkpoint, written into a folder from which delivery sends it."""

    outgoing: Path
    sender: str
    recipients: tuple[str, ...] = Field(min_length=1)


class Stamp(_Strict):
    """A time stamping authority (RFC 3161), asked over HTTPS; query and answer are kept in `folder`."""

    url: str = Field(pattern=r"^https://[^\s/]+(/\S*)?$")
    folder: Path


class Signing(_Strict):
    """The firm's choices about checkpoints."""

    git: Path | None = None
    mail: Mail | None = None
    stamp: Stamp | None = None
    former: tuple[str, ...] = ()
    every: int = Field(default=1000, ge=1)

    @classmethod
    def read(cls, path: Path) -> Signing:
        """Read the choices. Raises `ParameterError` naming file and entry for what is unknown or wrong."""
        try:
            page = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            return cls.model_validate(page)
        except OSError as error:
            raise ParameterError(f"{path}: cannot be read ({error.strerror})", "signing") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ParameterError(f"{path} is not YAML text; see docs/audit.md", "signing") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the page"
            raise ParameterError(f"{path}: {where}: {first['msg']}; see docs/audit.md", "signing") from error

    def checkpoints(self, folder: Path, key: Path) -> Checkpoints:
        """Return what signs into `folder` with the private key in the file `key`."""
        from workbench.governance.audit.checkpoint import Checkpoints

        copies = tuple(self._copies())
        return Checkpoints(folder, read_key(key), every=self.every, copies=copies, former=self.former)

    def _copies(self) -> list[Copy]:
        from workbench.governance.audit import copies

        made = []
        if self.git is not None:
            made.append(copies.to_git(self.git))
        if self.mail is not None:
            made.append(copies.to_mail(self.mail.outgoing, self.mail.sender, self.mail.recipients))
        if self.stamp is not None:
            made.append(copies.to_stamp(self.stamp.folder, _over_https(self.stamp.url)))
        return made


def _over_https(url: str) -> Callable[[bytes], bytes]:
    """Ask a time stamping authority: one request, no redirect, a bounded answer (RFC 3161, 3.4)."""
    from http.client import HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    place = urlsplit(url)

    def ask(query: bytes) -> bytes:
        connection = HTTPSConnection(place.netloc, timeout=_PATIENCE_SECONDS)
        try:
            connection.request("POST", place.path or "/", query, {"Content-Type": "application/timestamp-query"})
            answer = connection.getresponse()
            body = answer.read(_LARGEST_ANSWER + 1)
        except (OSError, HTTPException) as error:
            raise StoreError(f"the time stamping authority {place.netloc} does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status != 200 or len(body) > _LARGEST_ANSWER:
            raise StoreError(f"the time stamping authority {place.netloc} answered {answer.status}, {len(body)} bytes")
        return body

    return ask
