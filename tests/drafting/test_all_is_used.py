"""Nothing lies about: each claim, metric, direction and template is used by somebody."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

import workbench.drafting
from workbench.drafting.lexicon import lexicon

ROOM = Path(workbench.drafting.__file__).parent
SOURCE = ROOM.parent
TEMPLATES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOM / "templates").glob("*.md")}
SUBJECTS = ("alerts", "committee", "household", "model_change", "performance")
CLAIMS = {subject: import_module(f"workbench.drafting.reasons.{subject}").CLAIMS for subject in SUBJECTS}


@cache
def said_in_code():
    """Words that stand in the code, and patterns of those that are put together there."""
    words, patterns = set(), []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
                patterns.append(parts)
    return words, [pattern for parts in patterns if (pattern := put_together(parts))]


@cache
def said_in_templates():
    """The same of templates; one that walks through `facts.groups("why")` says claims called `why. ...`."""
    words, patterns = set(), []
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    for text in TEMPLATES.values():
        parsed = environment.parse(text)
        words |= {node.value for node in parsed.find_all(nodes.Const) if isinstance(node.value, str)}
        for node in parsed.find_all(nodes.Concat):
            patterns.append([part.value if isinstance(part, nodes.Const) else None for part in node.nodes])
        for call in parsed.find_all(nodes.Call):
            if isinstance(call.node, nodes.Getattr) and call.node.attr == "groups":
                first = call.args[0]
                patterns += [[first.value, ".", None]] if isinstance(first, nodes.Const) else []
    return words, [pattern for parts in patterns if (pattern := put_together(parts))]


def put_together(parts):
    """A pattern of words put together; None where too little of them is fixed to tell them from others."""
    if sum(len(part) for part in parts if part is not None) < 4:
        return None
    return re.compile("".join(".+" if part is None else re.escape(part) for part in parts))


def is_said(word, said):
    words, patterns = said
    return word in words or any(pattern.fullmatch(word) for pattern in patterns)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_claim_is_made_somewhere(subject):
    assert [name for name in CLAIMS[subject] if not is_said(name, said_in_templates())] == []


def test_every_metric_is_some_facts():
    assert [key for key in lexicon().metrics if not is_said(key, said_in_code())] == []


def test_every_direction_or_its_opposite_is_some_facts():
    ways = lexicon().directions.values()
    assert [one.key for one in ways if not {one.key, one.against} & said_in_code()[0]] == []


def test_every_template_is_written_or_included():
    named = {word.removesuffix(".md") for word in said_in_templates()[0]} | said_in_code()[0]
    assert set(TEMPLATES) <= named


def test_a_templates_hash_is_of_what_it_includes_too(monkeypatch):
    from workbench.drafting import writer

    before = writer.template_hash("memo")
    source = writer._environment().loader.get_source
    monkeypatch.setattr(
        writer._environment().loader,
        "get_source",
        lambda environment, name: (source(environment, name)[0] + "." * (name == "memo_parts.md"), None, None),
    )
    writer.template_hash.cache_clear()
    after, other = writer.template_hash("memo"), writer.template_hash("talking_points")
    monkeypatch.undo()
    writer.template_hash.cache_clear()
    assert after != before == writer.template_hash("memo")
    assert other == writer.template_hash("talking_points")
