"""Forms as they come back from a browser: bounded, strictly read, each field asked for by name.

Every form carries three hidden fields: the session's form token, the key under which its act is done once however often
it is sent, and on whose behalf the page was shown. A form about a signal also carries what was shown of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from workbench.errors import ParameterError

TOKEN, KEY, ACTING, VERSION, SHEET = "form_token", "key", "acting", "version", "sheet_hash"
_KEY_FORM = re.compile(r"[A-Za-z0-9_-]{16,64}")
_HASH_FORM = re.compile(r"[0-9a-f]{64}")
_WHOLE_FORM = re.compile(r"-?[0-9]{1,15}")


class FormError(ParameterError):
    """A field is missing, too long or not of its kind; `parameter` names it and the message says what to enter."""


class BodyError(ParameterError):
    """A body that is no form of this desk: wrong type, not UTF-8, too many fields. `status` is the HTTP answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Form:
    """The fields of one posted form, in order; nothing is trusted until it is asked for."""

    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return a field's text as sent, "" where it is absent; for showing a form again."""
        return next((value for field, value in self.fields if field == name), "")

    def many(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that may be sent several times (check boxes)."""
        return tuple(value for field, value in self.fields if field == name)

    def text(self, name: str, label: str, *, most: int = 2_000, least: int = 1) -> str:
        """Return a field's text without surrounding blanks; `label` is what the page calls it. Raises `FormError`."""
        value = self.get(name).replace("\r\n", "\n").strip()
        if len(value) < least:
            need = "Please fill in" if least == 1 else f"Please write at least {least} characters in"
            raise FormError(f"{need} \u201c{label}\u201d.", name)
        if len(value) > most:
            raise FormError(f"\u201c{label}\u201d has {len(value):,} characters; {most:,} are allowed.", name)
        if "\x00" in value:
            raise FormError(f"\u201c{label}\u201d holds a character that cannot be kept; please type it anew.", name)
        return value

    def optional(self, name: str, label: str, *, most: int = 2_000) -> str:
        """Return a field's text, "" where it was left empty. Raises `FormError` where it is too long."""
        return self.text(name, label, most=most, least=0)

    def choice(self, name: str, label: str, allowed: Collection[str]) -> str:
        """Return a field that must be one of `allowed`. Raises `FormError`."""
        value = self.get(name)
        if value not in allowed:
            raise FormError(f"Please choose one of the entries of \u201c{label}\u201d.", name)
        return value

    def whole(self, name: str, label: str) -> int:
        """Return a whole number. Raises `FormError`."""
        value = self.get(name).strip().replace(",", "")
        if not _WHOLE_FORM.fullmatch(value):
            raise FormError(f"\u201c{label}\u201d needs a whole number.", name)
        return int(value)

    @property
    def key(self) -> str:
        """The idempotency key made when the page was shown. Raises `FormError` for a form without one."""
        value = self.get(KEY)
        if not _KEY_FORM.fullmatch(value):
            raise FormError("The form has lost its key. Please open the page again and repeat what you did.", KEY)
        return value

    @property
    def version(self) -> int:
        """The version of the signal that was shown."""
        return self.whole(VERSION, "version shown")

    @property
    def sheet_hash(self) -> str:
        """The hash of what was shown. Raises `FormError` where it is none."""
        value = self.get(SHEET)
        if not _HASH_FORM.fullmatch(value):
            raise FormError("The form has lost what was shown. Please open the page again.", SHEET)
        return value


def read_form(headers: Mapping[str, str], body: bytes, *, field_limit: int) -> Form:
    """Read a urlencoded body, the only kind the desk takes. Raises `BodyError`."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not body and not kind:
        return Form(())
    if kind != "application/x-www-form-urlencoded":
        raise BodyError("The desk takes plain forms only, no files and no other formats.", 415)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            encoding="utf-8",
            errors="strict",
            max_num_fields=field_limit,
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise BodyError("The form could not be read. Please open the page again and repeat what you did.") from error
    return Form(tuple(pairs))
