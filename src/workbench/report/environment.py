"""How templates are filled, in books, briefs and at the desk: all escaped, nothing missing, nothing invisible."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from workbench.report import format as fmt


def escaping_environment(package: str) -> Environment:
    """Return the environment of a package's templates: all text escaped, an unknown name an error, control characters
    spelt out.
    """
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _visible(value: Any) -> Any:
    return fmt.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
