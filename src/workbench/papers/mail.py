"""A draft as an e-mail that opens unsent in a mail program: plain text beside HTML, to nobody unless one is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from itertools import groupby

from markupsafe import Markup

from workbench.drafting import Draft, Span
from workbench.drafting.blocks import Block, parse
from workbench.errors import DraftError, ParameterError
from workbench.papers.marked import text_html
from workbench.papers.pages import heading, own_title, template
from workbench.papers.pieces import plain
from workbench.papers.release import Release, check, state

#: Mail programs read no style sheet reliably, so each element carries its own.
_STYLES = {
    "h2": "margin:24px 0 6px;font-size:19px",
    "h3": "margin:20px 0 6px;font-size:17px",
    "h4": "margin:18px 0 4px;font-size:16px",
    "p": "margin:0 0 14px",
    "ul": "margin:0 0 14px;padding-left:22px",
    "li": "margin:0 0 6px",
    "blockquote": "margin:0 0 14px;padding:0 0 0 12px;border-left:3px solid #0b5cad",
    "table": "border-collapse:collapse;margin:0 0 14px",
    "th": "padding:6px 14px 6px 0;border-bottom:1px solid #d8dee8;text-align:left",
    "td": "padding:6px 14px 6px 0;border-bottom:1px solid #d8dee8",
}
_TAG = re.compile(r"<(h[2-4]|p|ul|li|blockquote|table|th|td)(?=[ >])")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")


def render_mail(draft: Draft, *, release: Release | None = None, to: Sequence[str] = ()) -> bytes:
    """Return the draft as an RFC 5322 message (`.eml`) that a mail program opens as its own draft.

    The subject is the text's own title, or else the draft's. Until released, subject and first line say so;
    hashes of text and facts stand in its headers. Raises `DraftError` for a text with faults, which a click could
    send, or a release of another text; `ParameterError` for a recipient that is no address.
    """
    check(draft, release)
    if draft.report.faults:
        raise DraftError(
            f"{draft.kind} {draft.key} says {draft.report.faults[0].text!r}, which its facts do not support; "
            "correct it before it becomes an e-mail"
        )
    subject = heading(draft) if release else f"[{state(release)}] {heading(draft)}"
    warning = "" if release else f"{state(release)}: for review, not for sending."
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    if to:
        message["To"] = [_address(one) for one in to]
    message["X-Unsent"] = "1"
    message["X-Workbench-State"] = state(release)
    message["X-Workbench-Text"] = draft.hash
    message["X-Workbench-Facts"] = draft.sheet.hash
    message["X-Workbench-Template"] = f"{draft.made.name} {draft.made.name_hash}"
    message.set_content(plain_text(draft, warning), cte="quoted-printable")
    message.add_alternative(_html(draft, subject, warning), subtype="html", cte="quoted-printable")
    # Quoted-printable never holds "=_", so that no text can end its own part; made of the text, it is always alike.
    message.set_boundary(f"=_{draft.hash[:32]}")
    return message.as_bytes()


def plain_text(draft: Draft, warning: str = "") -> str:
    """Return the body as plain text, the heading that is its subject left out, after a warning."""
    parts = [warning] if warning else []
    for (kind, _), group in groupby(_body(draft), lambda block: (block.kind, block.table)):
        blocks = list(group)
        if kind == "row":
            parts.append(_columns([[plain(draft.text, *cell) for cell in row.cells] for row in blocks]))
        else:
            lines = [plain(draft.text, block.start, block.end) for block in blocks]
            mark = {"bullet": "- ", "quote": "> "}.get(kind)
            parts += ["\n".join(mark + line for line in lines)] if mark else lines
    return "\n\n".join(parts) + "\n"


def _body(draft: Draft) -> tuple[Block, ...]:
    return parse(draft.text)[own_title(draft.text) is not None :]


def _columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as columns of plain text."""
    count = max(len(row) for row in rows)
    widths = [max(len(row[column]) for row in rows if len(row) > column) for column in range(count)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def _html(draft: Draft, subject: str, warning: str) -> str:
    body = _body(draft)
    text = text_html(draft.text, draft.report.spans, _as_it_is, blocks=body)
    styled = _TAG.sub(lambda tag: f'<{tag[1]} style="{_STYLES[tag[1]]}"', text)
    return template("mail.html").render(subject=subject, warning=warning, text=Markup(styled))


def _as_it_is(_: Span, words: Markup) -> Markup:
    return words


def _address(text: str) -> Address:
    """One recipient; a line break or second address in it would be a header of somebody else's."""
    try:
        if _CONTROL.search(text) or "," in text:
            raise ValueError("it holds blanks, commas or control characters")
        return Address(addr_spec=text)
    except (ValueError, IndexError, MessageError) as error:
        raise ParameterError(f"{text!r} is no e-mail address ({error}); write it as name@firm.com", "to") from error
