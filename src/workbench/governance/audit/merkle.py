"""Merkle trees as RFC 6962 (Certificate Transparency) hashes them: one root for a whole trail, short proofs of a part.

A leaf is the SHA-256 of a record, as 32 bytes. Leaves are hashed with 0x00 before them and nodes with 0x01, so that a
node never passes for a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_sha256 = hashlib.sha256
#: The root of a tree without leaves (RFC 6962, 2.1).
EMPTY = _sha256(b"").digest()


def leaf(data: bytes) -> bytes:
    """Hash of a leaf (RFC 6962, 2.1)."""
    return _sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Hash of a node over its two children (RFC 6962, 2.1)."""
    return _sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """What must be remembered of `size` leaves to add more: the roots of its perfect subtrees, largest first.

    There is one for every 1 in the binary form of `size`, so that a million records leave at most twenty hashes.
    """

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.roots) != self.size.bit_count() or any(len(root) != 32 for root in self.roots):
            raise ValueError(f"{len(self.roots)} subtree roots do not belong to a tree of {self.size} leaves")

    def extended(self, data: Iterable[bytes]) -> Frontier:
        """Return the frontier after some more leaves."""
        size, roots = self.size, list(self.roots)
        for one in data:
            carried = _sha256(b"\x00" + one).digest()
            full = size
            while full & 1:
                carried = _sha256(b"\x01" + roots.pop() + carried).digest()
                full >>= 1
            roots.append(carried)
            size += 1
        return Frontier(size, tuple(roots))

    @property
    def root(self) -> bytes:
        """The tree's root."""
        if not self.roots:
            return EMPTY
        folded = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            folded = node(left, folded)
        return folded


def root(data: Sequence[bytes]) -> bytes:
    """Return the root over all leaves."""
    return Frontier().extended(data).root


def inclusion(data: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the proof that leaf `index` (from 0) is in the tree over `data` (RFC 6962, 2.1.1: audit path)."""
    if not 0 <= index < len(data):
        raise ValueError(f"there is no leaf {index} among {len(data)}")
    if len(data) == 1:
        return ()
    half = _split(len(data))
    if index < half:
        return (*inclusion(data[:half], index), root(data[half:]))
    return (*inclusion(data[half:], index - half), root(data[:half]))


def includes(one: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Say whether a proof leads from leaf `index` of `size` leaves to the expected root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, folded = index, size - 1, leaf(one)
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            folded = node(step, folded)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            folded = node(folded, step)
        place >>= 1
        last >>= 1
    return last == 0 and folded == expected


def consistency(data: Sequence[bytes], earlier: int) -> tuple[bytes, ...]:
    """Return the proof that the tree over the first `earlier` leaves is the beginning of that over all (2.1.2)."""
    if not 0 < earlier <= len(data):
        raise ValueError(f"a tree of {earlier} leaves is no beginning of one of {len(data)}")
    return _consistency(data, earlier, whole=True)


def consistent(earlier: int, size: int, first: bytes, second: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether a proof shows that the tree with root `second` only adds to that with root `first` (RFC 9162)."""
    if not 0 < earlier <= size:
        return False
    if earlier == size:
        return not proof and first == second
    steps = list(proof)
    if earlier & (earlier - 1) == 0:
        steps.insert(0, first)
    if not steps:
        return False
    place, last = earlier - 1, size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node(step, old), node(step, new)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            new = node(new, step)
        place >>= 1
        last >>= 1
    return last == 0 and old == first and new == second


def _consistency(data: Sequence[bytes], earlier: int, *, whole: bool) -> tuple[bytes, ...]:
    if earlier == len(data):
        return () if whole else (root(data),)
    half = _split(len(data))
    if earlier <= half:
        return (*_consistency(data[:half], earlier, whole=whole), root(data[half:]))
    return (*_consistency(data[half:], earlier - half, whole=False), root(data[:half]))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
