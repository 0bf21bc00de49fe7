"""A draft as an e-mail that opens unsent in a mail program: plain text beside HTML, nobody in it but whom one names."""

from __future__ import annotations

from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from workbench.drafting import Draft
from workbench.papers.release import Release, check, state


def render_mail(draft: Draft, *, release: Release | None = None, to: Sequence[Address] = ()) -> bytes:
    """Return the draft as an RFC 5322 message (`.eml`)."""
    check(draft, release)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = f"[{state(release)}] {draft.title}"
    message["X-Unsent"] = "1"
    message.set_content(draft.text)
    return message.as_bytes()
