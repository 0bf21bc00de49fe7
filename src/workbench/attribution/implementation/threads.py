"""One thread for linear algebra on small matrices: more only wait for each other, seconds where a core is busy."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """A context in which the linear algebra libraries take one thread."""
    return _libraries().limit(limits=1)
