"""The type of what carries a command out, apart from the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.governance.access import Actor
from workbench.governance.commands import Command
from workbench.governance.unit import Done, Unit

Handler = Callable[[Unit, Actor, Any], Done]
Handlers = dict[type[Command], Handler]
