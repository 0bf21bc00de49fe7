"""One `map` for everything that is done account by account or page by page: here, in threads or in processes.

Results come in the order of the items and do not depend on the number of workers. Threads suit compiled kernels that
release the interpreter's lock and share large arrays; processes suit pure Python. Each worker keeps to one thread of
its own for linear algebra, so that two workers are two threads and sums are added in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar

from workbench.errors import ParameterError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_parallel(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int = 1,
    by: Literal["threads", "processes"] = "processes",
) -> list[Result]:
    """Return `function` of each item, in order; one worker means a plain loop in this process.

    What `function` raises is raised here. Functions and items for processes must be picklable. Raises
    `ParameterError` for fewer than one worker.
    """
    if workers < 1:
        raise ParameterError(f"workers is {workers}; give 1 or more", "workers")
    if workers == 1:
        return [function(item) for item in items]
    import joblib

    if by == "threads":
        return list(joblib.Parallel(n_jobs=workers, backend="threading")(joblib.delayed(function)(i) for i in items))
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        return list(joblib.Parallel(n_jobs=workers)(joblib.delayed(function)(item) for item in items))


def chunks(count: int, size: int) -> Sequence[range]:
    """Split 0..count into runs of at most `size`; the split depends on the size alone, never on the workers."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]
