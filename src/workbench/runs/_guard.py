"""Watches, inside the kernel, for what a notebook lets pass as success.

Sent to the kernel as text before the first cell and asked for its findings by the closing cell; a notebook that
leaves early, or whose thread or task fails, otherwise ends without any error. Standard library only: it must not
change what a notebook finds imported.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

MIME = "application/vnd.workbench.closing+json"
_PATIENCE = 2.0  # seconds granted to threads and tasks still at work when the last cell is done

faults: list[dict[str, str]] = []
_known_threads: set[threading.Thread] = set()


def _fault(cause: str, error: str) -> None:
    faults.append({"cause": cause, "error": error})


def _one_line(kind: Any, value: Any) -> str:
    return " ".join(f"{getattr(kind, '__name__', kind)}: {value}".split())


def begin(shell: Any) -> None:
    """Set the hooks; `shell` is the kernel's IPython shell."""
    _known_threads.update(threading.enumerate())
    print_thread_error: Callable[[threading.ExceptHookArgs], Any] = threading.excepthook

    def on_thread_error(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit:
            name = args.thread.name if args.thread else "unknown"
            _fault("background_error", f"thread {name}: {_one_line(args.exc_type, args.exc_value)}")
        print_thread_error(args)

    def on_task_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            _fault("background_error", f"task: {_one_line(type(error), error)}")
        loop.default_exception_handler(context)

    def on_cell_done(result: Any) -> None:
        if isinstance(result.error_in_exec, SystemExit):
            _fault("left_early", f"the cell left by SystemExit({result.error_in_exec.code!r})")

    threading.excepthook = on_thread_error
    asyncio.get_running_loop().set_exception_handler(on_task_error)
    shell.events.register("post_run_cell", on_cell_done)


async def close(nonce: str) -> None:
    """Wait a little for work still going on, then show the nonce and the faults found."""
    await _finish_tasks()
    _finish_threads()
    gc.collect()  # a task nobody looked at reports its error only when it is collected
    _failed_tasks()
    from IPython.display import display

    display({MIME: {"nonce": nonce, "faults": faults}}, raw=True)


async def _finish_tasks() -> None:
    ours = [task for task in asyncio.all_tasks() if _from_a_cell(task)]
    if not ours:
        return
    _, pending = await asyncio.wait(ours, timeout=_PATIENCE)
    for task in pending:
        _fault("background_error", f"task {task.get_name()} was still running at the end: await it")


def _from_a_cell(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and "ipykernel_" in code.co_filename and task is not asyncio.current_task()


def _finish_threads() -> None:
    deadline = time.monotonic() + _PATIENCE
    for thread in set(threading.enumerate()) - _known_threads:
        idle_worker = thread.name.startswith("ThreadPoolExecutor")  # they live on by design
        if thread.daemon or idle_worker or thread is threading.current_thread():
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            _fault("background_error", f"thread {thread.name} was still running at the end: join it")


def _failed_tasks() -> None:
    """Tasks that failed but are still held by a name, so that asyncio has not yet complained."""
    for thing in gc.get_objects():
        if isinstance(thing, asyncio.Future) and getattr(thing, "_log_traceback", False):
            error = thing.exception()  # marks it as seen
            _fault("background_error", f"task: {_one_line(type(error), error)}")
