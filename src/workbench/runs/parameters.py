"""A notebook's parameters, read from its own `parameters` cell and checked before a kernel starts.

The cell is parsed, never executed. Every line of it is `name: type = default  # comment`; the comment is the
parameter's help and may open with a range, `# 1..50: how many accounts`, with the words a text may be, `# one of
sector, region: the level shown`, or with `# a file beside the params file: what it holds`. Why here: papermill itself
puts "250" into an int, only warns on an unknown name, and runs code hidden in a name.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from workbench.errors import ParameterError
from workbench.runs.registry import unknown

if TYPE_CHECKING:
    from pydantic import BaseModel

Value = str | int | float | bool | list[str] | list[int] | list[float] | None

_SCALARS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
_LISTS = ("list[str]", "list[int]", "list[float]")
_RANGE = re.compile(r"^\s*(-?\d+(?:\.\d+)?)\s*\.\.\s*(-?\d+(?:\.\d+)?)\s*(?::|$)\s*")
_CHOICES = re.compile(r"^\s*one of ([\w-]+(?:, [\w-]+)*)(?::|$)\s*")
_FILE = re.compile(r"^\s*a file beside the params file(?::|$)\s*")
#: A file's name, and no more than that: nothing outside the folder of the params file can be reached by it.
_FILE_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
_DATE_NAME = re.compile(r"(?:^|_)(?:as_of|date|on)$")
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:pass(?:word|wd|phrase)?|pwd|secrets?|tokens?|credentials?|auth|bearer|"
    r"(?:api|access|private|signing|ssh)_?keys?|apikey)(?:_|$)",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"AKIA[0-9A-Z]{16}"  # AWS access key id
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}"  # GitHub
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\."  # JSON web token
    r"|://[^/\s:@]+:[^/\s@]+@"  # a URL with a password in it
)
#: The longest text a parameter may hold, in characters; parameters steer a report, they do not carry data.
LONGEST_TEXT = 2_000


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook: its name, type as written, default, help, bounds (None where unbounded) and, of a
    text, the words it may be (none where it is free). `is_file` marks the name of a file, "" where none is given.
    """

    name: str
    annotation: str
    default: Value
    help: str
    lower: float | None = None
    upper: float | None = None
    choices: tuple[str, ...] = ()
    is_file: bool = False

    @property
    def is_date(self) -> bool:
        """Whether the parameter holds an ISO date: a text named as_of, date or on, alone or after an underscore."""
        return self.annotation.startswith("str") and _DATE_NAME.search(self.name) is not None


@dataclass(frozen=True)
class NotebookParameters:
    """Every parameter of one notebook, in the order of its parameters cell."""

    notebook: str
    parameters: tuple[Parameter, ...]

    def names(self) -> list[str]:
        """The names a params file may set."""
        return [parameter.name for parameter in self.parameters]

    def files(self) -> list[str]:
        """The names of those that are files."""
        return [parameter.name for parameter in self.parameters if parameter.is_file]

    def validate(self, values: Mapping[str, object]) -> dict[str, Value]:
        """The full set of values the notebook runs with: the given ones, checked strictly, over the defaults.

        Raises ParameterError on an unknown name, a wrong type ("250" is no int, True is no int), a value out of
        range, a date that is none, or anything that looks like a secret (it would be saved in the notebook).
        """
        for name, value in values.items():
            if not isinstance(name, str) or name not in self.names():
                message = unknown("parameter", str(name), self.names())
                head, _, hint = message.partition("; ")
                raise ParameterError(f"{head} of notebook {self.notebook}; {hint}", parameter=str(name))
            _refuse_secret(name, value, self.notebook)
        return self._checked({**{p.name: p.default for p in self.parameters}, **values})

    def _checked(self, values: dict[str, object]) -> dict[str, Value]:
        from pydantic import ValidationError

        try:
            model = self._model().model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            place = "".join(f"[{part}]" for part in first["loc"][1:] if isinstance(part, int))
            given = repr(first.get("input"))[:80]
            annotation = next(p.annotation for p in self.parameters if p.name == name)
            raise ParameterError(
                f"parameter {name!r}{place} of notebook {self.notebook} is {given}: {first['msg']}; "
                f"give a value of type {annotation} in the params file.",
                parameter=name,
            ) from None
        checked: dict[str, Value] = model.model_dump()
        for parameter in self.parameters:
            _check_text(parameter, checked[parameter.name], self.notebook)
        return checked

    def _model(self) -> type[BaseModel]:
        from pydantic import ConfigDict, Field, create_model

        fields: dict[str, Any] = {}
        for p in self.parameters:
            item: Any = _SCALARS[p.annotation.removesuffix(" | None").removeprefix("list[").removesuffix("]")]
            limits: dict[str, Any] = {"allow_inf_nan": False} if item is float else {}
            if p.lower is not None:
                limits |= {"ge": p.lower, "le": p.upper}
            item = Annotated[item, Field(**limits)] if limits else item
            kind: Any = list[item] if p.annotation.startswith("list[") else item
            fields[p.name] = (kind | None if p.annotation.endswith(" | None") else kind, Field(description=p.help))
        config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())
        return create_model(f"Parameters_{self.notebook}", __config__=config, **fields)


def read_parameters(notebook: Mapping[str, Any], name: str) -> NotebookParameters:
    """Read a notebook's parameters from the one cell tagged `parameters`, by its syntax tree only.

    `notebook` is nbformat JSON, `name` what messages call it. Raises ParameterError where there is no such cell or
    more than one, where a line is not `name: type = default  # comment`, or where a default breaks its own rule.
    """
    tagged = [c for c in notebook["cells"] if "parameters" in c.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1 or tagged[0]["cell_type"] != "code":
        raise ParameterError(f"notebook {name} has {len(tagged)} code cells tagged 'parameters'; it needs exactly one.")
    source = source_of(tagged[0])
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise ParameterError(f"the parameters cell of notebook {name} is not Python: {error.msg}.") from None
    comments = _comments(source)
    parameters = [_read_one(node, comments, name) for node in body if not _is_docstring(node)]
    twice = sorted({p.name for p in parameters if [q.name for q in parameters].count(p.name) > 1})
    if twice:
        raise ParameterError(f"notebook {name} declares parameter {twice[0]!r} twice; keep one.", parameter=twice[0])
    found = NotebookParameters(name, tuple(parameters))
    found.validate({})
    return found


def source_of(cell: Mapping[str, Any]) -> str:
    """A cell's source as one text; nbformat allows a text or a list of lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def canonical(value: object) -> str:
    """One JSON text per value: sorted keys, no spaces, no NaN; what run keys are taken over."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def _read_one(node: ast.stmt, comments: Mapping[int, str], notebook: str) -> Parameter:
    if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None):
        raise ParameterError(
            f"line {node.lineno} of the parameters cell of notebook {notebook} is not a parameter; "
            "write `name: type = default  # comment`."
        )
    name = node.target.id
    if name.startswith("__"):
        raise ParameterError(f"notebook {notebook} may not declare {name!r}; choose a plain name.", parameter=name)
    if _SECRET_NAME.search(name):
        raise ParameterError(_secret_message(name, notebook), parameter=name)
    try:
        default = ast.literal_eval(node.value)
    except ValueError:
        raise ParameterError(
            f"the default of parameter {name!r} of notebook {notebook} is not a plain value.", parameter=name
        ) from None
    comment = comments.get(node.end_lineno or node.lineno, "")
    annotation = _annotation(node.annotation, name, notebook)
    named = _CHOICES.match(comment)
    if named is not None and annotation == "str":
        return Parameter(name, annotation, default, comment[named.end() :], choices=tuple(named[1].split(", ")))
    file = _FILE.match(comment)
    if file is not None and annotation == "str":
        return Parameter(name, annotation, default, comment[file.end() :], is_file=True)
    bounds = _RANGE.match(comment)
    if bounds is None:
        return Parameter(name, annotation, default, comment)
    if "int" not in annotation and "float" not in annotation:
        raise ParameterError(f"parameter {name!r} of notebook {notebook} has a range but is no number.", parameter=name)
    lower, upper = (float(text) for text in bounds.groups())
    return Parameter(name, annotation, default, comment[bounds.end() :], lower, upper)


def _annotation(node: ast.expr, name: str, notebook: str) -> str:
    """The annotation in its one spelling: `int`, `list[str]`, `float | None`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        if isinstance(node.right, ast.Constant) and node.right.value is None:
            return f"{_annotation(node.left, name, notebook).removesuffix(' | None')} | None"
    elif isinstance(node, ast.Name) and node.id in _SCALARS:
        return node.id
    elif ast.unparse(node) in _LISTS:
        return ast.unparse(node)
    raise ParameterError(
        f"parameter {name!r} of notebook {notebook} has type {ast.unparse(node)!r}; use str, int, float, bool, "
        "list[str], list[int] or list[float], with or without `| None`.",
        parameter=name,
    )


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("# ").rstrip() for t in tokens if t.type == tokenize.COMMENT}


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _check_text(parameter: Parameter, value: Value, notebook: str) -> None:
    """Dates are dates, text is one of its choices, short, and has no control characters."""
    texts: Sequence[object] = value if isinstance(value, list) else [value]
    for text in texts:
        if not isinstance(text, str):
            continue
        if len(text) > LONGEST_TEXT or any(not c.isprintable() for c in text):
            raise ParameterError(
                f"parameter {parameter.name!r} of notebook {notebook} holds control characters or more than "
                f"{LONGEST_TEXT:,} characters; shorten it to one plain line.",
                parameter=parameter.name,
            )
        if parameter.choices and text not in parameter.choices:
            message = unknown("value", text, list(parameter.choices))
            raise ParameterError(
                f"parameter {parameter.name!r} of notebook {notebook}: {message}", parameter=parameter.name
            )
        if parameter.is_file and text and not _FILE_NAME.fullmatch(text):
            raise ParameterError(
                f"parameter {parameter.name!r} of notebook {notebook} is {text[:60]!r}; give the plain name of a "
                "file in the folder of the params file, such as stress.yml.",
                parameter=parameter.name,
            )
        if parameter.is_date and not is_iso_date(text) and text != parameter.default:
            raise ParameterError(
                f"parameter {parameter.name!r} of notebook {notebook} is {text[:40]!r}, which is no date; "
                "write it as 2022-12-28.",
                parameter=parameter.name,
            )


def is_iso_date(text: str) -> bool:
    """Whether the text is a calendar day written exactly as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _refuse_secret(name: str, value: object, notebook: str) -> None:
    texts = value if isinstance(value, list) else [value]
    if _SECRET_NAME.search(name) or any(isinstance(t, str) and _SECRET_VALUE.search(t) for t in texts):
        raise ParameterError(_secret_message(name, notebook), parameter=name)


def _secret_message(name: str, notebook: str) -> str:
    return (
        f"parameter {name!r} of notebook {notebook} looks like a secret; parameters are saved with every run, "
        "so take it out of the params file and read it where it is used."
    )
