"""Numbers to named tensors in the safetensors format, which holds no code, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from workbench.backtest import Floats
from workbench.errors import MissingToolError, PolicyError

Layout = Sequence[tuple[str, tuple[int, ...]]]


def pieces(layout: Layout, numbers: Floats) -> dict[str, Floats]:
    """The numbers by name and shape, in the order of the layout."""
    ends = np.cumsum([math.prod(shape) for _, shape in layout])[:-1]
    parts = np.split(np.asarray(numbers, float), ends)
    return {name: np.ascontiguousarray(part.reshape(shape)) for (name, shape), part in zip(layout, parts)}


def pack(tensors: Mapping[str, Floats]) -> bytes:
    """Tensors as the bytes of a safetensors file, the same for the same tensors. Raises `MissingToolError`."""
    try:
        from safetensors.numpy import save
    except ModuleNotFoundError as error:
        raise _missing() from error
    body: bytes = save(dict(tensors))
    return body


def unpack(layout: Layout, body: bytes, file: str) -> Floats:
    """Read the bytes of a safetensors file as one row of numbers.

    Raises `PolicyError` naming the file where it is not one, or its tensors are not float64 of the layout's names and
    shapes; `MissingToolError` without the package.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load
    except ModuleNotFoundError as error:
        raise _missing() from error
    try:
        tensors = load(body)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PolicyError(f"{file}: not a safetensors file ({error}); take the original folder") from error
    names = [name for name, _ in layout]
    if sorted(tensors) != sorted(names):
        raise PolicyError(
            f"{file}: holds {sorted(tensors)}, the spec asks for {sorted(names)}; take the original folder"
        )
    for name, shape in layout:
        tensor = tensors[name]
        if tensor.dtype != np.float64 or tensor.shape != tuple(shape):
            raise PolicyError(
                f"{file}: {name!r} is {tensor.dtype} {tensor.shape}, not float64 {tuple(shape)} as said; save it again"
            )
    return np.concatenate([tensors[name].ravel() for name in names]) if names else np.empty(0)


def _missing() -> MissingToolError:
    return MissingToolError("learned policies need the package safetensors; install it with: make setup")
