"""The default writer: a template over fact identifiers makes a skeleton, facts fill it. Works offline, always alike.

In a template `{{ f("trade.1.amount") }}` mentions a fact, `{{ say("tax.saved", "trade.1") }}` gives a reason of the
closed list, `{{ listed(groups, "name") }}` is "a, b and c", and `{% if facts.has(...) %}` asks. Nothing else can be put
out: any other value is refused, and so is a template whose own words hold a figure.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateNotFound, UndefinedError
from jinja2.meta import find_referenced_templates

from workbench.canonical import canonical
from workbench.drafting.claims import Claim
from workbench.drafting.draft import Draft, Writing
from workbench.drafting.facts import FactSheet
from workbench.drafting.placeholders import fill, prose
from workbench.drafting.spelling import spelled
from workbench.drafting.verifying.spans import bare
from workbench.drafting.verifying.verify import verify
from workbench.errors import DraftError

_LINES = re.compile(r"\n{3,}")
_PARAGRAPH = re.compile(r"\s*(?!#{1,3} |- |> |\|)\S")
_SPACES = re.compile(r"(?<=\S) {2,}(?=\S)")


class _Said(str):
    """Text that may be put out: a placeholder or a claim's sentence."""


def write(
    sheet: FactSheet, template: str, claims: Mapping[str, Claim], *, kind: str = "", key: str = "", title: str = ""
) -> Draft:
    """Write a draft of a sheet by `templates/{template}.md`, and verify it.

    `kind` says which paper it is where one sheet serves several; kind and key are the sheet's own by default.
    Raises `FactError` where the template names a fact that is not on the sheet, `DraftError` where a claim does not
    hold, the template has figures of its own, or the finished text states anything that the facts do not support.
    """
    skeleton = written(sheet, template, claims)
    text = fill(skeleton, sheet).text
    report = verify(text, sheet, skeleton)
    if report.faults:
        first = report.faults[0]
        raise DraftError(f"the draft of {sheet.kind} {sheet.key} says {first.text!r}: {first.reason}")
    made = Writing("template", template, template_hash(template))
    return Draft(kind or sheet.kind, key or sheet.key, title, skeleton, text, sheet, made, report)


def written(sheet: FactSheet, template: str, claims: Mapping[str, Claim]) -> str:
    """Return the skeleton that a template makes of a sheet. Raises as `write`, short of the verification."""

    def f(id: str, format: str = "") -> _Said:
        spelled(sheet.fact(id), format)
        return _Said(f"{{f:{id}|{format}}}" if format else f"{{f:{id}}}")

    def listed(groups: Sequence[str], name: str, word: str = "and") -> _Said:
        said = [f(f"{group}.{name}") for group in groups]
        return _Said(f" {word} ".join(part for part in (", ".join(said[:-1]), said[-1]) if part)) if said else _Said()

    def holds(name: str, prefix: str = "") -> bool:
        return _claim(claims, name).holds(sheet, prefix)

    def say(name: str, prefix: str = "") -> _Said:
        return _Said(_claim(claims, name).skeleton(sheet, prefix))

    try:
        made = (
            _environment().get_template(f"{template}.md").render(facts=sheet, f=f, listed=listed, say=say, holds=holds)
        )
    except UndefinedError as error:
        raise DraftError(f"template {template!r} names something that is not there: {error}") from error
    except TemplateNotFound as error:
        raise DraftError(f"there is no template {template!r} in drafting/templates") from error
    if own := bare(prose(made)):
        raise DraftError(f"template {template!r} writes {own[0].text!r} itself; every figure must be a fact")
    return _LINES.sub("\n\n", _flowing(_SPACES.sub(" ", made))).strip() + "\n"


def _flowing(text: str) -> str:
    """Put each paragraph on a line of its own: a template breaks lines where it likes, a letter does not."""
    lines: list[str] = []
    for line in text.split("\n"):
        if lines and _PARAGRAPH.match(line) and _PARAGRAPH.match(lines[-1]):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line.rstrip())
    return "\n".join(lines)


@functools.cache
def template_hash(template: str) -> str:
    """SHA-256 of a template's text and of all that it includes: which wording a kept draft was made by."""
    environment = _environment()
    loader = environment.loader
    assert loader is not None
    texts: dict[str, str] = {}
    waiting = [f"{template}.md"]
    while waiting:
        name = waiting.pop()
        if name not in texts:
            texts[name], _, _ = loader.get_source(environment, name)
            # None stands for a name worked out as the template runs; no template of ours has one.
            waiting += [one for one in find_referenced_templates(environment.parse(texts[name])) if one]
    return hashlib.sha256(canonical(texts)).hexdigest()


def _claim(claims: Mapping[str, Claim], name: str) -> Claim:
    if name not in claims:
        raise DraftError(f"there is no claim {name!r}; reasons come from the closed list")
    return claims[name]


def _put_out(value: Any) -> Any:
    if isinstance(value, _Said) or value is None or value == "":
        return value or ""
    raise DraftError(f"a template puts out {value!r} itself; it may only mention facts and claims")


@functools.cache
def _environment() -> Environment:
    # Not HTML: skeletons are plain text, and escaping belongs to whoever renders the finished draft.
    return Environment(
        loader=PackageLoader("workbench.drafting"),
        autoescape=False,
        undefined=StrictUndefined,
        finalize=_put_out,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
