"""Our papermill engine: one time limit for the whole notebook, one size limit, and an event a cell.

Only the child process imports this; it pulls in papermill.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from traitlets.config import Config

#: The kernel's sockets are local TCP, and anyone on the machine may subscribe to its outputs unless they are encrypted.
#: "auto": where the installed Jupyter can (the kernelspec says that the kernel can).
_ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})
_OUTPUTS = ("stream", "display_data", "execute_result", "update_display_data", "error")

#: Between cells, saving takes at most one part in this many of a run's time.
_SAVING_SHARE = 10


@contextmanager
def _saving(nb_man: Any, path: Path) -> Iterator[None]:
    """Save the notebook here instead of papermill, which writes the whole of it, indented, twice a cell.

    25 cells of 11 MB took 50 s by those saves alone. One at the end is what counts; the ones in between only where
    the process is killed, so they are made when they are cheap.
    """
    next_save = 0.0

    def save(**_: Any) -> None:
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(nb_man.nb, ensure_ascii=False), encoding="utf-8")
        temporary.replace(path)

    def save_if_cheap(**_: Any) -> None:
        nonlocal next_save
        started = time.monotonic()
        if started >= next_save:
            save()
            next_save = time.monotonic() + _SAVING_SHARE * (time.monotonic() - started)

    nb_man.save = save_if_cheap
    try:
        yield
    finally:
        save()


def engine(job: dict[str, Any], events: IO[str], state: dict[str, Any]) -> type[NBClientEngine]:
    """The engine class for one job.

    `state` is filled as cells run: whether the kernel answered, the cell reached, whether output ran over.
    """
    from workbench.runs.child import prologue

    deadline = state["started"] + job["time_limit"]

    class Client(PapermillNotebookClient):  # type: ignore[misc, unused-ignore]
        """Executes the cells and stops at the deadline or the size limit."""

        received = 0

        def papermill_execute_cells(self) -> None:
            state["answered"] = True
            self.nb.cells.append(new_code_cell(prologue()))  # at the end, so that cells keep their numbers
            self.execute_cell(self.nb.cells[-1], len(self.nb.cells) - 1, store_history=False)
            self.nb.cells.pop()
            for index, cell in enumerate(self.nb.cells):
                state["cell"] = index
                print(json.dumps({"cell": index + 1, "cells": len(self.nb.cells)}), file=events)
                try:
                    self.nb_man.cell_start(cell, index)
                    self.execute_cell(cell, index)
                except CellExecutionError as error:
                    self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                    return
                self.nb_man.cell_complete(cell, cell_index=index)

        def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
            if msg["msg_type"] in _OUTPUTS:
                self.received += len(json.dumps(msg["content"], default=str))
            if self.received > job["size_limit"]:
                if not state["oversized"]:
                    state["oversized"] = True
                    os.killpg(self.km.provisioner.pid, signal.SIGKILL)
                return None
            return super().process_message(msg, cell, cell_index)

    class Engine(NBClientEngine):  # type: ignore[misc, unused-ignore]
        """Hands the notebook to our client."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **_: Any) -> None:
            nb_man.autosave_cell_every = 0
            client = Client(
                nb_man,
                kernel_name=kernel_name,
                config=_ENCRYPTED,
                timeout_func=lambda cell: max(1, int(deadline - time.monotonic())),
                startup_timeout=60,
                shutdown_kernel="immediate",
                force_raise_errors=True,
                extra_arguments=["--HistoryManager.enabled=False"],
            )
            with _saving(nb_man, Path(job["executed"])):
                client.execute()

    return Engine
