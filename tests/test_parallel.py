"""One map, the same results in the same order whoever does the work."""

import pytest

from workbench.errors import ParameterError
from workbench.parallel import chunks, map_parallel


def square(number):
    return number * number


def fails(number):
    raise ParameterError(f"no {number}", "number")


@pytest.mark.parametrize("by", ["threads", "processes"])
@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers, by):
    assert map_parallel(square, range(7), workers=workers, by=by) == [0, 1, 4, 9, 16, 25, 36]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_function_raises_is_raised(workers):
    with pytest.raises(ParameterError, match="no 0"):
        map_parallel(fails, [0], workers=workers)


def test_fewer_than_one_worker_is_refused():
    with pytest.raises(ParameterError, match="workers is 0"):
        map_parallel(square, [1], workers=0)


@pytest.mark.parametrize(("count", "size", "expected"), [(0, 3, []), (3, 3, [3]), (7, 3, [3, 3, 1])])
def test_chunks_cover_everything_once(count, size, expected):
    parts = chunks(count, size)
    assert [len(part) for part in parts] == expected
    assert [i for part in parts for i in part] == list(range(count))
